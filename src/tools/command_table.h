// Every command of `aoe`, a line each.
#pragma once

#include "tools/command.h"

#include <span>

namespace aoe::tools {

[[nodiscard]] std::span<const CommandGroup> command_groups();
[[nodiscard]] std::span<const CommandEntry> command_table();

}  // namespace aoe::tools
