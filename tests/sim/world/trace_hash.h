// One number for everything that happened in a run.
#pragma once

#include <bit>
#include <cstdint>

namespace aoe::sim {

// Two runs whose sequences of mixed words are equal have equal hashes; others differ but for chance
// (64 bits). Integers only: the same on every compiler and machine.
class TraceHash {
 public:
  void mix(std::uint64_t word) {
    state_ = std::rotl((state_ ^ word) * 0x9FB21C651E98DF25ULL, 29) + 0xD6E8FEB86659FD93ULL;
  }

  [[nodiscard]] std::uint64_t value() const { return (state_ ^ state_ >> 32U) * kFinal; }

 private:
  static constexpr std::uint64_t kFinal = 0x9E3779B97F4A7C15ULL;

  std::uint64_t state_ = 0;
};

}  // namespace aoe::sim
