// `aoe wire`: frames as text.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_wire_decode_command();

}  // namespace aoe::tools
