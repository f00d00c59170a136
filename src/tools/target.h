// `aoe target`: what the target daemon does, over its control socket.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_target_list_command();
[[nodiscard]] std::unique_ptr<Command> make_target_show_command();
[[nodiscard]] std::unique_ptr<Command> make_target_export_command();
[[nodiscard]] std::unique_ptr<Command> make_target_unexport_command();
[[nodiscard]] std::unique_ptr<Command> make_target_online_command();
[[nodiscard]] std::unique_ptr<Command> make_target_offline_command();
[[nodiscard]] std::unique_ptr<Command> make_target_move_command();
[[nodiscard]] std::unique_ptr<Command> make_target_resize_command();
[[nodiscard]] std::unique_ptr<Command> make_target_reload_command();
[[nodiscard]] std::unique_ptr<Command> make_target_stats_command();

}  // namespace aoe::tools
