// `aoe config`: the config string of a device.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_config_command();

}  // namespace aoe::tools
