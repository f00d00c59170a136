// `aoe mask`: the list of Ethernet addresses that a device talks to.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_mask_command();

}  // namespace aoe::tools
