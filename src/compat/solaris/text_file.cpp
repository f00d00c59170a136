#include "compat/solaris/text_file.h"

#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

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

}  // namespace aoe::compat::solaris
