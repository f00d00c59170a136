#include "targetd/event_throttle.h"

#include <gtest/gtest.h>

namespace aoe::targetd {
namespace {

target::TargetEvent refused(std::uint16_t shelf) {
  target::TargetEvent event;
  event.kind = target::EventKind::admin_refused;
  event.address = {Shelf{shelf}, Slot{1}};
  return event;
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

TEST(EventThrottle, ExportsAndKindsDoNotSilenceEachOther) {
  EventThrottle throttle({.events_max = 1, .window = Duration::seconds(60)});
  const Instant now{1'000'000'000};
  EXPECT_TRUE(throttle.admit(now, refused(7)));
  EXPECT_FALSE(throttle.admit(now, refused(7)));
  EXPECT_TRUE(throttle.admit(now, refused(8)));
  target::TargetEvent other = refused(7);
  other.kind = target::EventKind::mask_changed;
  EXPECT_TRUE(throttle.admit(now, other));
}

}  // namespace
}  // namespace aoe::targetd
