// Instants and durations of the monotonic clock, as plain values.
//
// Pure code is told what time it is and never asks. Only os/clock.h reads a clock; the simulator
// makes the instants up.
#pragma once

#include <compare>
#include <cstdint>

namespace aoe {

struct Duration {
  std::int64_t ns = 0;

  static constexpr Duration nanoseconds(std::int64_t n) { return {n}; }

  static constexpr Duration microseconds(std::int64_t n) { return {n * 1'000}; }

  static constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000'000}; }

  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000'000}; }

  friend constexpr auto operator<=>(const Duration&, const Duration&) = default;

  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }

  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }

  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.ns * n}; }

  friend constexpr Duration operator/(Duration a, std::int64_t n) { return {a.ns / n}; }
};

// Nanoseconds since an arbitrary origin that is not 0 in any real run, so that a value-initialised
// Instant reads as "never".
struct Instant {
  std::int64_t ns = 0;

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;

  friend constexpr Instant operator+(Instant t, Duration d) { return {t.ns + d.ns}; }

  friend constexpr Instant operator-(Instant t, Duration d) { return {t.ns - d.ns}; }

  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

}  // namespace aoe
