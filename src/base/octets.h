// Six octets as a number, the least significant one first: MAC addresses in tables, LBAs in frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe {

[[nodiscard]] constexpr std::uint64_t from_le48(const std::array<std::uint8_t, 6>& octets) {
  // Compilers read each half at once.
  const std::uint32_t low = octets[0] | std::uint32_t{octets[1]} << 8U |
                            std::uint32_t{octets[2]} << 16U | std::uint32_t{octets[3]} << 24U;
  const std::uint32_t high = octets[4] | std::uint32_t{octets[5]} << 8U;
  return std::uint64_t{high} << 32U | low;
}

// Of `value` the low 48 bits.
[[nodiscard]] constexpr std::array<std::uint8_t, 6> to_le48(std::uint64_t value) {
  std::array<std::uint8_t, 6> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<std::uint8_t>(value >> 8U * i);
  }
  return octets;
}

}  // namespace aoe
