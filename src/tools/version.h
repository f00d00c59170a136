// `aoe version`.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_version_command();

}  // namespace aoe::tools
