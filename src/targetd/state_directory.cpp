#include "targetd/state_directory.h"

#include "os/clock.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

namespace aoe::targetd {
namespace {

constexpr std::size_t kStateBytesMax = std::size_t{64} * 1024;
// Sessions with all they can remember.
constexpr std::size_t kHandoverBytesMax = std::size_t{128} * 1024 * 1024;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
constexpr Duration kLockAgain = Duration::milliseconds(10);
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

auto fail_errno(const std::string& what, int os_errno) {
  return fail(os::os_error(os_errno, what));
}

std::string file_name(DeviceAddress address, StateFile kind) {
  switch (kind) {
    case StateFile::state:
      return to_string(address) + ".state";
    case StateFile::serving:
      return to_string(address) + ".serving";
    case StateFile::freeze:
      return to_string(address) + ".freeze";
    case StateFile::handover:
      return to_string(address) + ".handover";
    case StateFile::snapshots:
      return to_string(address) + ".snapshots";
  }
  return to_string(address);
}

// Whether it has to survive a power cut.
bool is_stable(StateFile kind) {
  return kind != StateFile::serving && kind != StateFile::handover;
}

Result<void> write_all(int fd, ConstByteSpan bytes, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return fail_errno(what, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<StateDirectory>> StateDirectory::open(const std::string& path) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) {
    std::filesystem::create_directories(parent, error);
  }
  if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("state directory {}: make", path), errno);
  }
  os::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    return fail_errno(fmt::format("state directory {}: open", path), errno);
  }
  return std::unique_ptr<StateDirectory>(new StateDirectory(path, std::move(directory)));
}

Result<void> StateDirectory::lock(DeviceAddress address, Duration patience) {
  const std::string name = to_string(address) + ".lock";
  os::Fd file(::openat(directory_.get(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                       kFileMode));
  if (!file) {
    return fail_errno(fmt::format("{}: lock {}/{}", to_string(address), path_, name), errno);
  }
  const Instant give_up = os::monotonic_now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR || (errno == EWOULDBLOCK && os::monotonic_now() < give_up)) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(kLockAgain.ns));
      continue;
    }
    return fail_with(Errc::busy, errno,
                     fmt::format("{}: {}/{} is locked: another daemon serves this export (stop it, "
                                 "or use another --state-dir)",
                                 to_string(address), path_, name));
  }
  locks_[address] = std::move(file);
  return {};
}

void StateDirectory::unlock(DeviceAddress address) {
  locks_.erase(address);
}

Result<void> StateDirectory::give_to(const os::UserIdentity& identity) const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename();
    if (::fchownat(directory_.get(), name.c_str(), identity.uid, identity.gid,
                   AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(fmt::format("state directory {}: change the owner of {}", path_, name),
                        errno);
    }
  }
  if (::fchown(directory_.get(), identity.uid, identity.gid) != 0) {
    return fail_errno(fmt::format("state directory {}: change the owner", path_), errno);
  }
  return {};
}

Result<std::optional<std::vector<std::byte>>> StateDirectory::load(DeviceAddress address,
                                                                   StateFile kind) const {
  const std::string name = file_name(address, kind);
  const std::string what = fmt::format("{}: state file {}/{}", to_string(address), path_, name);
  const os::Fd file(::openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    return fail_errno(what + ": open", errno);
  }
  const std::size_t bytes_max = kind == StateFile::handover ? kHandoverBytesMax : kStateBytesMax;
  std::vector<std::byte> bytes;
  std::size_t filled = 0;
  while (filled <= bytes_max) {
    bytes.resize(filled + kReadBytes);
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno(what + ": read", errno);
    }
    if (got == 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  if (filled > bytes_max) {
    return fail_with(
        Errc::corrupt, 0,
        fmt::format("{}: longer than {} bytes (this is no state file)", what, bytes_max));
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> StateDirectory::remove(DeviceAddress address, StateFile kind) const {
  const std::string name = file_name(address, kind);
  const std::string what = fmt::format("{}: state file {}/{}", to_string(address), path_, name);
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return fail_errno(what + ": remove", errno);
  }
  if (is_stable(kind) && ::fsync(directory_.get()) != 0) {
    return fail_errno(what + ": sync the directory", errno);
  }
  return {};
}

Result<void> StateDirectory::save(DeviceAddress address, StateFile kind,
                                  ConstByteSpan bytes) const {
  const std::string name = file_name(address, kind);
  const std::string temporary = name + ".new";
  const std::string what = fmt::format("{}: state file {}/{}", to_string(address), path_, name);
  os::Fd file(::openat(directory_.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!file) {
    return fail_errno(what + ": make", errno);
  }
  AOE_TRY(write_all(file.get(), bytes, what + ": write"));
  if (is_stable(kind) && ::fdatasync(file.get()) != 0) {
    return fail_errno(what + ": sync", errno);
  }
  if (::renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) != 0) {
    return fail_errno(what + ": rename", errno);
  }
  if (is_stable(kind) && ::fsync(directory_.get()) != 0) {
    return fail_errno(what + ": sync the directory", errno);
  }
  return {};
}

}  // namespace aoe::targetd
