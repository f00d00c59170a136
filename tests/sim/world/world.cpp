#include "sim/world/world.h"

#include "base/check.h"

#include <utility>

namespace aoe::sim {

World::World(const WorldOptions& options)
    : seed_(options.seed),
      frames_({.count = options.frames_max, .frame_bytes = options.frame_bytes_max}),
      parked_(options.frames_max) {
  free_places_.reserve(options.frames_max);
  for (std::uint32_t i = options.frames_max; i > 0; --i) {
    free_places_.push_back(i - 1);
  }
}

Prng World::fork(std::uint64_t stream) const {
  Prng mixer(seed_);
  return Prng(mixer.next() ^ stream * 0x9E3779B97F4A7C15ULL);
}

PacketBuffer World::copy_frame(ConstByteSpan frame) {
  PacketBuffer copy = frames_.allocate(frame.size());
  if (copy) {
    copy_bytes(copy.bytes(), frame);
  } else {
    ++frames_lost_;
  }
  return copy;
}

std::uint32_t World::park(PacketBuffer frame) {
  AOE_CHECK(!free_places_.empty(), "there is a place for every frame");
  const std::uint32_t place = free_places_.back();
  free_places_.pop_back();
  parked_[place] = std::move(frame);
  return place;
}

PacketBuffer World::unpark(std::uint32_t place) {
  free_places_.push_back(place);
  return std::exchange(parked_[place], PacketBuffer{});
}

}  // namespace aoe::sim
