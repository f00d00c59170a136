// `aoe identify`: what a disk says about itself.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_identify_command();

}  // namespace aoe::tools
