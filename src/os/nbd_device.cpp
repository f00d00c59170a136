#include "os/nbd_device.h"

#include "base/parse.h"
#include "os/block_device_users.h"
#include "os/error_text.h"
#include "os/fd.h"
#include "os/poll_until.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/nbd-netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace aoe::os {
namespace {

constexpr const char* kModule = "/sys/module/nbd";
constexpr std::uint64_t kBlockBytes = 512;
// The node comes by udev or devtmpfs, and the end of a device by the kernel's own worker.
constexpr Duration kPatience = Duration::seconds(5);
constexpr Duration kPause = Duration::milliseconds(10);

using Buffer = std::array<char, 8192>;  // as MNL_SOCKET_BUFFER_SIZE at most

// A generic netlink socket, bound.
class Netlink {
 public:
  static Result<Netlink> open() {
    Netlink netlink(mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC));
    if (netlink.socket_ == nullptr || mnl_socket_bind(netlink.socket_.get(), 0, 0) != 0) {
      return fail(os_error(errno, "nbd: netlink socket"));
    }
    return netlink;
  }

  // Sends a request and reads to its acknowledgement. Returns the attribute `wanted` of the answer
  // before it, if there was one, as a number. Errors carry the kernel's errno.
  Result<std::optional<std::uint32_t>> ask(nlmsghdr* message, std::uint16_t wanted,
                                           std::string_view what) {
    if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0) {
      return fail(os_error(errno, what));
    }
    Found found{wanted, std::nullopt};
    Buffer buffer;
    for (;;) {
      const ssize_t count = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
      const int more = count < 0 ? MNL_CB_ERROR
                                 : mnl_cb_run(buffer.data(), static_cast<std::size_t>(count), 0, 0,
                                              take, &found);
      if (more == MNL_CB_ERROR) {
        return fail(os_error(errno, what));
      }
      if (more == MNL_CB_STOP) {
        return found.number;
      }
    }
  }

 private:
  struct Found {
    std::uint16_t wanted;
    std::optional<std::uint32_t> number;
  };

  explicit Netlink(mnl_socket* socket) : socket_(socket) {}

  static int take(const nlmsghdr* message, void* data) {
    return mnl_attr_parse(message, GENL_HDRLEN, take_attribute, data);
  }

  static int take_attribute(const nlattr* attribute, void* data) {
    auto& found = *static_cast<Found*>(data);
    if (mnl_attr_get_type(attribute) != found.wanted) {
      return MNL_CB_OK;
    }
    if (mnl_attr_get_payload_len(attribute) == sizeof(std::uint16_t)) {
      found.number = mnl_attr_get_u16(attribute);
    } else if (mnl_attr_get_payload_len(attribute) == sizeof(std::uint32_t)) {
      found.number = mnl_attr_get_u32(attribute);
    }
    return MNL_CB_OK;
  }

  struct Close {
    void operator()(mnl_socket* socket) const { (void)mnl_socket_close(socket); }
  };

  std::unique_ptr<mnl_socket, Close> socket_;
};

// One request in the making.
nlmsghdr* begin_message(Buffer& buffer, std::uint16_t family, std::uint8_t command,
                        std::uint8_t version) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = family;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  auto* header = static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(message, sizeof(genlmsghdr)));
  header->cmd = command;
  header->version = version;
  return message;
}

Result<std::uint16_t> find_family(Netlink& netlink) {
  Buffer buffer;
  nlmsghdr* message = begin_message(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
  mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, NBD_GENL_FAMILY_NAME);
  const auto family = netlink.ask(message, CTRL_ATTR_FAMILY_ID, "nbd: ask for its netlink family");
  if (!family || !*family) {
    const bool is_loaded = ::access(kModule, F_OK) == 0;
    return fail_with(
        Errc::unsupported, family ? 0 : family.error().os_errno,
        is_loaded ? "the kernel's nbd cannot be reached from this network namespace"
                  : fmt::format("this kernel has no nbd ({} is missing: modprobe nbd)", kModule));
  }
  return static_cast<std::uint16_t>(**family);
}

std::string name_of(const std::string& device) {
  return device.substr(device.rfind('/') + 1);
}

bool is_connected(const std::string& device) {
  return ::access(fmt::format("/sys/block/{}/pid", name_of(device)).c_str(), F_OK) == 0;
}

// "/dev/nbd3" is 3.
std::optional<std::uint32_t> index_of(const std::string& device) {
  const std::string name = name_of(device);
  const auto number = parse_unsigned(name.starts_with("nbd") ? name.substr(3) : "");
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

// The kernel looks for partitions when the device is opened first.
Result<void> look_for_partitions(const std::string& device) {
  int failed = 0;
  (void)poll_until(kPatience, kPause, [&] {
    const Fd opened(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    failed = opened ? 0 : errno;
    return failed != ENOENT && failed != ENXIO && failed != EBUSY;
  });
  return failed == 0 ? Result<void>() : fail(os_error(failed, device + ": open"));
}

}  // namespace

Result<void> check_nbd() {
  AOE_TRY_ASSIGN(Netlink netlink, Netlink::open());
  AOE_TRY(find_family(netlink));
  return {};
}

Result<std::string> connect_nbd(const NbdOptions& options) {
  AOE_TRY_ASSIGN(Netlink netlink, Netlink::open());
  AOE_TRY_ASSIGN(const std::uint16_t family, find_family(netlink));
  Buffer buffer;
  nlmsghdr* message = begin_message(buffer, family, NBD_CMD_CONNECT, NBD_GENL_VERSION);
  mnl_attr_put_u64(message, NBD_ATTR_SIZE_BYTES, options.bytes);
  mnl_attr_put_u64(message, NBD_ATTR_BLOCK_SIZE_BYTES, kBlockBytes);
  mnl_attr_put_u64(message, NBD_ATTR_SERVER_FLAGS, options.server_flags);
  mnl_attr_put_strz(message, NBD_ATTR_BACKEND_IDENTIFIER, options.backend.c_str());
  nlattr* const list = mnl_attr_nest_start(message, NBD_ATTR_SOCKETS);
  for (const int fd : options.sockets) {
    nlattr* const item = mnl_attr_nest_start(message, NBD_SOCK_ITEM);
    mnl_attr_put_u32(message, NBD_SOCK_FD, static_cast<std::uint32_t>(fd));
    mnl_attr_nest_end(message, item);
  }
  mnl_attr_nest_end(message, list);
  AOE_TRY_ASSIGN(const auto index, netlink.ask(message, NBD_ATTR_INDEX, "nbd: connect"));
  if (!index) {
    return fail_with(Errc::io, 0, "nbd: connect: the kernel does not tell which device it is");
  }
  const std::string device = fmt::format("/dev/nbd{}", *index);
  if (auto found = look_for_partitions(device); !found) {
    static_cast<void>(disconnect_nbd(device));
    return fail(std::move(found).error());
  }
  return device;
}

Result<void> disconnect_nbd(const std::string& device) {
  const auto index = index_of(device);
  if (!index || !is_connected(device)) {
    return {};
  }
  AOE_TRY_ASSIGN(Netlink netlink, Netlink::open());
  AOE_TRY_ASSIGN(const std::uint16_t family, find_family(netlink));
  Buffer buffer;
  nlmsghdr* message = begin_message(buffer, family, NBD_CMD_DISCONNECT, NBD_GENL_VERSION);
  mnl_attr_put_u32(message, NBD_ATTR_INDEX, *index);
  AOE_TRY_ASSIGN(Fd claim, claim_block_device(device));
  AOE_TRY(netlink.ask(message, NBD_ATTR_INDEX, device + ": disconnect"));
  // Whoever has it open keeps it connected.
  claim.reset();
  if (!poll_until(kPatience, kPause, [&] { return !is_connected(device); })) {
    return fail_with(Errc::busy, 0, device + ": disconnect: the kernel has not let go of it yet");
  }
  return {};
}

std::string nbd_backend(const std::string& device) {
  std::ifstream file(fmt::format("/sys/block/{}/backend", name_of(device)));
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace aoe::os
