// A hash that stays the same in every version: for numbers that are kept or told to others.
#pragma once

#include <cstdint>
#include <string_view>

namespace aoe {

inline constexpr std::uint64_t kFnv1aBasis = 0xCBF29CE484222325ULL;

// FNV-1a of 64 bits. No secret, no defence against somebody who looks for collisions. `hash`: what
// an earlier call gave, to go on with.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text,
                                            std::uint64_t hash = kFnv1aBasis) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return hash;
}

}  // namespace aoe
