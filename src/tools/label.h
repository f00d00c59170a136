// `aoe label`: what labels a disk has, and new ones.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_label_show_command();
[[nodiscard]] std::unique_ptr<Command> make_label_init_command();
[[nodiscard]] std::unique_ptr<Command> make_label_erase_command();

}  // namespace aoe::tools
