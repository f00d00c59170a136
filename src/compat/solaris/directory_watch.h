// Which files of a directory were written, replaced or removed.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <set>
#include <string>
#include <utility>

namespace aoe::compat::solaris {

// Single thread.
class DirectoryWatch {
 public:
  // Errors: those of inotify_add_watch(2), with the path.
  [[nodiscard]] static Result<DirectoryWatch> open(const std::string& path);

  // Readable when changed() has something.
  [[nodiscard]] int wait_fd() const { return fd_.get(); }

  // The names since the last call; "" when the kernel lost count and any may have changed. Never
  // blocks.
  [[nodiscard]] std::set<std::string> changed();

 private:
  explicit DirectoryWatch(os::Fd fd) : fd_(std::move(fd)) {}

  os::Fd fd_;
};

}  // namespace aoe::compat::solaris
