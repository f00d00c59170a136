// `aoe copy`: a whole disk or image to a device, or from one.
#pragma once

#include "tools/command.h"

#include <memory>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<Command> make_copy_command();

}  // namespace aoe::tools
