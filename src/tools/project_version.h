// The release, as the build states it.
#pragma once

namespace aoe::tools {

// "0.1.0"
[[nodiscard]] const char* project_version();

}  // namespace aoe::tools
