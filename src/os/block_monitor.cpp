#include "os/block_monitor.h"

#include "os/error_text.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace aoe::os {
namespace {

// The kernel's own events; those that udev sends on are another group.
constexpr std::uint32_t kKernelEvents = 1;
// UEVENT_BUFFER_SIZE of the kernel is 2048.
constexpr std::size_t kMessageBytes = 8192;

}  // namespace

bool is_about_block_device(std::string_view message) {
  constexpr std::string_view kBlock = "SUBSYSTEM=block";
  while (!message.empty()) {
    const std::size_t end = message.find('\0');
    if (message.substr(0, end) == kBlock) {
      return true;
    }
    message = end == std::string_view::npos ? std::string_view() : message.substr(end + 1);
  }
  return false;
}

Result<std::unique_ptr<BlockMonitor>> BlockMonitor::open() {
  Fd socket(
      ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kKernelEvents;
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    return fail(os_error(errno, "device events: listen"));
  }
  return std::unique_ptr<BlockMonitor>(new BlockMonitor(std::move(socket)));
}

bool BlockMonitor::drain() {
  bool is_block = false;
  std::array<char, kMessageBytes> message{};
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), message.data(), message.size(), 0);
    if (count >= 0) {
      is_block =
          is_about_block_device({message.data(), static_cast<std::size_t>(count)}) || is_block;
    } else if (errno == ENOBUFS) {
      is_block = true;
    } else if (errno != EINTR) {
      return is_block;
    }
  }
}

}  // namespace aoe::os
