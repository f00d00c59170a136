#include "net/af_packet_port.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <span>
#include <utility>

namespace aoe::net {
namespace {

constexpr std::uint16_t kReservedEtherType = 0xFFFF;  // RFC 1701: never assigned
constexpr int kLoopbackIndex = 1;                     // of every network namespace
constexpr std::size_t kMtuBytesMax = 65535;
constexpr std::size_t kMtuBytesDefault = 1500;

int set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

os::Fd open_socket() {
  return os::Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int bind_to(int fd, int protocol, int index) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(static_cast<std::uint16_t>(protocol));
  address.sll_ifindex = index;
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

Result<std::unique_ptr<AfPacketPort>> AfPacketPort::open(const AfPacketOptions& options) {
  auto interface = os::query_interface(options.interface);
  const bool wait_for_it = !interface && interface.error().code == Errc::not_found &&
                           options.missing == MissingInterface::wait;
  if (!interface && !wait_for_it) {
    return fail(std::move(interface).error());
  }
  if (interface && !os::is_ethernet(*interface)) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("{}: open port: not an Ethernet interface (hardware type {}; AoE "
                                 "runs on Ethernet only)",
                                 options.interface, interface->hardware_type));
  }
  // Protocol 0 receives nothing: no frame can get in before the filter and the ring are in place.
  os::Fd in = open_socket();
  os::Fd out = in ? open_socket() : os::Fd();
  if (!out) {
    return fail(os::os_error(
        errno, fmt::format("{}: open packet socket (needs CAP_NET_RAW)", options.interface)));
  }
  std::unique_ptr<AfPacketPort> port(new AfPacketPort(options, std::move(in), std::move(out)));
  AOE_TRY(port->configure(options));
  const std::size_t mtu_bytes = interface ? interface->mtu_bytes : kMtuBytesDefault;
  const std::size_t frame_bytes = std::min(mtu_bytes, kMtuBytesMax) + kEthernetHeaderBytes;
  AOE_TRY(port->ring_.remake(
      port->receiver_.get(),
      make_ring_shape({.frame_bytes = frame_bytes, .ring_bytes = options.ring_bytes})));
  if (interface) {
    AOE_TRY(port->attach(*interface));
  }
  port->refresh();
  port->stats_.link_changes = 0;
  return port;
}

AfPacketPort::AfPacketPort(const AfPacketOptions& options, os::Fd receiver, os::Fd sender)
    : name_(options.interface),
      ring_bytes_(options.ring_bytes),
      receiver_(std::move(receiver)),
      sender_(std::move(sender)) {
  for (std::size_t i = 0; i < kBatchFrames; ++i) {
    messages_[i].msg_hdr.msg_iov = &pieces_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

Result<void> AfPacketPort::configure(const AfPacketOptions& options) {
  const int fd = receiver_.get();
  if (set_option(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: packet socket: TPACKET_V2", name_)));
  }
  if (attach_frame_filter(fd, options.filter, options.share) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: packet socket: attach filter", name_)));
  }
  // The rest is best effort. A locked filter stays even if the process is taken over; Linux 4.20
  // knows IGNORE_OUTGOING; the forced buffer size needs CAP_NET_ADMIN.
  set_option(fd, SOL_SOCKET, SO_LOCK_FILTER, 1);
  set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  if (options.qdisc_bypass == QdiscBypass::yes) {
    set_option(sender_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, 1);
  }
  const int send_bytes =
      static_cast<int>(std::min<std::size_t>(options.send_buffer_bytes, std::size_t{1} << 30U));
  if (set_option(sender_.get(), SOL_SOCKET, SO_SNDBUFFORCE, send_bytes) < 0) {
    set_option(sender_.get(), SOL_SOCKET, SO_SNDBUF, send_bytes);
  }
  return {};
}

PortStats AfPacketPort::stats() const {
  tpacket_stats kernel{};
  socklen_t length = sizeof kernel;
  // Reading resets the kernel's counters.
  if (::getsockopt(receiver_.get(), SOL_PACKET, PACKET_STATISTICS, &kernel, &length) == 0) {
    stats_.rx_dropped += kernel.tp_drops;
  }
  return stats_;
}

std::size_t AfPacketPort::receive(std::span<PacketBuffer> out) {
  if (growth_deferred_ && info_.link_up) {
    grow_ring();
  }
  std::size_t count = 0;
  PacketRing::Frame frame;
  const std::int64_t now_ms = is_timing_ ? os::wall_clock_ms() : 0;
  while (count < out.size() && ring_.take(frame)) {
    if (frame.wire_bytes > frame.buffer.size()) {
      ++stats_.rx_truncated;
      frame.buffer.reset();
      continue;
    }
    // The kernel marks frames of VLANs that have no interface here as foreign too, after it has
    // taken their tag off (__netif_receive_skb_core).
    if (frame.packet_type == PACKET_OTHERHOST || frame.vlan_tagged) {
      ++stats_.rx_foreign;
      frame.buffer.reset();
      continue;
    }
    ++stats_.rx_frames;
    stats_.rx_bytes += frame.buffer.size();
    if (is_timing_) {
      note_wait(frame, now_ms);
    }
    out[count++] = std::move(frame.buffer);
  }
  // Whoever finds the ring empty has caught up.
  is_timing_ = is_timing_ && count == out.size();
  return count;
}

// A wall clock that was set meanwhile makes a frame look older than it is, and one more is lost, or
// younger, and it counts as one that has not waited.
void AfPacketPort::note_wait(PacketRing::Frame& frame, std::int64_t now_ms) {
  const std::int64_t arrived_ms =
      std::int64_t{frame.arrived_s} * 1000 + frame.arrived_ns / 1'000'000;
  const std::int64_t waited_ms = std::max<std::int64_t>(now_ms - arrived_ms, 0);
  frame.buffer.set_waited_ms(static_cast<std::uint32_t>(
      std::min<std::int64_t>(waited_ms, std::numeric_limits<std::uint32_t>::max())));
  is_timing_ = waited_ms != 0;
}

void AfPacketPort::transmit(std::span<PacketBuffer> frames) {
  if (device_mtu_bytes_ == 0) {
    stats_.tx_dropped += frames.size();
    for (PacketBuffer& frame : frames) {
      frame.reset();
    }
    return;
  }
  const std::size_t frame_bytes_max = device_mtu_bytes_ + kEthernetHeaderBytes;
  while (!frames.empty()) {
    const auto batch = frames.first(std::min(frames.size(), kBatchFrames));
    std::size_t count = 0;
    for (PacketBuffer& frame : batch) {
      if (frame.size() > frame_bytes_max) {
        ++stats_.tx_oversize;
        continue;
      }
      pieces_[count] = {frame.bytes().data(), frame.size()};
      ++count;
    }
    send_batch(count);
    // The kernel has its own copy of what it took.
    for (PacketBuffer& frame : batch) {
      frame.reset();
    }
    frames = frames.subspan(batch.size());
  }
}

// Sends messages_[0, count). One that is refused is counted and skipped, the rest still goes out.
void AfPacketPort::send_batch(std::size_t count) {
  bool may_retry = true;
  std::size_t at = 0;
  while (at < count) {
    const int sent =
        ::sendmmsg(sender_.get(), &messages_[at], static_cast<unsigned>(count - at), MSG_DONTWAIT);
    if (sent > 0) {
      for (const std::size_t end = at + static_cast<std::size_t>(sent); at < end; ++at) {
        ++stats_.tx_frames;
        stats_.tx_bytes += pieces_[at].iov_len;
      }
      continue;
    }
    const int error = errno;
    if (error == EINTR) {
      continue;
    }
    // After the interface was down, the first call reports that, however long ago it ended.
    if (error == ENETDOWN && std::exchange(may_retry, false)) {
      continue;
    }
    count_unsent(error);
    ++at;
    if (error == ENETDOWN || error == ENXIO || error == ENODEV) {
      // No interface, or not up: nothing of this batch can leave.
      stats_.tx_dropped += count - at;
      return;
    }
  }
}

void AfPacketPort::count_unsent(int os_errno) {
  if (os_errno == EMSGSIZE) {
    ++stats_.tx_oversize;  // the MTU shrank since the last refresh()
  } else {
    ++stats_.tx_dropped;
  }
}

bool AfPacketPort::refresh() {
  const PortInfo before = info_;
  clear_pending_error();
  auto interface = os::query_interface(name_);
  // Another kind of interface under our name is as good as none.
  if (!interface || !os::is_ethernet(*interface) || !attach(*interface)) {
    // Trouble of netlink itself says nothing about the interface: keep what is known.
    if (interface || interface.error().code == Errc::not_found) {
      detach();
    }
    return info_ != before;
  }
  device_mtu_bytes_ = interface->mtu_bytes;
  // Not while it is down: an interface that comes up while the kernel exchanges the ring (which
  // takes milliseconds) is overlooked, and nothing is ever received (packet_set_ring() sets the
  // socket's protocol to 0 meanwhile, so packet_notifier() does not hook it in). It comes up with
  // another event, and so with another refresh().
  if (ring_is_short() && interface->up) {
    grow_ring();
  }
  PortInfo next;
  next.mac = interface->mac;
  next.mtu_bytes = std::min({interface->mtu_bytes, kMtuBytesMax,
                             ring_.shape().frame_bytes_max() -
                                 std::min(ring_.shape().frame_bytes_max(), kEthernetHeaderBytes)});
  next.link_up = interface->up && interface->carrier && next.mtu_bytes != 0;
  set_info(next);
  return info_ != before;
}

void AfPacketPort::set_info(const PortInfo& next) {
  if (next.link_up != info_.link_up) {
    ++stats_.link_changes;
  }
  info_ = next;
}

// Binds to the interface unless that is so already.
Result<void> AfPacketPort::attach(const os::NetInterface& interface) {
  if (bound_index() == interface.index) {
    return {};
  }
  // The sender first: whether both are bound is seen by the receiver.
  if (bind_to(sender_.get(), 0, interface.index) < 0 ||
      bind_to(receiver_.get(), kAoeEtherType, interface.index) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: bind packet socket", name_)));
  }
  clear_pending_error();
  return {};
}

// Keeps the address and the MTU: what is in flight in the core is still described by them.
void AfPacketPort::detach() {
  // The kernel lets go of a removed interface by itself, but not of one that was only renamed. A
  // packet socket cannot be unbound, and bound to no interface it would listen on all of them: so
  // it waits on the loopback interface for a reserved EtherType. transmit() sends nothing
  // meanwhile.
  if (bound_index() > kLoopbackIndex) {
    bind_to(receiver_.get(), kReservedEtherType, kLoopbackIndex);
    bind_to(sender_.get(), 0, kLoopbackIndex);
  }
  device_mtu_bytes_ = 0;
  PortInfo next = info_;
  next.link_up = false;
  set_info(next);
}

// What the kernel is bound to: 0 for nothing yet, -1 after the interface was removed.
int AfPacketPort::bound_index() const {
  sockaddr_ll address{};
  socklen_t length = sizeof address;
  const int result = ::getsockname(receiver_.get(), reinterpret_cast<sockaddr*>(&address), &length);
  AOE_CHECK(result == 0, "a packet socket has a name");
  return address.sll_ifindex;
}

int AfPacketPort::interface_index() const {
  return device_mtu_bytes_ == 0 ? 0 : bound_index();
}

bool AfPacketPort::ring_is_short() const {
  return std::min(device_mtu_bytes_, kMtuBytesMax) + kEthernetHeaderBytes >
         ring_.shape().frame_bytes_max();
}

// When the kernel has no memory for longer slots, the old shape comes back; when it has not even
// that, there is no ring and the port counts as down. The next refresh() tries again.
void AfPacketPort::grow_ring() {
  growth_deferred_ = ring_.held_slots() != 0;
  if (growth_deferred_) {
    return;
  }
  const RingShape old_shape = ring_.shape();
  const std::size_t mtu_bytes = std::min(device_mtu_bytes_, kMtuBytesMax);
  const RingShape shape =
      make_ring_shape({.frame_bytes = mtu_bytes + kEthernetHeaderBytes, .ring_bytes = ring_bytes_});
  if (!ring_.remake(receiver_.get(), shape) && ring_.shape().slot_count == 0 &&
      old_shape.slot_count != 0) {
    static_cast<void>(ring_.remake(receiver_.get(), old_shape));
  }
}

void AfPacketPort::clear_pending_error() {
  for (const int fd : {receiver_.get(), sender_.get()}) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  }
}

}  // namespace aoe::net
