// The contract of everything that carries Ethernet frames: kernel packet sockets, AF_XDP, loopback
// pairs for tests.
#pragma once

#include "base/packet_buffer.h"
#include "base/port_info.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aoe::net {

inline constexpr std::uint16_t kAoeEtherType = 0x88A2;  // AoEr11 2
// Destination, source and EtherType: what a frame has beyond the MTU.
inline constexpr std::size_t kEthernetHeaderBytes = 14;

// Counters since open; only ever grow. Each cause of loss has its own.
struct PortStats {
  std::uint64_t rx_frames = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_dropped = 0;    // the kernel had no slot or chunk for it
  std::uint64_t rx_truncated = 0;  // longer than the ring's slots, discarded
  std::uint64_t rx_foreign =
      0;  // for another station or a VLAN that this port is not on, discarded
  std::uint64_t tx_frames = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_dropped = 0;   // the device or its queue refused it (ENOBUFS, link down)
  std::uint64_t tx_oversize = 0;  // longer than MTU and Ethernet header, discarded
  std::uint64_t link_changes = 0;

  // What went through another port on the same interface, too.
  void add_traffic(const PortStats& other) {
    rx_frames += other.rx_frames;
    rx_bytes += other.rx_bytes;
    rx_dropped += other.rx_dropped;
    rx_truncated += other.rx_truncated;
    rx_foreign += other.rx_foreign;
    tx_frames += other.tx_frames;
    tx_bytes += other.tx_bytes;
    tx_dropped += other.tx_dropped;
    tx_oversize += other.tx_oversize;
  }
};

// A port never parses AoE and never loses its identity: when its interface goes down, vanishes or
// changes address it stays, counts what it drops, and works again when the interface is back.
//
// Single thread. Received buffers may belong to the port (a ring slot): the port outlives them.
class PacketPort {
 public:
  virtual ~PacketPort() = default;
  PacketPort(const PacketPort&) = delete;
  PacketPort& operator=(const PacketPort&) = delete;

  // The interface name as configured: "eth1".
  [[nodiscard]] virtual const std::string& name() const = 0;
  // As of the last refresh().
  [[nodiscard]] virtual const PortInfo& info() const = 0;
  [[nodiscard]] virtual PortStats stats() const = 0;

  // Moves up to out.size() waiting frames into `out` and returns how many; ownership of those
  // passes to the caller. Equal to out.size() means "ask again". Never blocks, never fails: trouble
  // shows in stats() and, through the link monitor, in refresh().
  [[nodiscard]] virtual std::size_t receive(std::span<PacketBuffer> out) = 0;

  // The caller has received nothing for a while: frames that came meanwhile are handed out with how
  // long they waited, until one has not. A port that cannot tell hands them out as any other.
  virtual void time_waiting_frames() {}

  // Whether receive() would find a frame, without a system call; may say no where that cannot be
  // told.
  [[nodiscard]] virtual bool has_frames() const { return false; }

  // Sends all of `frames` in one batch, in order, and gives their buffers back to their owners. A
  // frame that cannot be sent now is dropped and counted: AoE is lossy by definition and its
  // initiators retransmit, while a queue here would only make their timers wrong.
  virtual void transmit(std::span<PacketBuffer> frames) = 0;

  // Readable when receive() has something. -1 for a port without one (simulated).
  [[nodiscard]] virtual int wait_fd() const = 0;

  // Looks at the interface again after a link event: MAC, MTU, carrier, a new index after the
  // interface was re-created (the port binds again). True when info() changed.
  virtual bool refresh() = 0;

  // How frames go at present: a word of kPortKindWords, or of a port without an interface. May
  // change in refresh().
  [[nodiscard]] virtual std::string_view kind() const { return "memory"; }

  // Why that is not the kind that was asked for, for people; empty when it is.
  [[nodiscard]] virtual std::string kind_reason() const { return {}; }

 protected:
  PacketPort() = default;
};

}  // namespace aoe::net
