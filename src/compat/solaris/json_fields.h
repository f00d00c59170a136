// Reading what a daemon says, whatever a newer or broken one says.
#pragma once

#include "control/message.h"

#include <cstdint>
#include <string>

namespace aoe::compat::solaris {

using control::Json;

// Null where there is none.
[[nodiscard]] Json member(const Json& object, const char* name);

// Empty where there is none, or no text.
[[nodiscard]] std::string text_of(const Json& object, const char* name);

// 0 where there is none, or no whole number from 0.
[[nodiscard]] std::uint64_t number_of(const Json& object, const char* name);

}  // namespace aoe::compat::solaris
