#include "support/network_namespace.h"

#include "os/link_monitor.h"
#include "os/netif.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace aoe::testing {
namespace {

bool write_file(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

// New interfaces would otherwise send router solicitations between the frames of a test.
void silence_ipv6() {
  write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

}  // namespace

std::optional<std::string> enter_new_network_namespace() {
  if (::unshare(CLONE_NEWNET) == 0) {
    silence_ipv6();
    return std::nullopt;
  }
  const uid_t uid = ::getuid();
  const gid_t gid = ::getgid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return fmt::format("unshare: error {}", errno);
  }
  if (!write_file("/proc/self/setgroups", "deny") ||
      !write_file("/proc/self/uid_map", fmt::format("0 {} 1", uid)) ||
      !write_file("/proc/self/gid_map", fmt::format("0 {} 1", gid))) {
    return fmt::format("map user {}: error {}", uid, errno);
  }
  silence_ipv6();
  return std::nullopt;
}

int run_command(const std::string& command) {
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = "PATH=$PATH:/usr/sbin:/sbin; exec >&2; " + command;
  std::array<char*, 4> arguments{shell.data(), flag.data(), text.data(), nullptr};
  pid_t pid = -1;
  if (::posix_spawn(&pid, "/bin/sh", nullptr, nullptr, arguments.data(), ::environ) != 0) {
    return -1;
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool wait_for_carrier(const std::string& interface) {
  constexpr int kTimeoutMs = 5000;
  const auto monitor = os::LinkMonitor::open();
  if (!monitor) {
    return false;
  }
  for (;;) {
    const auto found = os::query_interface(interface);
    if (found && found->carrier) {
      return true;
    }
    pollfd event{(*monitor)->wait_fd(), POLLIN, 0};
    if (::poll(&event, 1, kTimeoutMs) <= 0) {
      return false;
    }
    static_cast<void>((*monitor)->drain());
  }
}

}  // namespace aoe::testing
