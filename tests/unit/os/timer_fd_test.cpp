#include "os/timer_fd.h"

#include "os/clock.h"

#include <gtest/gtest.h>

#include <poll.h>

namespace aoe::os {
namespace {

bool readable(const TimerFd& timer, int timeout_ms) {
  pollfd ready{timer.fd(), POLLIN, 0};
  return ::poll(&ready, 1, timeout_ms) == 1;
}

TEST(TimerFd, IsReadableFromItsInstantUntilDrained) {
  const auto timer = TimerFd::open();
  ASSERT_TRUE(timer);
  EXPECT_FALSE(readable(*timer, 0));
  const Instant when = monotonic_now() + Duration::milliseconds(5);
  timer->arm(when);
  EXPECT_TRUE(readable(*timer, -1));
  EXPECT_GE(monotonic_now(), when);
  timer->drain();
  EXPECT_FALSE(readable(*timer, 0));
  timer->drain();
}

TEST(TimerFd, APastInstantIsNowAndALaterOneReplacesIt) {
  const auto timer = TimerFd::open();
  ASSERT_TRUE(timer);
  timer->arm(Instant{});
  EXPECT_TRUE(readable(*timer, -1));
  timer->arm(monotonic_now() + Duration::seconds(3600));
  EXPECT_FALSE(readable(*timer, 0));
}

}  // namespace
}  // namespace aoe::os
