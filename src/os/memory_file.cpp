#include "os/memory_file.h"

#include "os/error_text.h"

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

namespace aoe::os {

Result<MemoryFile> MemoryFile::create(const std::string& name) {
  Fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!fd) {
    return fail(os_error(errno, name + ": make a file in memory"));
  }
  return MemoryFile(std::move(fd));
}

Result<std::size_t> MemoryFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count = ::pread(fd_.get(), into.data() + done, into.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count == 0) {
      break;
    }
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return fail(os_error(errno, "read a file in memory"));
    }
  }
  return done;
}

Result<void> MemoryFile::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    } else if (errno != EINTR) {
      return fail(os_error(errno, "write a file in memory"));
    }
  }
  return {};
}

}  // namespace aoe::os
