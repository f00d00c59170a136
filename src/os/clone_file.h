// Files that share their blocks until one of them is written to (reflinks).
#pragma once

#include "base/result.h"

#include <string>

namespace aoe::os {

// Makes the new file `to` with the content that the file `from` has now. Both are stable when it
// returns, the name of the new one too. unsupported: the file system cannot (or there are two of
// them, or it is no regular file); already_exists. Nothing is left behind on an error. Blocks.
[[nodiscard]] Result<void> clone_file(const std::string& from, const std::string& to);

}  // namespace aoe::os
