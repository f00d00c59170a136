// The environment of the process, which nothing of ours changes.
#pragma once

namespace aoe::os {

// nullptr: it is not set. The text lives as long as the process. Any thread, because no thread
// writes.
[[nodiscard]] const char* environment(const char* name);

}  // namespace aoe::os
