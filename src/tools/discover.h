// `aoe discover`: which targets answer on these interfaces.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_discover_command();

}  // namespace aoe::tools
