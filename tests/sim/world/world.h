// What every part of a simulated network shares: time, chance, and the memory of frames.
#pragma once

#include "base/bytes.h"
#include "base/packet_buffer.h"
#include "base/prng.h"
#include "sim/world/event_queue.h"
#include "sim/world/frame_pool.h"
#include "sim/world/trace_hash.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

struct WorldOptions {
  std::uint64_t seed = 0;
  std::uint32_t frames_max = 8192;  // under way at once; beyond that they are lost and counted
  std::size_t frame_bytes_max = 9014;
};

class World {
 public:
  explicit World(const WorldOptions& options);

  [[nodiscard]] EventQueue& events() { return events_; }

  [[nodiscard]] Instant now() const { return events_.now(); }

  [[nodiscard]] TraceHash& trace() { return trace_; }

  [[nodiscard]] std::uint64_t seed() const { return seed_; }

  // A source of chance of its own for each part, named by a number: what one part draws does not
  // shift what another one draws, which is what makes a failing run shrink.
  [[nodiscard]] Prng fork(std::uint64_t stream) const;

  // A copy of `frame` in the world's memory; empty (and counted) when there is none left.
  [[nodiscard]] PacketBuffer copy_frame(ConstByteSpan frame);

  // Keeps a frame until an event takes it: the event's value is the number returned here.
  [[nodiscard]] std::uint32_t park(PacketBuffer frame);
  [[nodiscard]] PacketBuffer unpark(std::uint32_t place);

  [[nodiscard]] std::uint32_t frames_out() const { return frames_.outstanding(); }

  [[nodiscard]] std::uint64_t frames_lost_for_memory() const { return frames_lost_; }

 private:
  std::uint64_t seed_;
  EventQueue events_;
  TraceHash trace_;
  FramePool frames_;
  std::vector<PacketBuffer> parked_;
  std::vector<std::uint32_t> free_places_;
  std::uint64_t frames_lost_ = 0;
};

// Numbers for World::fork(): a kind of part and its index.
enum class StreamKind : std::uint8_t {
  link,
  host_switch,
  disk,
  target,
  initiator,
  workload,
  schedule,
  swarm,
  station,
};

[[nodiscard]] constexpr std::uint64_t stream(StreamKind kind, std::uint64_t index) {
  return (static_cast<std::uint64_t>(kind) + 1) << 56U | index;
}

}  // namespace aoe::sim
