// An Ethernet address as a value.
#pragma once

#include "base/octets.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe {

struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }

  // Group addresses (multicast and broadcast) have bit 0 of the first octet set (IEEE 802 8.2).
  [[nodiscard]] constexpr bool is_group() const { return (octets[0] & 1U) != 0; }

  [[nodiscard]] constexpr bool is_zero() const { return key() == 0; }

  // A number that no other address has, for tables; the order of numbers is not that of addresses.
  [[nodiscard]] constexpr std::uint64_t key() const { return from_le48(octets); }

  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

  // In registers: every frame is compared with several, and what is made by default calls a
  // function.
  friend constexpr bool operator==(const MacAddress& a, const MacAddress& b) {
    return a.key() == b.key();
  }
};

// "02:00:00:00:0a:10"
[[nodiscard]] std::string to_string(const MacAddress& mac);

// "020000000a10", the driver's form (%pm).
[[nodiscard]] std::string to_bare_string(const MacAddress& mac);

// Accepts six two-digit hex octets separated by ':' or '-', or twelve hex digits; either case.
[[nodiscard]] std::optional<MacAddress> parse_mac_address(std::string_view text);

}  // namespace aoe
