#include "compat/solaris/text_file.h"

#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace aoe::compat::solaris {

Result<std::string> read_text_file(const std::string& path) {
  constexpr std::size_t kBytesMax = std::size_t{4} << 20U;
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return fail(os::os_error(errno, path + ": open"));
  }
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count == 0) {
      return text;
    }
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail(os::os_error(errno, path + ": read"));
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kBytesMax) {
      return fail_with(Errc::no_space, 0,
                       fmt::format("{}: read: longer than {} bytes", path, kBytesMax));
    }
  }
}

Result<void> replace_text_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  constexpr mode_t kMode = 0600;
  const os::Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  if (!fd) {
    return fail(os::os_error(errno, beside + ": open"));
  }
  const ssize_t count = ::write(fd.get(), text.data(), text.size());
  if (count != static_cast<ssize_t>(text.size())) {
    return fail(os::os_error(count < 0 ? errno : ENOSPC, beside + ": write"));
  }
  if (std::rename(beside.c_str(), path.c_str()) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: rename to {}", beside, path)));
  }
  return {};
}

Result<void> make_directories(const std::string& path) {
  constexpr mode_t kMode = 0700;
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), kMode) < 0 && errno != EEXIST) {
      return fail(os::os_error(errno, part + ": make the directory"));
    }
    if (slash == std::string::npos) {
      return {};
    }
  }
}

}  // namespace aoe::compat::solaris
