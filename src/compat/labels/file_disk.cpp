#include "compat/labels/disks.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace aoe::labels {
namespace {

class FileDisk final : public Disk {
 public:
  FileDisk(std::string path, os::Fd fd, std::uint64_t sectors)
      : path_(std::move(path)), fd_(std::move(fd)), sectors_(sectors) {}

  [[nodiscard]] const std::string& name() const override { return path_; }

  [[nodiscard]] std::uint64_t sectors() const override { return sectors_; }

  Result<void> read(Lba lba, ByteSpan into) override {
    std::uint64_t at = lba.value * kSectorBytes;
    while (!into.empty()) {
      const ssize_t count = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(at));
      if (count <= 0) {
        if (count < 0 && errno == EINTR) {
          continue;
        }
        return failed("read", lba, count == 0 ? EIO : errno);
      }
      into = into.subspan(static_cast<std::size_t>(count));
      at += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  Result<void> write(Lba lba, ConstByteSpan from) override {
    std::uint64_t at = lba.value * kSectorBytes;
    while (!from.empty()) {
      const ssize_t count = ::pwrite(fd_.get(), from.data(), from.size(), static_cast<off_t>(at));
      if (count <= 0) {
        if (count < 0 && errno == EINTR) {
          continue;
        }
        return failed("write", lba, count == 0 ? ENOSPC : errno);
      }
      from = from.subspan(static_cast<std::size_t>(count));
      at += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  Result<void> flush() override {
    if (::fsync(fd_.get()) < 0) {
      return fail(os::os_error(errno, fmt::format("{}: fsync", path_)));
    }
    return {};
  }

 private:
  [[nodiscard]] Result<void> failed(const char* what, Lba lba, int os_errno) const {
    return fail(os::os_error(os_errno, fmt::format("{}: {} sector {}", path_, what, lba.value)));
  }

  std::string path_;
  os::Fd fd_;
  std::uint64_t sectors_;
};

}  // namespace

Result<std::unique_ptr<Disk>> open_file_disk(const std::string& path, DiskAccess access) {
  struct stat info {};

  if (::stat(path.c_str(), &info) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: open", path)));
  }
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: label: expected a file or a block device", path));
  }
  int flags = O_CLOEXEC | O_RDONLY;
  if (access == DiskAccess::read_write) {
    // For a block device O_EXCL means: not while it is mounted or otherwise in use.
    flags = O_CLOEXEC | O_RDWR | (S_ISBLK(info.st_mode) ? O_EXCL : 0);
  }
  os::Fd fd(::open(path.c_str(), flags));
  if (!fd) {
    return fail(os::os_error(errno, fmt::format("{}: open", path)));
  }
  const off_t end = ::lseek(fd.get(), 0, SEEK_END);  // block devices too
  if (end < 0) {
    return fail(os::os_error(errno, fmt::format("{}: find its size", path)));
  }
  const std::uint64_t sectors = static_cast<std::uint64_t>(end) / kSectorBytes;
  return std::make_unique<FileDisk>(path, std::move(fd), sectors);
}

}  // namespace aoe::labels
