// `aoe target freeze`, `thaw`, `backup`, `clone` and `events`.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_target_freeze_command();
[[nodiscard]] std::unique_ptr<Command> make_target_thaw_command();
[[nodiscard]] std::unique_ptr<Command> make_target_backup_command();
[[nodiscard]] std::unique_ptr<Command> make_target_clone_command();
[[nodiscard]] std::unique_ptr<Command> make_target_events_command();

}  // namespace aoe::tools
