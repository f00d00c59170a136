// Memory on its way to the processor while something else is done.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe {

inline constexpr std::size_t kCacheLineBytes = 64;

// The line of the cache that holds `at`; any address will do, and nothing is touched.
inline void prefetch_line(const void* at) {
  __builtin_prefetch(at);
  // To gcc 12 a function that does no more than fetch has no effect, and calls of it are left out.
  asm("");
}

inline void prefetch_object(const void* object, std::size_t size_bytes) {
  const auto* const first = static_cast<const std::byte*>(object);
  for (std::size_t at = 0; at < size_bytes; at += kCacheLineBytes) {
    prefetch_line(first + at);
  }
}

// The first KiB of [at, at + length_bytes), as far as `memory` reaches: how it goes on the
// processor sees by itself.
inline void prefetch_bytes(std::span<const std::byte> memory, std::uint64_t at,
                           std::uint64_t length_bytes) {
  constexpr std::uint64_t kBytesMax = 16 * kCacheLineBytes;
  if (at < memory.size()) {
    prefetch_object(memory.data() + at, std::min({length_bytes, memory.size() - at, kBytesMax}));
  }
}

}  // namespace aoe
