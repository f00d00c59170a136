#include "os/sync_directory.h"

#include "os/error_text.h"
#include "os/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace aoe::os {

Result<void> sync_directory_of(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path();
  parent = parent.empty() ? "." : parent;
  const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    return fail(os_error(errno, parent + ": cannot sync the directory"));
  }
  return {};
}

}  // namespace aoe::os
