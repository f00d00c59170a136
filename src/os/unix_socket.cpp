#include "os/unix_socket.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>

namespace aoe::os {
namespace {

struct UnixAddress {
  sockaddr_un value{};

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&value); }

  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }
};

Result<UnixAddress> make_address(const std::string& path) {
  UnixAddress address;
  if (path.empty() || path.size() >= sizeof(address.value.sun_path)) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: control socket: a path has 1 to {} bytes, not {}", path,
                                 sizeof(address.value.sun_path) - 1, path.size()));
  }
  address.value.sun_family = AF_UNIX;
  path.copy(address.value.sun_path, path.size());
  return address;
}

auto fail_errno(const std::string& path, const char* what, int error) {
  return fail(os_error(error, fmt::format("{}: {}", path, what)));
}

Result<Fd> make_socket(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail_errno(path, "socket", errno);
  }
  return socket;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Keeps two of our programs from judging, removing and making the same socket file at once. The
// lock lies on the directory, so that no lock file is left behind.
Result<Fd> lock_directory(const std::string& path) {
  const std::string directory = directory_of(path);
  if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) {
    return fail_errno(path, "make its directory", errno);
  }
  Fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) {
    return fail_errno(path, "open its directory", errno);
  }
  constexpr int kAttempts = 100;
  constexpr int kPauseMs = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      return lock;
    }
    ::poll(nullptr, 0, kPauseMs);
  }
  return fail_with(
      Errc::busy, EWOULDBLOCK,
      fmt::format("{}: lock its directory: another program holds it (try again)", path));
}

// Removes the socket file of a process that is gone.
Result<void> remove_stale(const std::string& path) {
  struct stat info {};

  if (::lstat(path.c_str(), &info) < 0) {
    if (errno == ENOENT) {
      return {};
    }
    return fail_errno(path, "look at the control socket", errno);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("{}: control socket: a file that is no socket is there (choose "
                                 "another path with --control)",
                                 path));
  }
  const auto connected = connect_unix(path);
  if (connected || connected.error().code == Errc::busy) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("{}: control socket: another daemon serves there (choose another "
                                 "path with --control, or stop it)",
                                 path));
  }
  if (connected.error().os_errno != ECONNREFUSED) {
    return fail(connected.error());
  }
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
    return fail_errno(path, "remove the stale control socket", errno);
  }
  return {};
}

}  // namespace

Result<Fd> listen_unix(const UnixListenOptions& options) {
  const std::string& path = options.path;
  AOE_TRY_ASSIGN(const UnixAddress address, make_address(path));
  AOE_TRY_ASSIGN(const Fd lock, lock_directory(path));
  AOE_TRY(remove_stale(path));
  AOE_TRY_ASSIGN(Fd socket, make_socket(path));
  // Linux gives the file the mode that the socket has at bind(), less the umask: it is never open
  // to more people than it shall be, not even for a moment. chmod() undoes the umask.
  if (::fchmod(socket.get(), options.mode) < 0) {
    return fail_errno(path, "set the mode", errno);
  }
  if (::bind(socket.get(), address.get(), UnixAddress::size()) < 0) {
    return fail_errno(path, "bind the control socket", errno);
  }
  if (options.group && ::lchown(path.c_str(), static_cast<uid_t>(-1), *options.group) < 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail_errno(path, "set the group", error);
  }
  if (::chmod(path.c_str(), options.mode) < 0 || ::listen(socket.get(), options.backlog) < 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail_errno(path, "open the control socket", error);
  }
  return socket;
}

Result<Fd> connect_unix(const std::string& path) {
  AOE_TRY_ASSIGN(const UnixAddress address, make_address(path));
  AOE_TRY_ASSIGN(Fd socket, make_socket(path));
  if (::connect(socket.get(), address.get(), UnixAddress::size()) == 0) {
    return socket;
  }
  const int error = errno;
  if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR) {
    return fail_with(
        Errc::unavailable, error,
        fmt::format("{}: connect: {} (is the daemon running?)", path, error_text(error)));
  }
  if (error == EAGAIN) {
    return fail_with(Errc::busy, error,
                     fmt::format("{}: connect: the daemon's queue is full (try again)", path));
  }
  return fail_errno(path, "connect", error);
}

Result<PeerCredentials> peer_credentials(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
    return fail_errno("control socket", "ask who connected", errno);
  }
  PeerCredentials credentials{peer.pid, peer.uid, peer.gid, {}};
  // The first call only asks how much room the list needs.
  size = 0;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) < 0 && errno == ERANGE) {
    credentials.groups.resize(size / sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, credentials.groups.data(), &size) < 0) {
      credentials.groups.clear();
    }
  }
  return credentials;
}

}  // namespace aoe::os
