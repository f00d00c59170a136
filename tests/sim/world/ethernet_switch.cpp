#include "sim/world/ethernet_switch.h"

#include "base/bytes.h"
#include "base/check.h"

#include <bit>
#include <utility>

namespace aoe::sim {

EthernetSwitch::EthernetSwitch(World& world, const Options& options)
    : world_(world),
      options_(options),
      stations_(std::bit_ceil(std::size_t{options.stations_max} * 2)) {
  outputs_.reserve(options.ports);
}

std::uint16_t EthernetSwitch::add_port(LinkDirection& output) {
  AOE_CHECK(outputs_.size() < options_.ports, "the switch has a port left");
  outputs_.push_back(&output);
  return static_cast<std::uint16_t>(outputs_.size() - 1);
}

void EthernetSwitch::attach(Link& link, LinkEnd& station, std::uint16_t station_port) {
  const std::uint16_t port = add_port(link.to_near());
  link.attach(station, station_port, *this, port);
  link.set_plugged(world_.now(), true);
}

void EthernetSwitch::attach_switch(Link& link, EthernetSwitch& other) {
  const std::uint16_t port = add_port(link.to_near());
  const std::uint16_t other_port = other.add_port(link.to_far());
  link.attach(other, other_port, *this, port);
  link.set_plugged(world_.now(), true);
}

std::size_t EthernetSwitch::place_of(const MacAddress& mac) const {
  std::uint64_t key = 0;
  for (const std::uint8_t octet : mac.octets) {
    key = key << 8U | octet;
  }
  const std::size_t mask = stations_.size() - 1;
  std::size_t place = (key * 0x9E3779B97F4A7C15ULL >> 32U) & mask;
  while (stations_[place].in_use && stations_[place].mac != mac) {
    place = (place + 1) & mask;
  }
  return place;
}

std::uint16_t EthernetSwitch::find(const MacAddress& mac) const {
  const Station& station = stations_[place_of(mac)];
  return station.in_use ? station.port : kUnknown;
}

void EthernetSwitch::learn(const MacAddress& mac, std::uint16_t port) {
  Station& station = stations_[place_of(mac)];
  if (station.in_use) {
    station.port = port;
  } else if (learned_ < options_.stations_max) {
    station = {.mac = mac, .port = port, .in_use = true};
    ++learned_;
  } else {
    ++counters_.not_learned;
  }
}

void EthernetSwitch::forget_port(std::uint16_t port) {
  // Open addressing cannot lose single entries: the others are put in again.
  std::vector<Station> old(stations_.size());
  old.swap(stations_);
  learned_ = 0;
  for (const Station& station : old) {
    if (station.in_use && station.port != port) {
      learn(station.mac, station.port);
    }
  }
}

void EthernetSwitch::handle_carrier(Instant /*now*/, std::uint16_t port, bool up) {
  if (!up) {
    forget_port(port);
  }
}

void EthernetSwitch::handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) {
  const ConstByteSpan bytes = std::as_const(frame).bytes();
  const MacAddress destination = load_mac(bytes, 0);
  const MacAddress source = load_mac(bytes, 6);
  if (!source.is_group()) {
    learn(source, port);
  }
  const std::uint16_t to = destination.is_group() ? kUnknown : find(destination);
  if (to == kUnknown) {
    flood(now, port, std::move(frame));
  } else if (to == port) {
    ++counters_.filtered;
  } else {
    ++counters_.forwarded;
    outputs_[to]->send(now, std::move(frame));
  }
}

void EthernetSwitch::flood(Instant now, std::uint16_t from, PacketBuffer frame) {
  ++counters_.flooded;
  std::uint16_t last = kUnknown;
  for (std::uint16_t port = 0; port < outputs_.size(); ++port) {
    if (port == from) {
      continue;
    }
    if (last != kUnknown) {
      if (PacketBuffer copy = world_.copy_frame(std::as_const(frame).bytes())) {
        outputs_[last]->send(now, std::move(copy));
      }
    }
    last = port;
  }
  if (last != kUnknown) {
    outputs_[last]->send(now, std::move(frame));
  }
}

}  // namespace aoe::sim
