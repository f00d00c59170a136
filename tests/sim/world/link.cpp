#include "sim/world/link.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {
namespace {

constexpr std::size_t kEthernetHeaderBytes = 14;
// Preamble, frame check sequence and the gap between frames (IEEE 802.3).
constexpr std::size_t kWireOverheadBytes = 24;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr unsigned kTailDoublings = 10;

Duration time_on_wire(std::size_t frame_bytes, std::uint64_t bits_per_second) {
  const auto bits = static_cast<std::int64_t>((frame_bytes + kWireOverheadBytes) * 8);
  return Duration::nanoseconds(bits * kNsPerSecond / static_cast<std::int64_t>(bits_per_second));
}

}  // namespace

LinkDirection::LinkDirection(World& world, std::uint64_t stream)
    : world_(world), prng_(world.fork(stream)) {}

Duration LinkDirection::below(Duration limit) {
  return Duration::nanoseconds(
      static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(limit.ns))));
}

std::size_t LinkDirection::backlog_bytes(Instant now) const {
  if (free_at_ <= now) {
    return 0;
  }
  // Microseconds: the product fits 64 bits for hours of backlog at 100 Gbit/s.
  const auto waiting_us = static_cast<std::uint64_t>((free_at_ - now).ns / 1000);
  return waiting_us * (quality_.bits_per_second / 1'000'000) / 8;
}

bool LinkDirection::is_lost() {
  if (burst_left_ > 0) {
    --burst_left_;
    return true;
  }
  if (happens(quality_.burst_ppm)) {
    burst_left_ = quality_.burst_frames;
    return true;
  }
  return happens(quality_.loss_ppm);
}

// How much later than its turn the frame arrives, 0 mostly.
Duration LinkDirection::stray_delay() {
  Duration late{};
  if (happens(quality_.reorder_ppm)) {
    late = below(quality_.reorder_delay);
  }
  if (happens(quality_.tail_ppm)) {
    const auto halvings = static_cast<unsigned>(prng_.below(kTailDoublings));
    late = late + below(Duration::nanoseconds(quality_.tail_delay.ns >> halvings));
  }
  return late;
}

// False when the receiver's hardware drops it.
bool LinkDirection::corrupt(PacketBuffer& frame) {
  if (survives_ == nullptr || !survives_(std::as_const(frame).bytes())) {
    ++counters_.checksum_caught;
    return false;
  }
  ++counters_.corrupted;
  const std::size_t bits = (frame.size() - kEthernetHeaderBytes) * 8;
  for (std::uint64_t flips = 1 + prng_.below(3); flips > 0; --flips) {
    const std::uint64_t bit = prng_.below(bits);
    frame.bytes()[kEthernetHeaderBytes + bit / 8] ^= std::byte{1} << (bit % 8);
  }
  return true;
}

void LinkDirection::send(Instant now, PacketBuffer frame) {
  ++counters_.frames;
  if (!plugged_ || cut_) {
    ++counters_.unplugged;
    return;
  }
  if (quality_.mtu_bytes != 0 && frame.size() > quality_.mtu_bytes + kEthernetHeaderBytes) {
    ++counters_.oversized;
    return;
  }
  if (free_at_ > now && backlog_bytes(now) + frame.size() > quality_.queue_bytes) {
    ++counters_.overflowed;
    return;
  }
  free_at_ = std::max(free_at_, now) + time_on_wire(frame.size(), quality_.bits_per_second);
  if (is_lost()) {
    ++counters_.lost;
    return;
  }
  if (happens(quality_.corrupt_ppm) && !corrupt(frame)) {
    return;
  }
  Instant arrival = free_at_ + quality_.delay;
  if (quality_.jitter.ns != 0) {
    arrival = arrival + below(quality_.jitter);
  }
  arrival = std::max({arrival, last_arrival_, clogged_until_});
  if (happens(quality_.duplicate_ppm)) {
    if (PacketBuffer copy = world_.copy_frame(std::as_const(frame).bytes())) {
      ++counters_.duplicated;
      deliver_at(arrival + below(quality_.duplicate_delay), std::move(copy));
    }
  }
  const Duration late = stray_delay();
  if (late.ns != 0) {
    ++counters_.reordered;
  } else {
    last_arrival_ = arrival;
  }
  deliver_at(arrival + late, std::move(frame));
}

void LinkDirection::deliver_at(Instant at, PacketBuffer frame) {
  world_.events().schedule(at, *this, 0, world_.park(std::move(frame)));
}

void LinkDirection::handle_event(Instant now, std::uint32_t /*what*/, std::uint64_t value) {
  PacketBuffer frame = world_.unpark(static_cast<std::uint32_t>(value));
  if (!plugged_) {
    ++counters_.unplugged;
    return;
  }
  ++counters_.delivered;
  to_->handle_arrival(now, to_port_, std::move(frame));
}

Link::Link(World& world, std::uint64_t index)
    : to_far_(world, stream(StreamKind::link, index * 2)),
      to_near_(world, stream(StreamKind::link, index * 2 + 1)) {}

void Link::attach(LinkEnd& near, std::uint16_t near_port, LinkEnd& far, std::uint16_t far_port) {
  to_far_.to_ = &far;
  to_far_.to_port_ = far_port;
  to_near_.to_ = &near;
  to_near_.to_port_ = near_port;
}

void Link::set_quality(const LinkQuality& quality) {
  to_far_.set_quality(quality);
  to_near_.set_quality(quality);
}

void Link::set_plugged(Instant now, bool plugged) {
  if (plugged == to_far_.plugged_) {
    return;
  }
  for (LinkDirection* direction : {&to_far_, &to_near_}) {
    direction->plugged_ = plugged;
    direction->free_at_ = now;
    direction->last_arrival_ = now;
  }
  to_near_.to_->handle_carrier(now, to_near_.to_port_, plugged);
  to_far_.to_->handle_carrier(now, to_far_.to_port_, plugged);
}

}  // namespace aoe::sim
