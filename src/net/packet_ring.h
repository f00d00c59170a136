// The receive ring of an AF_PACKET socket: memory shared with the kernel, handed out in slots.
#pragma once

#include "base/packet_buffer.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aoe::net {

// Where frames lie in a slot, for one longest frame. [linux/if_packet.h, net/packet/af_packet.c]
//
//   0          tpacket2_hdr (32 bytes), then sockaddr_ll (20 bytes)
//   frame_at   Ethernet header; 36 bytes later the data of an ATA frame, on an aligned address
//   slot_bytes end, a power of two
struct RingShape {
  std::size_t slot_bytes = 0;
  std::size_t slot_count = 0;
  std::size_t frame_at = 0;
  unsigned reserve_bytes = 0;  // PACKET_RESERVE: moves the frame to frame_at

  // The longest frame a slot takes, Ethernet header included.
  [[nodiscard]] std::size_t frame_bytes_max() const { return slot_bytes - frame_at; }

  [[nodiscard]] std::size_t ring_bytes() const { return slot_bytes * slot_count; }
};

// The shape for frames of up to `frame_bytes` (at most 65549 = MTU 65535): slots as small as
// possible, ATA data on a 4096-byte boundary where that does not double the slot and on a 512-byte
// boundary otherwise. `ring_bytes` 0 means the default: 512 slots, but at least 4 MiB and at most
// 64 MiB; any other value is rounded down to a power of two of slots, at least 8 of them.
struct RingRequest {
  std::size_t frame_bytes = 0;
  std::size_t ring_bytes = 0;
};

[[nodiscard]] RingShape make_ring_shape(RingRequest request);

// Owns the mapping, not the socket. A slot belongs to the kernel, or waits to be walked over, or is
// held by a PacketBuffer. Slots are filled and walked in ring order and may be given back in any
// order; the kernel stops (and counts drops) at the first slot that has not been given back, so one
// buffer held for a whole turn of the ring stops the port's reception until it is released.
//
// Single thread. Outlives its buffers (checked).
class PacketRing final : public BufferOwner {
 public:
  // A frame as the kernel left it.
  struct Frame {
    PacketBuffer buffer;
    std::uint32_t wire_bytes = 0;  // its length on the wire; more than buffer.size(): truncated
    std::uint8_t packet_type = 0;  // PACKET_HOST, PACKET_BROADCAST, PACKET_OTHERHOST..
    bool vlan_tagged = false;      // the kernel took an 802.1Q tag off it
    // Since 1970, by the kernel's clock.
    std::uint32_t arrived_s = 0;
    std::uint32_t arrived_ns = 0;  // of that second
  };

  PacketRing() = default;
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;
  ~PacketRing() override;

  // Replaces the ring of `socket`, whatever shape it had; frames that waited in it are lost. No
  // slot may be held. Falls back to half the slots (down to 8) while the kernel lacks memory. Needs
  // no capability beyond the open socket. Errors: busy (another process maps the ring, which it has
  // from a fork: the old ring stays as it was); after every other error there is no ring.
  [[nodiscard]] Result<void> remake(int socket, RingShape shape);

  [[nodiscard]] const RingShape& shape() const { return shape_; }

  [[nodiscard]] std::size_t held_slots() const { return held_count_; }

  // Takes the next frame of the ring; false when there is none. Dropping the buffer gives the slot
  // back to the kernel.
  [[nodiscard]] bool take(Frame& frame);

  // Whether take() would find one.
  [[nodiscard]] bool has_frame() const;

  void release_buffer(std::uint32_t index) noexcept override;

 private:
  [[nodiscard]] bool map(int socket, const RingShape& shape);
  void unmap();
  void prefetch(std::size_t index) const;

  [[nodiscard]] std::byte* slot(std::size_t index) const {
    return memory_.data() + index * shape_.slot_bytes;
  }

  RingShape shape_;
  std::span<std::byte> memory_;
  std::vector<std::uint8_t> held_;
  std::size_t held_count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace aoe::net
