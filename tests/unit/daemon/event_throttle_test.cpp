#include "daemon/event_throttle.h"

#include <gtest/gtest.h>

namespace aoe::daemon {
namespace {

constexpr std::uint32_t kRefused = 3;
constexpr std::uint32_t kMaskChanged = 4;

EventThrottle::Key refused(std::uint16_t shelf) {
  return {{Shelf{shelf}, Slot{1}}, kRefused};
}

TEST(EventThrottle, AFloodIsReportedAFewTimesAndThenCounted) {
  EventThrottle throttle({.events_max = 2, .window = Duration::seconds(60)});
  Instant now{1'000'000'000};
  EXPECT_EQ(throttle.admit(now, refused(7)), 0U);
  EXPECT_EQ(throttle.admit(now, refused(7)), 0U);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(throttle.admit(now, refused(7)), std::nullopt);
  }
  now = now + Duration::seconds(60);
  EXPECT_EQ(throttle.admit(now, refused(7)), 1000U) << "says how many were left out";
  EXPECT_EQ(throttle.admit(now, refused(7)), 0U);
}

TEST(EventThrottle, AddressesAndKindsDoNotSilenceEachOther) {
  EventThrottle throttle({.events_max = 1, .window = Duration::seconds(60)});
  const Instant now{1'000'000'000};
  EXPECT_TRUE(throttle.admit(now, refused(7)));
  EXPECT_FALSE(throttle.admit(now, refused(7)));
  EXPECT_TRUE(throttle.admit(now, refused(8)));
  EventThrottle::Key other = refused(7);
  other.kind = kMaskChanged;
  EXPECT_TRUE(throttle.admit(now, other));
}

}  // namespace
}  // namespace aoe::daemon
