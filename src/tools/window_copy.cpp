#include "tools/window_copy.h"

#include "base/bytes.h"
#include "os/clone_file.h"
#include "os/error_text.h"
#include "os/fd.h"
#include "tools/copy_hash.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace aoe::tools {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
constexpr mode_t kNewFileMode = 0600;  // a disk's content is nobody else's business

std::string part_of(const std::string& destination) {
  return destination + ".part";
}

auto failed(const std::string& path, const char* what) {
  return fail(os::os_error(errno, fmt::format("{}: {}", path, what)));
}

Result<void> read_exactly(const WindowCopy& copy, int fd, std::uint64_t offset, ByteSpan to) {
  while (!to.empty()) {
    const ssize_t got = ::pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failed(copy.source, "read");
    }
    if (got == 0) {
      return fail_with(Errc::io, 0,
                       fmt::format("{}: read: it ends at byte {}", copy.source, offset));
    }
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<void> write_all(const std::string& path, int fd, std::uint64_t offset, ConstByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      return failed(path, "write");
    }
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

// Where data begins, from `at` on, as far as the file system knows; offsets of the source.
std::uint64_t next_data(int fd, std::uint64_t at, std::uint64_t end) {
  const off_t found = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
  if (found >= 0) {
    return std::min(end, static_cast<std::uint64_t>(found));
  }
  return errno == ENXIO ? end : at;
}

Result<void> copy_data(const WindowCopy& copy, int source, int destination) {
  std::vector<std::byte> block(kBlockBytes);
  const std::uint64_t end = copy.offset_bytes + copy.size_bytes;

  struct stat status {};

  const bool may_have_holes = ::fstat(source, &status) == 0 && S_ISREG(status.st_mode);
  for (std::uint64_t at = copy.offset_bytes; at < end;) {
    if (!copy.goes_on(at - copy.offset_bytes)) {
      return fail_with(
          Errc::io, 0,
          fmt::format("{}: interrupted after {} bytes", copy.destination, at - copy.offset_bytes));
    }
    if (may_have_holes) {
      at = next_data(source, at, end);
    }
    const ByteSpan bytes = ByteSpan(block).first(std::min<std::uint64_t>(kBlockBytes, end - at));
    AOE_TRY(read_exactly(copy, source, at, bytes));
    if (!is_all_zero(bytes)) {
      AOE_TRY(write_all(copy.destination, destination, at - copy.offset_bytes, bytes));
    }
    at += bytes.size();
  }
  return {};
}

Result<void> make_part(const WindowCopy& copy) {
  const os::Fd source(::open(copy.source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) {
    return failed(copy.source, "open");
  }
  const std::string part = part_of(copy.destination);
  const os::Fd destination(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kNewFileMode));
  if (!destination || ::ftruncate(destination.get(), static_cast<off_t>(copy.size_bytes)) != 0) {
    return failed(part, "make");
  }
  AOE_TRY(copy_data(copy, source.get(), destination.get()));
  // Also after it was copied: behind the end of a file that became shorter there is no hole.
  const off_t length = ::lseek(source.get(), 0, SEEK_END);
  if (length < 0 || static_cast<std::uint64_t>(length) < copy.offset_bytes + copy.size_bytes) {
    return fail_with(Errc::io, 0,
                     fmt::format("{}: read: it has {} bytes, and {} are exported", copy.source,
                                 length, copy.offset_bytes + copy.size_bytes));
  }
  if (::fsync(destination.get()) != 0) {
    return failed(part, "fsync");
  }
  return {};
}

}  // namespace

Result<void> copy_window(const WindowCopy& copy) {
  auto made = make_part(copy);
  if (!made) {
    drop_copy(copy.destination);
  }
  return made;
}

Result<void> clone_window(const WindowCopy& copy) {
  struct stat status {};

  if (::stat(copy.source.c_str(), &status) != 0) {
    return failed(copy.source, "open");
  }
  if (!S_ISREG(status.st_mode) || copy.offset_bytes != 0 ||
      static_cast<std::uint64_t>(status.st_size) != copy.size_bytes) {
    return fail_with(Errc::unsupported, 0, copy.source + ": it is not exported as a whole");
  }
  drop_copy(copy.destination);
  return os::clone_file(copy.source, part_of(copy.destination));
}

Result<void> keep_copy(const std::string& destination) {
  if (::rename(part_of(destination).c_str(), destination.c_str()) != 0) {
    return failed(destination, "rename");
  }
  std::string parent = std::filesystem::path(destination).parent_path();
  parent = parent.empty() ? "." : parent;
  const os::Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    return failed(parent, "sync the directory");
  }
  return {};
}

void drop_copy(const std::string& destination) {
  (void)::unlink(part_of(destination).c_str());
}

}  // namespace aoe::tools
