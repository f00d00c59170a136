#include "sim/actors/station.h"

#include <utility>

namespace aoe::sim {
namespace {

constexpr std::size_t kRingFrames = 1024;
constexpr std::size_t kHeaderWordsAt = 16;  // shelf, slot, command, tag
constexpr std::size_t kDataAt = 36;

}  // namespace

Station::Station(World& world, std::int32_t drift_ppm)
    : world_(world), clock_(world.now(), drift_ppm), ring_(kRingFrames) {}

PortId Station::add_port(const MacAddress& mac, std::size_t mtu_bytes, Link& link,
                         EthernetSwitch& to) {
  const PortId id{static_cast<std::uint8_t>(ports_.size())};
  ports_.push_back({.mac = mac, .mtu_bytes = mtu_bytes, .link = &link});
  to.attach(link, *this, id.value);
  return id;
}

PortInfo Station::port_info(PortId id) const {
  const Port& port = ports_[id.value];
  return {.mac = port.mac, .mtu_bytes = port.mtu_bytes, .link_up = port.carrier && port.enabled};
}

void Station::set_port_mtu(PortId port, std::size_t mtu_bytes) {
  ports_[port.value].mtu_bytes = mtu_bytes;
  port_changed(ports_[port.value]);
}

void Station::set_port_enabled(PortId port, bool enabled) {
  ports_[port.value].enabled = enabled;
  port_changed(ports_[port.value]);
}

void Station::handle_carrier(Instant /*now*/, std::uint16_t port, bool up) {
  ports_[port].carrier = up;
  port_changed(ports_[port]);
}

void Station::port_changed(Port& port) {
  if (runs()) {
    const PortId id{static_cast<std::uint8_t>(&port - ports_.data())};
    on_port(id, port_info(id));
  } else {
    port.changed = true;
  }
}

void Station::handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) {
  const ConstByteSpan bytes = std::as_const(frame).bytes();
  TraceHash& trace = world_.trace();
  trace.mix(static_cast<std::uint64_t>(now.ns));
  if (bytes.size() >= kDataAt) {
    trace.mix(load_le64(bytes, kHeaderWordsAt) ^ bytes.size() << 48U);
  }
  if (bytes.size() >= kDataAt + 8) {
    trace.mix(load_le64(bytes, kDataAt));
  }
  if (!powered_ || !ports_[port].enabled || bytes.size() > ports_[port].mtu_bytes + 14) {
    return;
  }
  const PortId id{static_cast<std::uint8_t>(port)};
  if (!paused_) {
    on_frame(id, std::move(frame));
  } else if (!ring_.try_push({id, std::move(frame)})) {
    ++ring_overflows_;
  }
}

void Station::transmit(PortId id, ConstByteSpan frame) {
  Port& port = ports_[id.value];
  if (!port.enabled || !port.carrier || frame.size() > port.mtu_bytes + 14) {
    return;
  }
  if (PacketBuffer copy = world_.copy_frame(frame)) {
    port.link->to_far().send(world_.now(), std::move(copy));
  }
}

void Station::wake_at(std::optional<Instant> local) {
  wake_wanted_ = local ? std::max(clock_.true_time(*local), world_.now()) : Instant{};
  if (local && (wake_scheduled_ == Instant{} || wake_wanted_ < wake_scheduled_)) {
    wake_scheduled_ = wake_wanted_;
    world_.events().schedule(wake_wanted_, *this, kWake, 0);
  }
}

void Station::pause(Instant until) {
  paused_ = true;
  paused_until_ = std::max(paused_until_, until);
  world_.events().schedule(until, *this, kResume, 0);
}

void Station::wake_up() {
  if (paused_) {
    paused_until_ = world_.now();
    resume();
  }
}

void Station::resume() {
  paused_ = false;
  if (!powered_) {
    return;
  }
  on_resume();
  for (Port& port : ports_) {
    if (std::exchange(port.changed, false)) {
      port_changed(port);
    }
  }
  while (!ring_.empty() && runs()) {
    Waiting waiting = ring_.pop();
    on_frame(waiting.port, std::move(waiting.frame));
  }
  if (runs()) {
    on_wake();
  }
}

void Station::set_powered(bool powered) {
  powered_ = powered;
  wake_wanted_ = {};
  while (!ring_.empty()) {
    ring_.pop();
  }
  for (Port& port : ports_) {
    port.changed = false;
  }
}

void Station::handle_event(Instant now, std::uint32_t what, std::uint64_t value) {
  switch (what) {
    case kWake:
      if (wake_scheduled_ == now) {
        wake_scheduled_ = {};
      }
      if (wake_wanted_ == Instant{} || !runs()) {
        return;
      }
      if (wake_wanted_ <= now) {
        wake_wanted_ = {};
        on_wake();
      } else if (wake_scheduled_ == Instant{}) {
        wake_scheduled_ = wake_wanted_;
        world_.events().schedule(wake_wanted_, *this, kWake, 0);
      }
      return;
    case kResume:
      if (paused_ && now >= paused_until_) {
        resume();
      }
      return;
    default:
      on_own_event(now, what, value);
  }
}

}  // namespace aoe::sim
