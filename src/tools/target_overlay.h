// `aoe target overlay`.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_target_overlay_command();

}  // namespace aoe::tools
