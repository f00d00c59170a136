// vblade, aoede, and their forms that go to the background. Each returns its exit status, or does
// not return: then aoe-targetd runs in this process.
#pragma once

#include "compat/program.h"

#include <span>

namespace aoe::compat::vblade {

[[nodiscard]] std::span<const Command> commands();

}  // namespace aoe::compat::vblade
