// What the sectors of a simulated disk contain: a number that is unique for each write of each
// sector, its place, and a pattern of both over all 512 bytes.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aoe::sim {

// Who wrote, with which of his writes, and which sector of it. 0 is a sector of zeros.
struct SectorValue {
  std::uint64_t raw = 0;

  static constexpr unsigned kIndexBits = 12;
  static constexpr unsigned kOpBits = 36;

  // `writer` 1..65535, counted over the whole run; `op` and `index` from 0.
  [[nodiscard]] static constexpr SectorValue make(std::uint32_t writer, std::uint64_t op,
                                                  std::uint64_t index) {
    return {std::uint64_t{writer} << (kOpBits + kIndexBits) | op << kIndexBits | index};
  }

  [[nodiscard]] constexpr std::uint32_t writer() const {
    return static_cast<std::uint32_t>(raw >> (kOpBits + kIndexBits));
  }

  [[nodiscard]] constexpr std::uint64_t op() const {
    return raw >> kIndexBits & ((std::uint64_t{1} << kOpBits) - 1);
  }

  [[nodiscard]] constexpr bool is_zero() const { return raw == 0; }

  friend constexpr auto operator<=>(const SectorValue&, const SectorValue&) = default;
};

// Where a sector lies: a disk of the simulation and the sector's number.
struct SectorPlace {
  std::uint32_t disk = 0;
  std::uint64_t lba = 0;
};

// Writes all 512 bytes; a zero value fills with zeros.
void fill_sector(ByteSpan sector, SectorValue value, SectorPlace place);

// The value, or nullopt when the bytes are not what any write to that place would have written:
// torn inside, damaged, or another sector's.
[[nodiscard]] std::optional<SectorValue> read_sector(ConstByteSpan sector, SectorPlace place);

// "write 17 of writer 3 (sector 2 of it)", for messages.
[[nodiscard]] std::string to_string(SectorValue value);

// What is wrong with bytes that read_sector() refused.
[[nodiscard]] std::string describe_bad_sector(ConstByteSpan sector, SectorPlace place);

}  // namespace aoe::sim
