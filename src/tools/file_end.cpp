#include "os/error_text.h"
#include "os/fd.h"
#include "tools/copy_end.h"
#include "tools/stream_end.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace aoe::tools {
namespace {

// Holes smaller than this are written: they would only break the file into pieces.
constexpr std::size_t kHoleBytes = std::size_t{64} << 10U;

off_t file_offset(std::uint64_t offset) {
  return static_cast<off_t>(offset);
}

// A regular file or a block device, read and written through the page cache, which is done when the
// call returns.
class FileEnd final : public CopyEnd {
 public:
  struct Options {
    std::string path;
    os::Fd fd;
    std::uint64_t size_bytes = 0;
    bool is_regular = false;
    Sparse sparse = Sparse::yes;
  };

  explicit FileEnd(Options options) : file_(std::move(options)) {}

  [[nodiscard]] const std::string& name() const override { return file_.path; }

  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override {
    return file_.size_bytes;
  }

  Result<void> prepare(std::optional<std::uint64_t> total_bytes) override {
    if (file_.is_regular) {
      // Emptied first, so that all of it is a hole that reads as zeros.
      if (::ftruncate(file_.fd.get(), 0) < 0 ||
          ::ftruncate(file_.fd.get(), file_offset(total_bytes.value_or(0))) < 0) {
        return fail_errno("set the size");
      }
      return {};
    }
    if (total_bytes && *total_bytes > file_.size_bytes) {
      return fail_with(Errc::no_space, 0,
                       fmt::format("{}: copy: the device has {} bytes, the source needs {}",
                                   file_.path, file_.size_bytes, *total_bytes));
    }
    return {};
  }

  Result<void> start_read(CopyBlock& block) override {
    AOE_TRY(is_hole(block) ? zeros(block) : read(block));
    done_.push_back(&block);
    return {};
  }

  Result<void> start_write(CopyBlock& block) override {
    if (!file_.is_regular || file_.sparse == Sparse::no) {
      AOE_TRY(write(block.offset, block.data()));
    } else {
      AOE_TRY(write_around_holes(block));
    }
    done_.push_back(&block);
    return {};
  }

  Result<void> poll(std::vector<CopyBlock*>& done) override {
    done.insert(done.end(), done_.begin(), done_.end());
    done_.clear();
    return {};
  }

  [[nodiscard]] std::size_t outstanding() const override { return done_.size(); }

  void wait(Instant /*deadline*/) override {}

  Result<void> finish(std::uint64_t total_bytes) override {
    // A source of unknown length that ended in zeros has left the file short.
    if (file_.is_regular && ::ftruncate(file_.fd.get(), file_offset(total_bytes)) < 0) {
      return fail_errno("set the size");
    }
    if (::fsync(file_.fd.get()) < 0) {
      return fail_errno("fsync");
    }
    // So that a verification reads the disk and not the memory.
    (void)::posix_fadvise(file_.fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
  }

 private:
  [[nodiscard]] Result<void> fail_errno(const char* what) const {
    return fail(os::os_error(errno, fmt::format("{}: {}", file_.path, what)));
  }

  // Asks the file system once for every run of data and every hole.
  [[nodiscard]] bool is_hole(const CopyBlock& block) {
    if (!file_.is_regular || file_.sparse == Sparse::no) {
      return false;
    }
    if (block.offset >= data_end_) {
      data_start_ = find_data(block.offset);
      const off_t end = ::lseek(file_.fd.get(), file_offset(data_start_), SEEK_HOLE);
      data_end_ = end >= 0 ? static_cast<std::uint64_t>(end) : file_.size_bytes;
    }
    return block.offset + block.bytes <= data_start_;
  }

  [[nodiscard]] std::uint64_t find_data(std::uint64_t offset) const {
    const off_t start = ::lseek(file_.fd.get(), file_offset(offset), SEEK_DATA);
    if (start >= 0) {
      return static_cast<std::uint64_t>(start);
    }

    // ENXIO: no data behind this offset, up to the end as it is now: a file that has become shorter
    // has no hole there, but nothing. Other errors: no answer, so everything is data.
    struct stat info {};

    if (errno != ENXIO || ::fstat(file_.fd.get(), &info) < 0) {
      return offset;
    }
    return std::min(file_.size_bytes, static_cast<std::uint64_t>(info.st_size));
  }

  static Result<void> zeros(CopyBlock& block) {
    fill_zero(block.data());
    return {};
  }

  Result<void> read(CopyBlock& block) {
    std::size_t have = 0;
    while (have < block.bytes) {
      const ByteSpan rest = block.data().subspan(have);
      const ssize_t count =
          ::pread(file_.fd.get(), rest.data(), rest.size(), file_offset(block.offset + have));
      if (count > 0) {
        have += static_cast<std::size_t>(count);
      } else if (count == 0) {
        return fail_with(Errc::io, 0,
                         fmt::format("{}: read at byte {}: it has become shorter ({} bytes before)",
                                     file_.path, block.offset + have, file_.size_bytes));
      } else if (errno != EINTR) {
        return fail_errno("read");
      }
    }
    return {};
  }

  Result<void> write(std::uint64_t offset, ConstByteSpan bytes) {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(file_.fd.get(), bytes.data(), bytes.size(), file_offset(offset));
      if (count > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
      } else if (count == 0) {
        return fail_with(Errc::no_space, 0,
                         fmt::format("{}: write at byte {}: no room", file_.path, offset));
      } else if (errno != EINTR) {
        return fail_errno("write");
      }
    }
    return {};
  }

  Result<void> write_around_holes(const CopyBlock& block) {
    const ConstByteSpan data = block.data();
    for (std::size_t at = 0; at < data.size(); at += kHoleBytes) {
      const ConstByteSpan piece = data.subspan(at, std::min(kHoleBytes, data.size() - at));
      if (!is_all_zero(piece)) {
        AOE_TRY(write(block.offset + at, piece));
      }
    }
    return {};
  }

  Options file_;
  std::uint64_t data_start_ = 0;
  std::uint64_t data_end_ = 0;
  std::vector<CopyBlock*> done_;
};

Result<std::uint64_t> size_of(const os::Fd& fd, const std::string& path) {
  // Works for block devices too.
  const off_t end = ::lseek(fd.get(), 0, SEEK_END);
  if (end < 0) {
    return fail(os::os_error(errno, fmt::format("{}: find its size", path)));
  }
  return static_cast<std::uint64_t>(end);
}

Result<os::Fd> open_path(const FileEndOptions& options) {
  constexpr mode_t kNewFileMode = 0666;
  int flags = O_CLOEXEC | O_RDONLY;
  if (options.role == CopyRole::destination) {
    struct stat info {};

    const bool is_block = ::stat(options.path.c_str(), &info) == 0 && S_ISBLK(info.st_mode);
    // For a block device O_EXCL means: not while it is mounted or otherwise in use.
    flags = O_CLOEXEC | (is_block ? O_RDWR | O_EXCL : O_WRONLY | O_CREAT);
  }
  os::Fd fd(::open(options.path.c_str(), flags, kNewFileMode));
  if (!fd) {
    return fail(os::os_error(errno, fmt::format("{}: open", options.path)));
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<CopyEnd>> open_file_end(const FileEndOptions& options) {
  if (options.path == "-") {
    const bool reads = options.role == CopyRole::source;
    const int fd = ::fcntl(reads ? STDIN_FILENO : STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return make_stream_end(reads ? "standard input" : "standard output", os::Fd(fd));
  }
  AOE_TRY_ASSIGN(os::Fd fd, open_path(options));

  struct stat info {};

  if (::fstat(fd.get(), &info) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: fstat", options.path)));
  }
  if (S_ISDIR(info.st_mode)) {
    return fail_with(Errc::invalid_argument, EISDIR,
                     fmt::format("{}: copy: it is a directory", options.path));
  }
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) {
    return make_stream_end(options.path, std::move(fd));
  }
  AOE_TRY_ASSIGN(const std::uint64_t size, size_of(fd, options.path));
  return std::make_unique<FileEnd>(
      FileEnd::Options{options.path, std::move(fd), size, S_ISREG(info.st_mode), options.sparse});
}

}  // namespace aoe::tools
