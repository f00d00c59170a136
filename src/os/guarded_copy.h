// Copying to and from mapped files, whose pages may be gone when they are touched.
#pragma once

#include <cstddef>
#include <span>

namespace aoe::os {

// Copies as many bytes as `from` has; `to` has room for them, and they do not overlap. False: a
// page of either was not there (somebody has cut the file, its file system is full, or its memory
// is broken), where the kernel would end the process with SIGBUS. Then some of it may have been
// copied.
//
// Sets the process's handler for SIGBUS when it is called first; a SIGBUS of anybody else's goes to
// the handler that was there before. Any thread.
[[nodiscard]] bool copy_guarded(std::span<std::byte> to, std::span<const std::byte> from);

}  // namespace aoe::os
