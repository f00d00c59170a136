// `aoe smart`: the health of a disk.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_smart_command();

}  // namespace aoe::tools
