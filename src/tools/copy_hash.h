// A fast 64-bit hash of a block of data, to notice that it changed. Not against an adversary.
#pragma once

#include "base/bytes.h"

#include <bit>
#include <cstdint>

namespace aoe::tools {

[[nodiscard]] inline std::uint64_t content_hash(ConstByteSpan bytes) {
  // Odd constants with well-mixed bits (the fractional parts of the golden ratio and of sqrt 2).
  constexpr std::uint64_t kMultiplier = 0x9E37'79B9'7F4A'7C15;
  constexpr std::uint64_t kFinal = 0x6A09'E667'F3BC'C909;
  constexpr int kRotate = 29;
  std::uint64_t hash = bytes.size() * kFinal;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    hash = std::rotl((hash ^ load_le64(bytes, at)) * kMultiplier, kRotate);
  }
  for (; at < bytes.size(); ++at) {
    hash = std::rotl((hash ^ load_u8(bytes, at)) * kMultiplier, kRotate);
  }
  hash = (hash ^ hash >> 32U) * kFinal;
  return hash ^ hash >> 29U;
}

[[nodiscard]] inline bool is_all_zero(ConstByteSpan bytes) {
  std::uint64_t seen = 0;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size() && seen == 0; at += 8) {
    seen = load_le64(bytes, at);
  }
  for (; at < bytes.size() && seen == 0; ++at) {
    seen = load_u8(bytes, at);
  }
  return seen == 0;
}

}  // namespace aoe::tools
