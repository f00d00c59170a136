// errno as text and as an Error, the same way at every edge.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace aoe::os {

// "no such file or directory": the C library's text in lower case, as it stands inside our
// messages. Any thread (unlike strerror).
[[nodiscard]] std::string error_text(int os_errno);

// The kind of failure behind an errno; io for everything without a better name.
[[nodiscard]] Errc errc_of_errno(int os_errno);

// The usual error of a failed system call: "<what>: <error_text>". `what` is "object: what failed".
[[nodiscard]] Error os_error(int os_errno, std::string_view what);

}  // namespace aoe::os
