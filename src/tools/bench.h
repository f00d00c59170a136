// `aoe bench`: how fast a device is.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_bench_command();

}  // namespace aoe::tools
