// Reading and replacing small text files.
#pragma once

#include "base/result.h"

#include <string>

namespace aoe::compat::solaris {

// All of it, up to 4 MiB. Errors: those of open(2) and read(2), with the path; no_space when
// longer.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);

// Writes a new file beside it and renames that. Errors: those of the system calls, with the path.
[[nodiscard]] Result<void> replace_text_file(const std::string& path, const std::string& text);

// With all above it; for its owner alone. One that is there stays as it is. Errors: io,
// not_permitted.
[[nodiscard]] Result<void> make_directories(const std::string& path);

}  // namespace aoe::compat::solaris
