// Two ports joined in memory, for tests of whatever sits on ports.
#pragma once

#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "base/ring_queue.h"
#include "net/packet_port.h"
#include "os/event_fd.h"

#include <cstddef>
#include <memory>
#include <string>

namespace aoe::net {

// One end of a wire. Behaves as AfPacketPort does: what one end transmits is copied into the other
// end's own buffers, a full end drops and counts (rx_dropped), frames longer than MTU + 14 are
// tx_oversize, a link that is down drops (tx_dropped). Unlike a kernel port it does not look at
// destination addresses.
//
// Both ends live on one thread and may be destroyed in any order: transmitting to an end that is
// gone drops.
class LoopbackPort final : public PacketPort {
 public:
  struct Options {
    std::string name;
    PortInfo info{.mac = {}, .mtu_bytes = 1500, .link_up = true};
    std::uint32_t queue_frames = 256;     // received and not yet released
    std::size_t frame_bytes_max = 65549;  // no later MTU may be longer than this - 14
  };

  struct Pair {
    std::unique_ptr<LoopbackPort> first;
    std::unique_ptr<LoopbackPort> second;
  };

  // Error: io (no descriptor left).
  [[nodiscard]] static Result<Pair> create_pair(const Options& first, const Options& second);

  LoopbackPort(const LoopbackPort&) = delete;
  LoopbackPort& operator=(const LoopbackPort&) = delete;
  ~LoopbackPort() override;

  [[nodiscard]] const std::string& name() const override { return options_.name; }

  [[nodiscard]] const PortInfo& info() const override { return info_; }

  [[nodiscard]] PortStats stats() const override { return stats_; }

  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> out) override;
  void transmit(std::span<PacketBuffer> frames) override;

  // Works level- and edge-triggered.
  [[nodiscard]] int wait_fd() const override { return wake_.fd(); }

  bool refresh() override;

  // What the next refresh() finds. A link that goes down works neither way from now on.
  void set_interface(const PortInfo& info) { options_.info = info; }

 private:
  LoopbackPort(const Options& options, os::EventFd wake);
  void deliver(ConstByteSpan frame);

  Options options_;
  PortInfo info_;
  os::EventFd wake_;
  PortStats stats_;
  BufferPool pool_;
  RingQueue<PacketBuffer> queue_;
  LoopbackPort* peer_ = nullptr;
};

}  // namespace aoe::net
