// A learning switch: store and forward, finite queues, no flow control.
#pragma once

#include "base/mac_address.h"
#include "sim/world/link.h"
#include "sim/world/world.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

// Every port is the far end of a link, whose to_near() direction is the port's output queue. Frames
// for stations it does not know, and group addresses, go to every other port.
class EthernetSwitch final : public LinkEnd {
 public:
  struct Options {
    std::uint16_t ports = 0;
    std::uint32_t stations_max = 4096;  // addresses it can learn; more are flooded
  };

  EthernetSwitch(World& world, const Options& options);

  // The near end is whatever hangs on the other side.
  void attach(Link& link, LinkEnd& station, std::uint16_t station_port);
  // A cable to another switch. There must be no loop: nobody here speaks spanning tree.
  void attach_switch(Link& link, EthernetSwitch& other);

  void handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) override;
  void handle_carrier(Instant now, std::uint16_t port, bool up) override;

  struct Counters {
    std::uint64_t forwarded = 0;
    std::uint64_t flooded = 0;
    std::uint64_t filtered = 0;  // for a station on the port it came from
    std::uint64_t not_learned = 0;
  };

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Station {
    MacAddress mac;
    std::uint16_t port = 0;
    bool in_use = false;
  };

  static constexpr std::uint16_t kUnknown = 0xFFFF;

  [[nodiscard]] std::uint16_t add_port(LinkDirection& output);
  [[nodiscard]] std::size_t place_of(const MacAddress& mac) const;
  [[nodiscard]] std::uint16_t find(const MacAddress& mac) const;
  void learn(const MacAddress& mac, std::uint16_t port);
  void forget_port(std::uint16_t port);
  void flood(Instant now, std::uint16_t from, PacketBuffer frame);

  World& world_;
  Options options_;
  std::vector<LinkDirection*> outputs_;
  std::vector<Station> stations_;  // open addressing, a power of two and at most half full
  std::uint32_t learned_ = 0;
  Counters counters_;
};

}  // namespace aoe::sim
