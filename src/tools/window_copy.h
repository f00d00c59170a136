// Copies a window of a file or block device of this machine into a new file.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <string>

namespace aoe::tools {

struct WindowCopy {
  std::string source;  // path
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::string destination;  // path
  // Called now and then with the bytes that are done; false ends the copy.
  std::function<bool(std::uint64_t)> goes_on;
};

// Makes DESTINATION.part beside the destination, sparse, and puts it on stable storage. Holes and
// zeros of the source become holes. keep_copy() gives it its name, drop_copy() takes it away again.
// Errors: those of the files, with the path; io when it was ended. On an error nothing is left.
[[nodiscard]] Result<void> copy_window(const WindowCopy& copy);
// The same without copying: DESTINATION.part shares its blocks with the source. unsupported: the
// window is not the whole of a file, or the file system cannot.
[[nodiscard]] Result<void> clone_window(const WindowCopy& copy);
[[nodiscard]] Result<void> keep_copy(const std::string& destination);
void drop_copy(const std::string& destination);

}  // namespace aoe::tools
