// A small deterministic random source for jitter, tag starts and the simulator. Not for secrets.
#pragma once

#include <array>
#include <cstdint>

namespace aoe {

// xoshiro256** by Blackman and Vigna, seeded through splitmix64. The edge seeds it from the OS
// once; pure code receives it and never makes one from a clock.
class Prng {
 public:
  explicit constexpr Prng(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
      z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
      word = z ^ (z >> 31U);
    }
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound); bound 0 gives 0. The bias of the multiply is below 2^-32 for the small
  // bounds used here.
  constexpr std::uint64_t below(std::uint64_t bound) {
    return bound == 0 ? 0 : ((next() >> 32U) * bound) >> 32U;
  }

  // True with probability `numerator` in `denominator`.
  constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

 private:
  static constexpr std::uint64_t rotate(std::uint64_t x, unsigned k) {
    return (x << k) | (x >> (64U - k));
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace aoe
