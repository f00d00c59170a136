// How fast a store is, and how many operations it has to have under way to be kept busy.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::target {

// Learns from the operations of one store. By Little's law a store that ends R operations a second,
// each after L seconds when nothing else waits, works on R * L of them at once; with twice that
// many under way it never runs dry, and what is more only waits inside, in whatever order the store
// likes.
//
// R shows by itself while the store is busy. L does not: what waits in the store hides it. So now
// and then, while initiators compete, a few operations have the store to themselves (as BBR probes
// for the round trip time: Cardwell et al., 2016).
class ServiceRate {
 public:
  // The window never falls below this.
  static constexpr std::uint32_t kWindowMin = 8;
  // A store that answers sooner is memory, and nothing waits in it.
  static constexpr Duration kInstant = Duration::microseconds(100);

  // Initiators compete, with so many operations at the store.
  void contended(Instant now);

  // An operation that began at `begun` has ended; so many are left at the store.
  void ended(Instant now, Instant begun, std::uint32_t left);

  // Operations to have under way while initiators compete, at most `limit`.
  [[nodiscard]] std::uint32_t window(std::uint32_t limit) const;

  // Requests to take, at most `limit`: as many as end within `time`, where even the quickest took
  // longer.
  [[nodiscard]] std::uint32_t served_within(Duration time, std::uint32_t limit) const;

  // Operations a second, lately; 0: not known.
  [[nodiscard]] std::uint64_t per_second() const { return per_second_; }

 private:
  static constexpr Duration kNever = Duration::seconds(3600);

  void next_period(Instant now);

  Instant period_begin_;
  std::uint64_t count_ = 0;
  Duration least_ = kNever;  // of all, those included that waited in the store
  Duration least_before_ = kNever;
  std::uint64_t per_second_ = 0;

  Duration latency_ = kNever;  // of operations that had the store to themselves
  Instant probed_;
  bool is_probing_ = false;
  bool is_drained_ = false;
  Instant drained_;
  std::uint32_t samples_ = 0;
  Duration probe_least_ = kNever;
};

}  // namespace aoe::target
