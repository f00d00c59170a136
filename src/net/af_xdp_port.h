// A packet port on AF_XDP sockets: the frames that matter go past the kernel's network stack.
#pragma once

#include "net/af_packet_port.h"
#include "net/open_xdp_port.h"
#include "net/packet_port.h"
#include "net/xdp_program.h"
#include "net/xdp_queues.h"
#include "os/fd.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::net {

// The longest MTU of an interface that AF_XDP is used on: a frame must lie in one chunk.
inline constexpr std::size_t kXdpMtuBytesMax = kXdpFrameBytesMax - kEthernetHeaderBytes;

// AF_XDP beside a packet socket on the same interface. An XDP program sends the frames of commands
// other than queries that are for our station into AF_XDP sockets, one a queue; all else
// (broadcasts, queries and announcements, frames of VLANs, frames longer than a chunk, what other
// programs on this host wait for) takes the ordinary way, and what of it is ours comes through the
// packet socket. So the port is complete whatever the program leaves out, and loses nothing while
// AF_XDP cannot be used: then kind() is "packet", and kind_reason() says why.
//
// Other programs on this host do not see the frames that the program takes: an interface has one
// such port, and no second target or initiator that is to talk to the same stations (see
// docs/PERFORMANCE.md).
//
//   link or interface down   as AfPacketPort; the program stays
//   interface removed        the program went with it; refresh() attaches it to the next one of
//                            that name, which needs the privileges of open(). Without: packet
//   MTU above the limit      refresh() takes the program off; below it again: as above
//   the process dies         the kernel takes the program off
//   the process forks        it works in both, but only one may use it
//
// Sending goes past the queueing discipline, whatever AfPacketOptions says.
class AfXdpPort final : public PacketPort {
 public:
  // Opening needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF, and memory that may be locked (4.5 MiB;
  // or CAP_IPC_LOCK). Errors: those of AfPacketPort::open, unsupported (the MTU is above the limit,
  // the driver has no native XDP, the filter is remarkable_responses), busy (another program is
  // attached or has the queue), not_permitted, no_space, io. With MissingInterface::wait, an
  // interface that does not exist is no error.
  [[nodiscard]] static Result<std::unique_ptr<AfXdpPort>> open(
      const AfPacketOptions& options, WithoutXdp without_xdp = WithoutXdp::refuse);

  ~AfXdpPort() override = default;

  [[nodiscard]] const std::string& name() const override { return packet_->name(); }

  [[nodiscard]] const PortInfo& info() const override { return packet_->info(); }

  // One system call, and one a queue.
  [[nodiscard]] PortStats stats() const override;

  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> out) override;

  // Of frames that came through the queues nobody knows.
  void time_waiting_frames() override { packet_->time_waiting_frames(); }

  [[nodiscard]] bool has_frames() const override {
    return queues_.has_frames() || packet_->has_frames();
  }

  void transmit(std::span<PacketBuffer> frames) override;

  // Of an epoll instance; edge-triggered watching works as for AfPacketPort.
  [[nodiscard]] int wait_fd() const override { return wait_.get(); }

  bool refresh() override;

  [[nodiscard]] std::string_view kind() const override;

  [[nodiscard]] std::string kind_reason() const override { return reason_; }

  [[nodiscard]] std::size_t held_chunks() const { return queues_.held_chunks(); }

 private:
  AfXdpPort(const AfPacketOptions& options, std::unique_ptr<AfPacketPort> packet, os::Fd wait);

  enum class Patience { none, some };

  [[nodiscard]] Result<void> attach(Patience patience);
  [[nodiscard]] Result<void> open_queues(Patience patience);
  [[nodiscard]] Result<void> check_mtu() const;
  void detach(std::string reason);
  void settle();
  [[nodiscard]] Result<void> watch(int fd) const;
  [[nodiscard]] XdpQueues::Options queue_options() const;

  // An interface as attach() last saw it.
  struct Attempt {
    int index = 0;
    std::size_t mtu_bytes = 0;
    friend bool operator==(const Attempt&, const Attempt&) = default;
  };

  [[nodiscard]] Attempt present() const;

  AfPacketOptions options_;
  std::unique_ptr<AfPacketPort> packet_;
  os::Fd wait_;
  XdpQueues queues_;
  std::unique_ptr<XdpProgram> program_;        // while the port is attached
  Attempt attached_;                           // likewise
  std::optional<Attempt> failed_;              // not tried again until something changes
  std::optional<std::int32_t> vlan_function_;  // once it was looked for
  std::string reason_;                         // why it is not attached
  PortStats stats_;                            // of what went through the sockets
};

}  // namespace aoe::net
