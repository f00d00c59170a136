// Makes the names in a directory stable.
#pragma once

#include "base/result.h"

#include <string>

namespace aoe::os {

// The directory that `path` stands in: after it the file is there after a power cut, or is not.
// Blocks.
[[nodiscard]] Result<void> sync_directory_of(const std::string& path);

}  // namespace aoe::os
