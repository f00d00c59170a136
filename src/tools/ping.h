// `aoe ping`: how long a device takes to answer.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_ping_command();

}  // namespace aoe::tools
