#include "net/packet_ring.h"

#include "base/check.h"
#include "base/prefetch.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <utility>

namespace aoe::net {
namespace {

// Offset of the data in an ATA frame: 14 Ethernet + 10 AoE header + 12 ATA (AoEr11 2 and 3.1).
constexpr std::size_t kAtaDataAt = 36;
// Where the kernel puts the Ethernet header of a SOCK_RAW frame without PACKET_RESERVE:
// TPACKET_ALIGN(TPACKET2_HDRLEN + 16) - 14 (tpacket_rcv).
constexpr std::size_t kFrameAtUnreserved = 66;
constexpr std::size_t kSockaddrAt = 32;
static_assert(sizeof(tpacket2_hdr) == kSockaddrAt && TPACKET_ALIGNMENT == 16);
static_assert(kFrameAtUnreserved + 14 == (kSockaddrAt + sizeof(sockaddr_ll) + 16 + 15) / 16 * 16);

constexpr std::size_t kSlotsAhead = 3;
constexpr std::size_t kSlotsMin = 8;
// What may arrive while the program waits for a processor, against what its caches hold: the kernel
// goes through all slots in turn, however few are waiting (docs/PERFORMANCE.md, "The receive
// ring").
constexpr std::size_t kSlotsWanted = 512;
constexpr std::size_t kRingBytesMin = std::size_t{4} << 20U;
constexpr std::size_t kRingBytesMax = std::size_t{64} << 20U;
// The kernel allocates blocks of contiguous pages; slots lie back to back in them.
constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;

constexpr std::size_t frame_at(std::size_t alignment) {
  const std::size_t data_at = kFrameAtUnreserved + kAtaDataAt;
  return (data_at + alignment - 1) / alignment * alignment - kAtaDataAt;
}

std::uint32_t load_status(tpacket2_hdr& header) {
  // Pairs with the kernel's write barrier before it sets TP_STATUS_USER: what it wrote into the
  // slot is visible after this.
  return std::atomic_ref(header.tp_status).load(std::memory_order_acquire);
}

}  // namespace

RingShape make_ring_shape(RingRequest request) {
  RingShape shape;
  shape.frame_at = frame_at(512);
  shape.slot_bytes = std::bit_ceil(shape.frame_at + request.frame_bytes);
  if (frame_at(4096) + request.frame_bytes <= shape.slot_bytes) {
    shape.frame_at = frame_at(4096);
  }
  shape.reserve_bytes = static_cast<unsigned>(shape.frame_at - kFrameAtUnreserved);
  const std::size_t bytes = request.ring_bytes != 0 ? request.ring_bytes
                                                    : std::clamp(kSlotsWanted * shape.slot_bytes,
                                                                 kRingBytesMin, kRingBytesMax);
  shape.slot_count = std::bit_floor(std::max(bytes / shape.slot_bytes, kSlotsMin));
  return shape;
}

PacketRing::~PacketRing() {
  AOE_CHECK(held_count_ == 0, "a ring outlives the buffers it handed out");
  unmap();
}

void PacketRing::unmap() {
  if (!memory_.empty()) {
    ::munmap(memory_.data(), memory_.size());
  }
  memory_ = {};
  shape_ = {};
}

bool PacketRing::map(int socket, const RingShape& shape) {
  void* memory = ::mmap(nullptr, shape.ring_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
  if (memory == MAP_FAILED) {
    return false;
  }
  memory_ = {static_cast<std::byte*>(memory), shape.ring_bytes()};
  shape_ = shape;
  return true;
}

Result<void> PacketRing::remake(int socket, RingShape shape) {
  AOE_CHECK(held_count_ == 0, "a ring is replaced only when no slot is out");
  const RingShape old_shape = shape_;
  unmap();
  // The kernel refuses a new ring, and a new reserve, while there is an old one.
  tpacket_req request{};
  if (::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0 &&
      errno == EBUSY && old_shape.slot_count != 0 && map(socket, old_shape)) {
    return fail(os::os_error(EBUSY, "receive ring: another process has it too"));
  }
  if (::setsockopt(socket, SOL_PACKET, PACKET_RESERVE, &shape.reserve_bytes,
                   sizeof shape.reserve_bytes) < 0) {
    return fail(os::os_error(errno, "receive ring: PACKET_RESERVE"));
  }
  int made = -1;
  for (; shape.slot_count >= kSlotsMin; shape.slot_count /= 2) {
    const std::size_t block_bytes =
        std::max(shape.slot_bytes, std::min(kBlockBytes, shape.ring_bytes()));
    request.tp_block_size = static_cast<unsigned>(block_bytes);
    request.tp_block_nr = static_cast<unsigned>(shape.ring_bytes() / block_bytes);
    request.tp_frame_size = static_cast<unsigned>(shape.slot_bytes);
    request.tp_frame_nr = static_cast<unsigned>(shape.slot_count);
    made = ::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request);
    if (made == 0 || errno != ENOMEM) {
      break;
    }
  }
  if (made < 0) {
    return fail(os::os_error(errno, fmt::format("receive ring: {} slots of {} bytes",
                                                shape.slot_count, shape.slot_bytes)));
  }
  // A child process has the mapping too, and so the port goes on in it when this one ends (a daemon
  // that goes into the background).
  if (!map(socket, shape)) {
    return fail(os::os_error(errno, fmt::format("receive ring: map {} bytes", shape.ring_bytes())));
  }
  next_ = 0;
  held_.assign(shape.slot_count, 0);
  return {};
}

bool PacketRing::has_frame() const {
  return !memory_.empty() && held_[next_] == 0 &&
         (load_status(*reinterpret_cast<tpacket2_hdr*>(slot(next_))) & TP_STATUS_USER) != 0;
}

bool PacketRing::take(Frame& frame) {
  if (memory_.empty() || held_[next_] != 0) {
    return false;
  }
  std::byte* const base = slot(next_);
  auto& header = *reinterpret_cast<tpacket2_hdr*>(base);
  const std::uint32_t status = load_status(header);
  if ((status & TP_STATUS_USER) == 0) {
    return false;
  }
  const std::size_t at = header.tp_mac;
  AOE_CHECK(at <= shape_.slot_bytes && header.tp_snaplen <= shape_.slot_bytes - at,
            "the kernel writes frames inside their slots");
  held_[next_] = 1;
  ++held_count_;
  frame.wire_bytes = header.tp_len;
  frame.packet_type = reinterpret_cast<const sockaddr_ll*>(base + kSockaddrAt)->sll_pkttype;
  frame.vlan_tagged = (status & TP_STATUS_VLAN_VALID) != 0;
  frame.arrived_s = header.tp_sec;
  frame.arrived_ns = header.tp_nsec;
  frame.buffer = PacketBuffer(*this, static_cast<std::uint32_t>(next_),
                              {base + at, shape_.slot_bytes - at}, header.tp_snaplen);
  next_ = next_ + 1 == shape_.slot_count ? 0 : next_ + 1;
  prefetch((next_ + kSlotsAhead) & (shape_.slot_count - 1));
  return true;
}

// Another processor wrote the slot, or will: its header and the front of its frame come over while
// the frames before it are worked on.
void PacketRing::prefetch(std::size_t index) const {
  const std::byte* const base = slot(index);
  prefetch_line(base);
  prefetch_line(base + shape_.frame_at);
}

void PacketRing::release_buffer(std::uint32_t index) noexcept {
  AOE_CHECK(index < held_.size() && held_[index] != 0, "a slot is given back once");
  held_[index] = 0;
  --held_count_;
  auto& header = *reinterpret_cast<tpacket2_hdr*>(slot(index));
  // Our reads of the slot are over before the kernel may write to it again.
  std::atomic_ref(header.tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
}

}  // namespace aoe::net
