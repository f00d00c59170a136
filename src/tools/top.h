// `aoe top`: devices and paths at work, refreshed.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_top_command();

}  // namespace aoe::tools
