#include "initiator/retransmission_log.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000};
constexpr DeviceId kDevice{3};
constexpr Tag kTag{0x1234};

RetransmissionLog with_entry() {
  RetransmissionLog log;
  log.note({.tag = kTag,
            .device = kDevice,
            .path = 1,
            .age = Duration::milliseconds(120),
            .apart = Duration::milliseconds(100),
            .answered = kStart});
  return log;
}

TEST(RetransmissionLog, ASecondAnswerAsLateAsTheCopiesWereApartSaysThatBothArrived) {
  RetransmissionLog log = with_entry();
  const auto entry = log.take(kStart + Duration::milliseconds(90), kDevice, kTag);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->path, 1U);
  EXPECT_EQ(entry->age, Duration::milliseconds(120));
  EXPECT_FALSE(log.take(kStart + Duration::milliseconds(90), kDevice, kTag).has_value()) << "once";
}

TEST(RetransmissionLog, ASecondAnswerThatComesAtOnceIsADuplicateOfTheNetwork) {
  RetransmissionLog log = with_entry();
  EXPECT_FALSE(log.take(kStart + Duration::milliseconds(10), kDevice, kTag).has_value());
}

TEST(RetransmissionLog, OtherTagsAndDevicesAreNotMeant) {
  RetransmissionLog log = with_entry();
  const Instant now = kStart + Duration::milliseconds(90);
  EXPECT_FALSE(log.take(now, kDevice, Tag{kTag.value + 256}).has_value());
  EXPECT_FALSE(log.take(now, DeviceId{4}, kTag).has_value());
  log.forget(kDevice);
  EXPECT_FALSE(log.take(now, kDevice, kTag).has_value());
}

}  // namespace
}  // namespace aoe::initiator
