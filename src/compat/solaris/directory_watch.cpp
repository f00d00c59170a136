#include "compat/solaris/directory_watch.h"

#include "base/bytes.h"
#include "os/error_text.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace aoe::compat::solaris {

Result<DirectoryWatch> DirectoryWatch::open(const std::string& path) {
  os::Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd || ::inotify_add_watch(fd.get(), path.c_str(),
                                 IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0) {
    return fail(os::os_error(errno, path + ": watch"));
  }
  return DirectoryWatch(std::move(fd));
}

std::set<std::string> DirectoryWatch::changed() {
  std::set<std::string> names;
  std::array<std::byte, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return names;
    }
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(count);) {
      inotify_event event{};
      copy_bytes(std::as_writable_bytes(std::span(&event, 1)),
                 std::span(buffer).subspan(at, sizeof event));
      at += sizeof event;
      std::string name;
      for (std::size_t i = 0; i < event.len && buffer.at(at + i) != std::byte{0}; ++i) {
        name.push_back(static_cast<char>(buffer.at(at + i)));
      }
      at += event.len;
      names.insert(std::move(name));
    }
  }
}

}  // namespace aoe::compat::solaris
