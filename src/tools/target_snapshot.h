// `aoe target snapshot`.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_target_snapshot_command();

}  // namespace aoe::tools
