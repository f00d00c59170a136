#include "os/netif.h"

#include "base/bytes.h"
#include "os/error_text.h"
#include "os/link_message.h"

#include <fmt/format.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

namespace aoe::os {
namespace {

// A link message with many virtual functions is larger than libmnl's usual 8 KiB buffer.
constexpr std::size_t kReplyBytes = 32768;

struct SocketClose {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

using SocketPtr = std::unique_ptr<mnl_socket, SocketClose>;

Result<SocketPtr> open_route_socket() {
  SocketPtr socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return fail(os_error(errno, "netlink: open (is AF_NETLINK allowed for this service?)"));
  }
  return socket;
}

int on_info_attribute(const nlattr* attr, void* context) {
  if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && mnl_attr_validate(attr, MNL_TYPE_STRING) == 0) {
    static_cast<NetInterface*>(context)->kind = mnl_attr_get_str(attr);
  }
  return MNL_CB_OK;
}

int on_link_attribute(const nlattr* attr, void* context) {
  auto& interface = *static_cast<NetInterface*>(context);
  switch (mnl_attr_get_type(attr)) {
    case IFLA_IFNAME:
      if (mnl_attr_validate(attr, MNL_TYPE_STRING) == 0) {
        interface.name = mnl_attr_get_str(attr);
      }
      break;
    case IFLA_ADDRESS:
      if (mnl_attr_get_payload_len(attr) == interface.mac.octets.size()) {
        interface.mac = load_mac({static_cast<const std::byte*>(mnl_attr_get_payload(attr)), 6}, 0);
      }
      break;
    case IFLA_MTU:
      if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0) {
        interface.mtu_bytes = mnl_attr_get_u32(attr);
      }
      break;
    case IFLA_MASTER:
      interface.enslaved = true;
      break;
    case IFLA_LINKINFO:
      mnl_attr_parse_nested(attr, on_info_attribute, &interface);
      break;
    default:
      break;
  }
  return MNL_CB_OK;
}

int collect_link(const nlmsghdr* message, void* context) {
  if (auto interface = parse_link_message(message)) {
    static_cast<std::vector<NetInterface>*>(context)->push_back(*std::move(interface));
  }
  return MNL_CB_OK;
}

enum class Scope { one, all };

// Sends one RTM_GETLINK and collects the answers. The error is the kernel's errno.
Result<std::vector<NetInterface>, int> get_links(mnl_socket* socket, const std::string& name,
                                                 Scope scope) {
  std::vector<std::byte> buffer(kReplyBytes);
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETLINK;
  request->nlmsg_seq = 1;
  request->nlmsg_flags = NLM_F_REQUEST;
  request->nlmsg_flags |= scope == Scope::all ? NLM_F_DUMP : NLM_F_ACK;
  mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg));
  if (scope == Scope::one) {
    mnl_attr_put_strz(request, IFLA_IFNAME, name.c_str());
  }
  mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) {
    return fail(int{errno});
  }
  std::vector<NetInterface> links;
  const unsigned port_id = mnl_socket_get_portid(socket);
  for (;;) {
    const ssize_t length = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) {
      continue;
    }
    if (length < 0) {
      return fail(int{errno});
    }
    const int more = mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 1, port_id,
                                collect_link, &links);
    if (more < 0) {
      return fail(int{errno});
    }
    if (more == MNL_CB_STOP) {
      return links;
    }
  }
}

}  // namespace

std::optional<NetInterface> parse_link_message(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) {
    return std::nullopt;
  }
  const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  NetInterface interface;
  interface.index = header->ifi_index;
  interface.hardware_type = header->ifi_type;
  interface.up = (header->ifi_flags & IFF_UP) != 0;
  interface.no_arp = (header->ifi_flags & IFF_NOARP) != 0;
  const unsigned running = IFF_LOWER_UP | IFF_RUNNING;
  interface.carrier = (header->ifi_flags & running) == running;
  mnl_attr_parse(message, sizeof(ifinfomsg), on_link_attribute, &interface);
  if (interface.name.empty()) {
    return std::nullopt;
  }
  return interface;
}

Result<NetInterface> query_interface(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: not an interface name: {} bytes (1 to {} allowed)", name,
                                 name.size(), IFNAMSIZ - 1));
  }
  AOE_TRY_ASSIGN(const SocketPtr socket, open_route_socket());
  auto links = get_links(socket.get(), name, Scope::one);
  if (!links && links.error() != ENODEV) {
    return fail(os_error(links.error(), fmt::format("{}: ask netlink", name)));
  }
  if (!links || links->empty()) {
    return fail_with(Errc::not_found, ENODEV,
                     fmt::format("{}: no such interface (see `ip link`)", name));
  }
  return std::move(links->front());
}

Result<std::vector<NetInterface>> list_interfaces() {
  AOE_TRY_ASSIGN(const SocketPtr socket, open_route_socket());
  // A dump that raced with a change ends in EINTR and is to be repeated; under constant change the
  // last attempt's error is reported.
  constexpr int kAttempts = 8;
  int os_errno = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto links = get_links(socket.get(), "", Scope::all);
    if (links) {
      return *std::move(links);
    }
    os_errno = links.error();
    if (os_errno != EINTR) {
      break;
    }
  }
  return fail(os_error(os_errno, "list interfaces"));
}

bool is_ethernet(const NetInterface& interface) {
  return interface.hardware_type == ARPHRD_ETHER;
}

bool is_auto_candidate(const NetInterface& interface) {
  return is_ethernet(interface) && interface.up && interface.carrier && !interface.enslaved &&
         (interface.kind.empty() || interface.kind == "bond" || interface.kind == "team");
}

}  // namespace aoe::os
