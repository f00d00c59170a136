// The error of the last call that failed in this thread, as aoe_get_error() shows it.
#pragma once

#include "base/error.h"

namespace aoe::libaoe {

// The number that C programs see: the system's own where a system call failed.
[[nodiscard]] int errno_of(const Error& error);

// "call: message". A text that is too long is cut.
void set_last_error(const char* call, const Error& error);

[[nodiscard]] const char* last_error_text();
[[nodiscard]] int last_error_number();

}  // namespace aoe::libaoe
