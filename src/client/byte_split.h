// A range of bytes, cut at the borders of sectors.
#pragma once

#include "base/ids.h"

#include <cstddef>
#include <cstdint>

namespace aoe::client {

// The part of one sector that a range covers without covering all of it.
struct SectorEdge {
  Lba lba{};
  std::size_t begin = 0;          // first byte inside the sector
  std::size_t bytes = 0;          // 0: there is no such edge
  std::uint64_t range_begin = 0;  // where that byte is inside the range

  friend bool operator==(const SectorEdge&, const SectorEdge&) = default;
};

struct SectorRun {
  Lba lba{};
  std::uint64_t sectors = 0;
  std::uint64_t range_begin = 0;

  friend bool operator==(const SectorRun&, const SectorRun&) = default;
};

// In this order: head, middle, tail. A range inside one sector has a head only.
struct ByteSplit {
  SectorEdge head;
  SectorRun middle;
  SectorEdge tail;

  [[nodiscard]] bool is_aligned() const { return head.bytes == 0 && tail.bytes == 0; }

  friend bool operator==(const ByteSplit&, const ByteSplit&) = default;
};

// offset + bytes must not exceed 2^64 - 1.
[[nodiscard]] ByteSplit split_bytes(std::uint64_t offset, std::uint64_t bytes);

}  // namespace aoe::client
