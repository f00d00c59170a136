// A packet port on a kernel packet socket: the ordinary way to reach an Ethernet interface.
#pragma once

#include "base/port_kind.h"
#include "net/frame_filter.h"
#include "net/packet_port.h"
#include "net/packet_ring.h"
#include "os/fd.h"
#include "os/netif.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace aoe::net {

// Whether sent frames skip the queueing discipline (PACKET_QDISC_BYPASS). Skipping saves time per
// frame, but it also skips the administrator's shaping and filters, and a burst longer than the
// device's own queue is then dropped.
enum class QdiscBypass : bool { no, yes };

enum class MissingInterface : bool { refuse, wait };

struct AfPacketOptions {
  std::string interface;
  FrameFilter filter = FrameFilter::all;
  AddressShare share{};
  QdiscBypass qdisc_bypass = QdiscBypass::no;
  // `wait`: an interface that does not exist yet is no error; the port works once refresh() finds
  // it.
  MissingInterface missing = MissingInterface::refuse;
  // Memory for waiting frames; 0 for the default, see make_ring_shape(). Not swappable.
  std::size_t ring_bytes = 0;
  // What may wait in the device and its queue before frames are dropped as tx_dropped. More than
  // net.core.wmem_max needs CAP_NET_ADMIN while the port is opened.
  std::size_t send_buffer_bytes = std::size_t{8} << 20U;
};

// AF_PACKET, SOCK_RAW, EtherType 0x88A2, with a TPACKET_V2 receive ring and batched sends. V3 would
// hold a lone frame back until its block timer ends. [measured: 1 ms a round trip]
//
// Received buffers are ring slots, lent without a copy; the frame's ATA data is aligned to 512
// bytes (to 4096 above MTU 1500). Release them in any order, but soon: the kernel refills slots in
// ring order and stops at the first one still held, counting all it must drop as rx_dropped. A
// buffer that waits for something slow is better copied to a pool's buffer.
//
// Opening needs CAP_NET_RAW. After that nothing does, and the port survives everything that happens
// to its interface:
//
//   link or interface down   sends are dropped and counted; both directions work when it is back up
//   the process forks        it works in both, but only one may use it. While the other lives and
//   has
//                            not called exec, the ring keeps its size
//   interface removed        the same; refresh() binds to the next interface of that name
//   MAC or MTU changed       refresh() shows it. A longer MTU needs a new ring, which is made at
//   once,
//                            or, while buffers are out, by the first receive() or refresh() that
//                            finds none out. Until then info().mtu_bytes says what the present ring
//                            can take; call refresh() again later (ring_is_short() says whether
//                            to).
//
// info().mtu_bytes is never more than 65535 and never more than the ring can receive.
class AfPacketPort final : public PacketPort {
 public:
  // Errors: not_found (no such interface), unsupported (not Ethernet), not_permitted (CAP_NET_RAW
  // is missing), io (the kernel has no memory for even the smallest ring, or netlink fails). An
  // interface that is down is no error.
  [[nodiscard]] static Result<std::unique_ptr<AfPacketPort>> open(const AfPacketOptions& options);

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] const PortInfo& info() const override { return info_; }

  // One system call.
  [[nodiscard]] PortStats stats() const override;

  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> out) override;

  void time_waiting_frames() override { is_timing_ = true; }

  [[nodiscard]] bool has_frames() const override { return ring_.has_frame(); }

  void transmit(std::span<PacketBuffer> frames) override;

  // Watch it edge-triggered (EPOLLIN | EPOLLET) and call receive() until it returns less than was
  // asked for: the kernel calls the socket readable for as long as the newest frame's slot is held,
  // so a level-triggered loop would spin meanwhile.
  [[nodiscard]] int wait_fd() const override { return receiver_.get(); }

  bool refresh() override;

  [[nodiscard]] std::string_view kind() const override { return to_string(PortKind::packet); }

  // The interface as of the last refresh(): its number and its own MTU; 0 while there is none.
  [[nodiscard]] int interface_index() const;

  [[nodiscard]] std::size_t interface_mtu_bytes() const { return device_mtu_bytes_; }

  // The interface's MTU is longer than the ring's slots: a new ring waits for buffers to come back.
  [[nodiscard]] bool ring_is_short() const;

  // How many received buffers are out.
  [[nodiscard]] std::size_t held_slots() const { return ring_.held_slots(); }

  [[nodiscard]] const RingShape& ring_shape() const { return ring_.shape(); }

 private:
  static constexpr std::size_t kBatchFrames = 64;

  AfPacketPort(const AfPacketOptions& options, os::Fd receiver, os::Fd sender);

  [[nodiscard]] Result<void> configure(const AfPacketOptions& options);
  [[nodiscard]] Result<void> attach(const os::NetInterface& interface);
  void detach();
  [[nodiscard]] int bound_index() const;
  void grow_ring();
  void set_info(const PortInfo& next);
  void clear_pending_error();

  void note_wait(PacketRing::Frame& frame, std::int64_t now_ms);
  void send_batch(std::size_t count);
  void count_unsent(int os_errno);

  std::string name_;
  std::size_t ring_bytes_;
  os::Fd receiver_;
  // Receives nothing, and nobody waits for it: the kernel wakes those who wait for a socket
  // whenever a frame that was sent through it is freed, whatever they wait for.
  os::Fd sender_;
  PacketRing ring_;
  PortInfo info_;
  std::size_t device_mtu_bytes_ = 0;  // 0 while there is no interface
  bool growth_deferred_ = false;      // until the buffers that are out come back
  bool is_timing_ = false;            // how long frames waited
  mutable PortStats stats_;
  std::array<mmsghdr, kBatchFrames> messages_{};
  std::array<iovec, kBatchFrames> pieces_{};
};

}  // namespace aoe::net
