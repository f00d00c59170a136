// `aoe target scrub`.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_target_scrub_command();

}  // namespace aoe::tools
