#include "sim/world/host_clock.h"

#include <gtest/gtest.h>

namespace aoe::sim {
namespace {

constexpr Instant kStart{1'000'000'000};

TEST(HostClock, RunsFastOrSlowByItsDrift) {
  const HostClock fast(kStart, 200);
  EXPECT_EQ(fast.local(kStart + Duration::seconds(10)) - kStart,
            Duration::seconds(10) + Duration::milliseconds(2));
  const HostClock slow(kStart, -200);
  EXPECT_EQ(slow.local(kStart + Duration::seconds(10)) - kStart,
            Duration::seconds(10) - Duration::milliseconds(2));
}

TEST(HostClock, NeverShowsATimerTooEarlyWhenItsTrueTimeHasCome) {
  for (const std::int32_t drift : {-50'000, -333, 0, 1, 777, 50'000}) {
    const HostClock clock(kStart, drift);
    for (std::int64_t ns = 1; ns < 100'000'000'000; ns = ns * 3 + 1) {
      const Instant wanted = kStart + Duration::nanoseconds(ns);
      const Instant at = clock.true_time(wanted);
      EXPECT_GE(clock.local(at), wanted);
      EXPECT_LE(clock.local(at) - wanted, Duration::nanoseconds(3)) << drift << ' ' << ns;
    }
  }
}

TEST(HostClock, DoesNotGoBackWhenItsRateChanges) {
  HostClock clock(kStart, 50'000);
  const Instant later = kStart + Duration::seconds(100);
  const Instant shown = clock.local(later);
  clock.set_drift(later, -50'000);
  EXPECT_EQ(clock.local(later), shown);
  EXPECT_LT(clock.local(later + Duration::seconds(1)), shown + Duration::seconds(1));
}

}  // namespace
}  // namespace aoe::sim
