#include "os/link_monitor.h"

#include "os/error_text.h"
#include "os/link_message.h"
#include "os/netif.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

namespace aoe::os {
namespace {

// Room for a burst, such as many interfaces created at once; beyond it drain() says "everything".
constexpr int kReceiveBufferBytes = 1 << 20;
constexpr std::size_t kMessageBytes = 32768;

struct DrainContext {
  LinkChanges* changes;
  std::map<int, std::string>* names;
};

int on_link_message(const nlmsghdr* message, void* opaque) {
  const auto* context = static_cast<const DrainContext*>(opaque);
  auto interface = parse_link_message(message);
  if (!interface) {
    return MNL_CB_OK;
  }
  std::string& known = (*context->names)[interface->index];
  if (!known.empty() && known != interface->name) {
    context->changes->names.insert(known);
  }
  context->changes->names.insert(interface->name);
  if (message->nlmsg_type == RTM_DELLINK) {
    context->names->erase(interface->index);
  } else {
    known = std::move(interface->name);
  }
  return MNL_CB_OK;
}

}  // namespace

void LinkMonitor::SocketClose::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

Result<std::unique_ptr<LinkMonitor>> LinkMonitor::open() {
  SocketPtr socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || mnl_socket_bind(socket.get(), RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0) {
    return fail(
        os_error(errno, "link monitor: open netlink (is AF_NETLINK allowed for this service?)"));
  }
  // Best effort: without privileges the system's limit applies.
  const int bytes = kReceiveBufferBytes;
  ::setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  std::unique_ptr<LinkMonitor> monitor(new LinkMonitor(std::move(socket)));
  // After the subscription, so that no rename falls between the two.
  monitor->remember_names();
  return monitor;
}

int LinkMonitor::wait_fd() const {
  return mnl_socket_get_fd(socket_.get());
}

LinkChanges LinkMonitor::drain() {
  LinkChanges changes;
  DrainContext context{&changes, &names_};
  std::vector<std::byte> buffer(kMessageBytes);
  for (;;) {
    const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) {
      continue;
    }
    if (length < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
      changes.everything = true;
      continue;
    }
    if (length <= 0) {
      break;
    }
    mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 0, 0, on_link_message, &context);
  }
  if (changes.everything) {
    remember_names();
  }
  return changes;
}

void LinkMonitor::remember_names() {
  auto interfaces = list_interfaces();
  if (!interfaces) {
    return;  // a missed rename then shows only under its new name
  }
  names_.clear();
  for (NetInterface& interface : *interfaces) {
    names_[interface.index] = std::move(interface.name);
  }
}

}  // namespace aoe::os
