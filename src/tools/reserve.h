// `aoe reserve`: who holds a device.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_reserve_command();

}  // namespace aoe::tools
