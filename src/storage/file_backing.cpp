#include "storage/file_backing.h"

#include "base/ids.h"
#include "os/error_text.h"
#include "os/mapped_memory.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

namespace aoe::storage {

namespace {

constexpr std::uint32_t kFileBlockBytes = 4096;

// A number from the queue directory of a device; a partition's is its parent's.
std::optional<std::uint64_t> queue_limit(dev_t device, const char* name) {
  for (const char* where : {"queue", "../queue"}) {
    const std::string path =
        fmt::format("/sys/dev/block/{}:{}/{}/{}", major(device), minor(device), where, name);
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 32> text{};
    const ssize_t length = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
    std::uint64_t value = 0;
    if (length > 0 && std::from_chars(text.data(), text.data() + length, value).ec == std::errc{}) {
      return value;
    }
  }
  return std::nullopt;
}

const char* type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFCHR:
      return "a character device";
    case S_IFIFO:
      return "a pipe";
    case S_IFSOCK:
      return "a socket";
    default:
      return "no regular file";
  }
}

Result<void> check_type(const std::string& path, mode_t mode) {
  if (S_ISREG(mode) || S_ISBLK(mode)) {
    return {};
  }
  return fail_with(Errc::invalid_argument, 0,
                   fmt::format("{}: cannot serve {} (expected a regular file or a block device)",
                               path, type_name(mode)));
}

Error open_error(const std::string& path, int os_errno, Access access) {
  const char* hint = "";
  if (os_errno == EBUSY) {
    hint = " (it is mounted, part of an array, or open in another program)";
  } else if (os_errno == ETXTBSY) {
    hint = " (it is in use as swap space or a program)";
  } else if (access == Access::read_write && (os_errno == EROFS || os_errno == EACCES)) {
    hint = " (for a read-only export say mode=read-only)";
  }
  Error error = os::os_error(os_errno, path + ": cannot open");
  error.message += hint;
  return error;
}

auto direct_refused(const std::string& path, const std::string& reason) {
  return fail_with(Errc::unsupported, 0,
                   fmt::format("{}: cannot use direct I/O: {} (say direct=off)", path, reason));
}

std::string needs_alignment(std::uint32_t bytes) {
  return fmt::format("it needs requests aligned to {} bytes, and sectors are {}", bytes,
                     kSectorBytes);
}

// 0 when the kernel does not say.
std::uint32_t file_system_type(int fd) {
  struct statfs status {};

  return ::fstatfs(fd, &status) == 0 ? static_cast<std::uint32_t>(status.f_type) : 0;
}

// statfs(2): FUSE, NFS, SMB 1 and 2, CIFS, 9P, Ceph, AFS, Coda, GFS2, OCFS2. Their magic numbers
// stand in several kernel headers, some in none.
bool is_on_remote_file_system(int fd) {
  constexpr std::array<std::uint32_t, 11> kRemote = {0x65735546, 0x6969,     0x517B,     0xFE534D42,
                                                     0xFF534D42, 0x01021997, 0x00C36400, 0x5346414F,
                                                     0x73757245, 0x01161970, 0x7461636F};

  return std::find(kRemote.begin(), kRemote.end(), file_system_type(fd)) != kRemote.end();
}

bool is_on_memory_file_system(int fd) {
  const std::uint32_t type = file_system_type(fd);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

}  // namespace

Result<FileBacking> FileBacking::open(const std::string& path, const StoreOptions& options) {
  FileBacking backing;
  backing.path_ = path;
  AOE_TRY(backing.open_descriptor(options));
  AOE_TRY(backing.choose_direct(options.direct));
  AOE_TRY(backing.set_window(options));
  backing.learn_limits(options.access);
  if (options.access == Access::read_write && !backing.is_remote_ && !backing.is_in_memory_) {
    backing.open_flush_descriptors();
  }
  return backing;
}

Result<void> FileBacking::open_descriptor(const StoreOptions& options) {
  // The type is asked before opening, because opening a device can do things, and again afterwards,
  // because the name may have changed hands in between.
  struct stat status {};

  if (::stat(path_.c_str(), &status) != 0) {
    return fail(open_error(path_, errno, options.access));
  }
  AOE_TRY(check_type(path_, status.st_mode));
  is_block_device_ = S_ISBLK(status.st_mode);

  // O_NONBLOCK only guards the open against a pipe that took the name; it is cleared below because
  // io_uring reports EAGAIN instead of waiting on such a descriptor.
  const int access_flag = options.access == Access::read_only ? O_RDONLY : O_RDWR;
  const int exclusive_flag = is_block_device_ ? O_EXCL : 0;
  fd_ = os::Fd(
      ::open(path_.c_str(), access_flag | exclusive_flag | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd_) {
    return fail(open_error(path_, errno, options.access));
  }

  struct stat opened {};

  // When a block was read last is not kept where we may say so (the file is ours, or we are root):
  // looking whether that time has to be written costs each read from the page cache a tenth.
  const bool is_open = ::fstat(fd_.get(), &opened) == 0 &&
                       (::fcntl(fd_.get(), F_SETFL, access_flag | O_NOATIME) == 0 ||
                        ::fcntl(fd_.get(), F_SETFL, access_flag) == 0);
  if (!is_open) {
    return fail(open_error(path_, errno, options.access));
  }
  AOE_TRY(check_type(path_, opened.st_mode));
  if (S_ISBLK(opened.st_mode) != is_block_device_) {
    return fail_with(Errc::busy, 0,
                     path_ + ": cannot open: the name was replaced while it was opened");
  }
  if (is_block_device_ && options.access == Access::read_write) {
    // Opening a write-protected device for writing succeeds; the writes would fail.
    int is_read_only = 0;
    if (::ioctl(fd_.get(), BLKROGET, &is_read_only) == 0 && is_read_only != 0) {
      return fail(open_error(path_, EROFS, options.access));
    }
  }
  return {};
}

Result<void> FileBacking::choose_direct(DirectIo wanted) {
  if (wanted == DirectIo::off || (wanted == DirectIo::automatic && !is_block_device_)) {
    return {};
  }
  if (is_block_device_) {
    int logical_block_bytes = 0;
    if (::ioctl(fd_.get(), BLKSSZGET, &logical_block_bytes) != 0) {
      return fail(os::os_error(errno, path_ + ": cannot read the sector size"));
    }
    memory_alignment_bytes_ = static_cast<std::uint32_t>(logical_block_bytes);
    if (memory_alignment_bytes_ > kSectorBytes) {
      // A 4Kn disk: the page cache turns our sectors into its blocks.
      if (wanted == DirectIo::automatic) {
        memory_alignment_bytes_ = 1;
        return {};
      }
      return direct_refused(path_, needs_alignment(memory_alignment_bytes_));
    }
  }
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (::fcntl(fd_.get(), F_SETFL, flags | O_DIRECT) != 0) {
    return direct_refused(path_,
                          fmt::format("its file system refuses it: {}", os::error_text(errno)));
  }
  is_direct_ = true;
  if (!is_block_device_) {
    AOE_TRY(check_direct_file());
  }
  return {};
}

Result<void> FileBacking::check_direct_file() {
  memory_alignment_bytes_ = kSectorBytes;

  struct statx extended {};

  if (::statx(fd_.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &extended) == 0 &&
      (extended.stx_mask & STATX_DIOALIGN) != 0) {
    if (extended.stx_dio_offset_align == 0) {
      return direct_refused(path_, "its file system refuses it");
    }
    if (extended.stx_dio_offset_align > kSectorBytes) {
      return direct_refused(path_, needs_alignment(extended.stx_dio_offset_align));
    }
    memory_alignment_bytes_ = std::max(extended.stx_dio_mem_align, 1U);
    if (memory_alignment_bytes_ > kSectorBytes) {
      return direct_refused(
          path_, fmt::format("it needs memory aligned to {} bytes", memory_alignment_bytes_));
    }
  }
  // Linux before 6.1 cannot be asked, and some file systems do not say: one sector tells.
  AOE_TRY_ASSIGN(const os::MappedMemory memory,
                 os::MappedMemory::allocate(os::page_bytes(), path_));
  if (::pread(fd_.get(), memory.bytes().data(), kSectorBytes, 0) < 0) {
    const int os_errno = errno;
    if (os_errno == EINVAL) {
      return direct_refused(path_, needs_alignment(kFileBlockBytes));
    }
    return fail(os::os_error(os_errno, path_ + ": cannot read the first sector"));
  }
  return {};
}

Result<std::uint64_t> FileBacking::whole_size_bytes() const {
  if (is_block_device_) {
    std::uint64_t size_bytes = 0;
    if (::ioctl(fd_.get(), BLKGETSIZE64, &size_bytes) != 0) {
      return fail(os::os_error(errno, path_ + ": cannot read the size"));
    }
    return size_bytes;
  }

  struct stat status {};

  if (::fstat(fd_.get(), &status) != 0) {
    return fail(os::os_error(errno, path_ + ": cannot read the size"));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> FileBacking::set_window(const StoreOptions& options) {
  AOE_TRY_ASSIGN(const std::uint64_t whole_bytes, whole_size_bytes());
  const std::uint64_t whole_sectors = whole_bytes / kSectorBytes;
  const auto refused = [&](const std::string& reason) {
    return fail_with(Errc::invalid_argument, 0, fmt::format("{}: {}", path_, reason));
  };
  if (whole_sectors == 0) {
    return refused(fmt::format("image shorter than a sector: {} bytes, expected at least {}",
                               whole_bytes, kSectorBytes));
  }
  if (options.offset_sectors >= whole_sectors) {
    return refused(fmt::format("offset={} lies behind the end: it has {} sectors",
                               options.offset_sectors, whole_sectors));
  }
  const std::uint64_t left_sectors = whole_sectors - options.offset_sectors;
  if (options.length_sectors == 0) {
    return refused("length=0 leaves nothing to serve (expected at least 1 sector)");
  }
  if (options.length_sectors > left_sectors) {
    return refused(fmt::format("length={} reaches behind the end: {} sectors lie behind offset={}",
                               *options.length_sectors, left_sectors, options.offset_sectors));
  }
  window_offset_bytes_ = options.offset_sectors * kSectorBytes;
  window_limit_bytes_ = options.length_sectors.value_or(0) * kSectorBytes;
  size_bytes_ = options.length_sectors.value_or(left_sectors) * kSectorBytes;
  odd_tail_bytes_ =
      options.length_sectors ? 0 : static_cast<std::uint32_t>(whole_bytes % kSectorBytes);
  return {};
}

void FileBacking::learn_limits(Access access) {
  struct stat status {};

  if (::fstat(fd_.get(), &status) != 0) {
    return;
  }
  const dev_t device = is_block_device_ ? status.st_rdev : status.st_dev;
  is_rotational_ = queue_limit(device, "rotational").value_or(0) != 0;
  if (is_block_device_) {
    unsigned physical_bytes = 0;
    if (::ioctl(fd_.get(), BLKPBSZGET, &physical_bytes) == 0 &&
        (physical_bytes & (physical_bytes - 1)) == 0) {
      physical_block_bytes_ = std::max(physical_bytes, kSectorBytes);
    }
    // On a device a hole is "write zeroes, and unmap", which the kernel refuses when the hardware
    // lacks it (block/fops.c: BLKDEV_ZERO_NOFALLBACK). Blocks above 512 bytes would refuse our
    // sectors.
    int logical_bytes = 0;
    can_punch_hole_ = access == Access::read_write &&
                      ::ioctl(fd_.get(), BLKSSZGET, &logical_bytes) == 0 &&
                      logical_bytes <= static_cast<int>(kSectorBytes) &&
                      queue_limit(device, "discard_max_bytes").value_or(0) != 0 &&
                      queue_limit(device, "write_zeroes_max_bytes").value_or(0) != 0;
    return;
  }
  is_remote_ = is_on_remote_file_system(fd_.get());
  is_in_memory_ = !is_block_device_ && is_on_memory_file_system(fd_.get());
  physical_block_bytes_ = kFileBlockBytes;
  if (access == Access::read_write) {
    // A hole behind the end changes nothing and says whether the file system can make one.
    constexpr off_t kFarBytes = off_t{1} << 20U;
    const off_t behind = (status.st_size / kFarBytes + 2) * kFarBytes;
    can_punch_hole_ = ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, behind,
                                  kFileBlockBytes) == 0;
  }
}

void FileBacking::open_flush_descriptors() {
  constexpr std::size_t kMore = 3;

  struct stat mine {};

  rlimit limit{};
  if (::fstat(fd_.get(), &mine) != 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  for (std::size_t i = 0; i < kMore; ++i) {
    os::Fd more(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));

    struct stat opened {};

    // The kernel gives the lowest number that is free: half of them are for other things. And the
    // name may have changed hands.
    if (!more || static_cast<rlim_t>(more.get()) >= limit.rlim_cur / 2 ||
        ::fstat(more.get(), &opened) != 0 || opened.st_dev != mine.st_dev ||
        opened.st_ino != mine.st_ino || opened.st_rdev != mine.st_rdev ||
        ::fcntl(more.get(), F_SETFL, O_RDWR) != 0) {
      return;
    }
    more_flush_fds_.push_back(std::move(more));
  }
}

Result<std::uint64_t> FileBacking::measure() const {
  AOE_TRY_ASSIGN(const std::uint64_t whole_bytes, whole_size_bytes());
  return window_bytes(whole_bytes);
}

std::uint64_t FileBacking::window_bytes(std::uint64_t whole_bytes) const {
  if (whole_bytes <= window_offset_bytes_) {
    return 0;
  }
  std::uint64_t size_bytes = whole_bytes - window_offset_bytes_;
  if (window_limit_bytes_ != 0) {
    size_bytes = std::min(size_bytes, window_limit_bytes_);
  }
  return size_bytes / kSectorBytes * kSectorBytes;
}

}  // namespace aoe::storage
