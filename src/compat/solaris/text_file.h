// Reading and replacing small text files.
#pragma once

#include "base/result.h"

#include <string>

namespace aoe::compat::solaris {

// All of it, up to 4 MiB. Errors: those of open(2) and read(2), with the path; no_space when
// longer.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);

}  // namespace aoe::compat::solaris
