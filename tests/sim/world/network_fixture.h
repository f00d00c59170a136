// A station that keeps what it hears, for the tests of the world.
#pragma once

#include "base/bytes.h"
#include "base/mac_address.h"
#include "sim/world/link.h"
#include "sim/world/world.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace aoe::sim {

struct Heard {
  Instant at;
  std::uint16_t port = 0;
  std::vector<std::byte> bytes;

  // The number that numbered_frame() put in.
  [[nodiscard]] std::uint32_t number() const { return load_be32(bytes, 16); }
};

class Ear final : public LinkEnd {
 public:
  void handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) override {
    const ConstByteSpan bytes = std::as_const(frame).bytes();
    heard.push_back({now, port, {bytes.begin(), bytes.end()}});
  }

  void handle_carrier(Instant /*now*/, std::uint16_t port, bool up) override {
    carrier.emplace_back(port, up);
  }

  std::vector<Heard> heard;
  std::vector<std::pair<std::uint16_t, bool>> carrier;
};

constexpr MacAddress station_mac(std::uint8_t number) {
  return {{0x02, 0, 0, 0, 0, number}};
}

inline PacketBuffer numbered_frame(World& world, std::uint32_t number, std::size_t size_bytes = 60,
                                   const MacAddress& from = station_mac(1),
                                   const MacAddress& to = station_mac(2)) {
  std::vector<std::byte> bytes(size_bytes);
  store_mac(bytes, 0, to);
  store_mac(bytes, 6, from);
  store_be16(bytes, 12, 0x88A2);
  store_be32(bytes, 16, number);
  return world.copy_frame(bytes);
}

}  // namespace aoe::sim
