// What the attach process does for a command.
#pragma once

#include "frontends/block/attach_message.h"

#include <string>

namespace aoe::block {

struct Places {
  std::string mount{};  // where the devices are files
  std::string links{};  // where attached devices have their names; empty: nowhere
};

// Blocks as long as it takes.
[[nodiscard]] AttachAnswer carry_out(const AttachCommand& command, const Places& places);

}  // namespace aoe::block
