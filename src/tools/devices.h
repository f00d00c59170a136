// What the initiator daemon does with its devices, over its control socket.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_list_command();
[[nodiscard]] std::unique_ptr<Command> make_show_command();
[[nodiscard]] std::unique_ptr<Command> make_paths_command();
[[nodiscard]] std::unique_ptr<Command> make_stats_command();
[[nodiscard]] std::unique_ptr<Command> make_wait_command();
[[nodiscard]] std::unique_ptr<Command> make_attach_command();
[[nodiscard]] std::unique_ptr<Command> make_detach_command();
[[nodiscard]] std::unique_ptr<Command> make_revalidate_command();
[[nodiscard]] std::unique_ptr<Command> make_flush_command();
[[nodiscard]] std::unique_ptr<Command> make_interfaces_command();
[[nodiscard]] std::unique_ptr<Command> make_enable_command();
[[nodiscard]] std::unique_ptr<Command> make_disable_command();
[[nodiscard]] std::unique_ptr<Command> make_reload_command();
[[nodiscard]] std::unique_ptr<Command> make_stop_command();

}  // namespace aoe::tools
