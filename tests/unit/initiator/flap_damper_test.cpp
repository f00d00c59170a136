#include "initiator/flap_damper.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant at(std::int64_t seconds) {
  return Instant{1'000'000'000} + Duration::seconds(seconds);
}

TEST(FlapDamper, TheFirstLossIsForgiven) {
  FlapDamper damper;
  damper.on_up(at(0));
  damper.on_down(at(1));
  EXPECT_EQ(damper.until(), at(1));
}

TEST(FlapDamper, EachFurtherLossHoldsTwiceAsLongUpToAMinute) {
  FlapDamper damper;
  damper.on_up(at(0));
  damper.on_down(at(1));
  std::int64_t now = 2;
  for (const std::int64_t hold : {1, 2, 4, 8, 16, 32, 60, 60}) {
    damper.on_up(at(now));
    damper.on_down(at(now + 1));
    EXPECT_EQ(damper.until(), at(now + 1 + hold));
    now += 100;
  }
}

TEST(FlapDamper, AMinuteOfServiceMakesUpForEverything) {
  FlapDamper damper;
  damper.on_up(at(0));
  damper.on_down(at(1));
  damper.on_up(at(2));
  damper.on_down(at(3));
  damper.on_up(at(10));
  damper.on_down(at(70));
  EXPECT_EQ(damper.until(), at(70));
  damper.on_up(at(71));
  damper.on_down(at(72));
  EXPECT_EQ(damper.until(), at(73));
}

}  // namespace
}  // namespace aoe::initiator
