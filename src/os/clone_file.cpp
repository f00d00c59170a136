#include "os/clone_file.h"

#include "os/error_text.h"
#include "os/fd.h"
#include "os/sync_directory.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace aoe::os {

namespace {

constexpr mode_t kMode = 0600;

auto failed(const std::string& path, const char* what, int os_errno) {
  return fail(os_error(os_errno, fmt::format("{}: {}", path, what)));
}

bool is_impossible(int os_errno) {
  return os_errno == EOPNOTSUPP || os_errno == EXDEV || os_errno == EINVAL || os_errno == ENOTTY ||
         os_errno == EISDIR || os_errno == EBADF;
}

}  // namespace

Result<void> clone_file(const std::string& from, const std::string& to) {
  const Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!source) {
    return failed(from, "cannot open", errno);
  }
  const Fd target(
      ::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, kMode));
  if (!target) {
    return failed(to, "cannot make", errno);
  }
  if (::ioctl(target.get(), FICLONE, source.get()) != 0) {
    const int os_errno = errno;
    (void)::unlink(to.c_str());
    if (is_impossible(os_errno)) {
      return fail_with(Errc::unsupported, os_errno,
                       fmt::format("{}: its file system cannot share blocks with {}", from, to));
    }
    return failed(to, "cannot clone", os_errno);
  }
  if (::fsync(target.get()) != 0) {
    const int os_errno = errno;
    (void)::unlink(to.c_str());
    return failed(to, "cannot sync", os_errno);
  }
  return sync_directory_of(to);
}

}  // namespace aoe::os
