// Caps on requests and bytes a second.
#pragma once

#include "base/time.h"

#include <algorithm>
#include <cstdint>

namespace aoe::target {

struct RateCaps {
  std::uint64_t requests_per_second = 0;  // 0: no cap
  std::uint64_t bytes_per_second = 0;     // 0: no cap

  [[nodiscard]] bool any() const { return requests_per_second != 0 || bytes_per_second != 0; }

  friend bool operator==(const RateCaps&, const RateCaps&) = default;
};

// A bucket that remembers the instant at which it is full again: what was used up, as time. Whoever
// finds it full in time may use up to `kBurst` at once, so a cap holds over any second, and to
// within 5 %.
class RateLimit {
 public:
  static constexpr Duration kBurst = Duration::milliseconds(50);

  // When the next request may pass; not later than now: at once.
  [[nodiscard]] Instant ready_at() const { return std::max(requests_, bytes_) - kBurst; }

  // One that has been idle is like a new one.
  [[nodiscard]] bool is_full(Instant now) const { return requests_ <= now && bytes_ <= now; }

  // A request of so many bytes passes, in debt if need be: large ones pass as soon as small ones.
  void spend(Instant now, const RateCaps& caps, std::uint64_t size_bytes) {
    if (caps.requests_per_second != 0) {
      requests_ = std::max(requests_, now) + time_of(1, caps.requests_per_second);
    }
    if (caps.bytes_per_second != 0) {
      bytes_ = std::max(bytes_, now) + time_of(size_bytes, caps.bytes_per_second);
    }
  }

 private:
  // `count` is at most a few GiB.
  static Duration time_of(std::uint64_t count, std::uint64_t per_second) {
    return Duration::nanoseconds(static_cast<std::int64_t>(count * 1'000'000'000 / per_second));
  }

  Instant requests_;
  Instant bytes_;
};

}  // namespace aoe::target
