// `aoe events`: what happened to devices and paths.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_events_command();

}  // namespace aoe::tools
