// `aoe conform`: what a target does right, wrong and dangerously.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_conform_command();

}  // namespace aoe::tools
