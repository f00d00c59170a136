#include "targetd/serving_record.h"

#include <gtest/gtest.h>

namespace aoe::targetd {
namespace {

constexpr Duration kLife = Duration::seconds(1);
const os::BootIdentity kHere{.machine = "m1", .boot = "b1"};
const os::BootIdentity kNextBoot{.machine = "m1", .boot = "b2"};
const os::BootIdentity kElsewhere{.machine = "m2", .boot = "b3"};

Instant seconds(std::int64_t n) {
  return Instant{} + Duration::seconds(n);
}

HoldQuestion after(const os::BootIdentity& where, std::optional<Instant> stopped) {
  return {.earlier = EarlierService::recorded,
          .record = {.where = kHere, .stopped = stopped},
          .where = where,
          .now = seconds(100),
          .frame_life = kLife};
}

TEST(PlainWriteHold, ANewExportHasNoOldFrames) {
  EXPECT_EQ(plain_write_hold({.earlier = EarlierService::none,
                              .record = {},
                              .where = kHere,
                              .now = seconds(100),
                              .frame_life = kLife}),
            Duration{});
}

TEST(PlainWriteHold, AfterACleanStopOnlyTheRestOfALifeIsHeld) {
  EXPECT_EQ(plain_write_hold(after(kHere, seconds(99))), Duration{});
  EXPECT_EQ(plain_write_hold(after(kHere, seconds(50))), Duration{});
  EXPECT_EQ(plain_write_hold(after(kHere, Instant{99'700'000'000})), Duration::milliseconds(700));
  EXPECT_EQ(plain_write_hold(after(kHere, seconds(100))), kLife);
}

TEST(PlainWriteHold, AfterACrashAWholeLifeIsHeld) {
  EXPECT_EQ(plain_write_hold(after(kHere, std::nullopt)), kLife);
}

TEST(PlainWriteHold, AfterARebootFramesAreGoneWhenTheMachineIsUpForALife) {
  EXPECT_EQ(plain_write_hold(after(kNextBoot, std::nullopt)), Duration{});
  EXPECT_EQ(plain_write_hold(after(kNextBoot, seconds(99'999))), Duration{});
  HoldQuestion quick = after(kNextBoot, std::nullopt);
  quick.now = Instant{} + Duration::milliseconds(400);
  EXPECT_EQ(plain_write_hold(quick), Duration::milliseconds(600));
}

TEST(PlainWriteHold, WhatIsNotKnownIsHeldForAWholeLife) {
  HoldQuestion unknown = after(kHere, seconds(1));
  unknown.earlier = EarlierService::unknown;
  EXPECT_EQ(plain_write_hold(unknown), kLife);
  EXPECT_EQ(plain_write_hold(after(kElsewhere, seconds(1))), kLife) << "another machine";
  EXPECT_EQ(plain_write_hold(after({}, seconds(1))), kLife) << "a system that says nothing";
  HoldQuestion nameless = after({}, seconds(1));
  nameless.record.where = {};
  EXPECT_EQ(plain_write_hold(nameless), kLife);
  EXPECT_EQ(plain_write_hold(after(kHere, seconds(101))), kLife) << "a stop in the future";
}

TEST(PlainWriteHold, WithoutAFrameLifeNothingIsHeld) {
  HoldQuestion crash = after(kHere, std::nullopt);
  crash.frame_life = Duration{};
  EXPECT_EQ(plain_write_hold(crash), Duration{});
}

TEST(ServingRecord, ComesBackAsItWasWritten) {
  for (const std::optional<Instant> stopped : {std::optional<Instant>{}, {Instant{123456789}}}) {
    const ServingRecord record{.where = kHere, .stopped = stopped};
    const auto read = ServingRecord::decode(as_byte_span(record.encode()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->where, kHere);
    EXPECT_EQ(read->stopped, stopped);
  }
  const auto nameless = ServingRecord::decode(as_byte_span(ServingRecord{}.encode()));
  ASSERT_TRUE(nameless);
  EXPECT_EQ(nameless->where, os::BootIdentity{});
}

TEST(ServingRecord, EveryTruncationAndEveryOtherTextIsNone) {
  const std::string text = ServingRecord{.where = kHere, .stopped = Instant{5}}.encode();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ServingRecord::decode(as_byte_span(text.substr(0, length)))) << length;
  }
  EXPECT_FALSE(ServingRecord::decode(as_byte_span(text + "x")));
  EXPECT_FALSE(ServingRecord::decode(as_byte_span(
      "aoekit serving record 1\nmachine a\nboot b\nstopped 99999999999999999999\nend \n")));
  EXPECT_FALSE(ServingRecord::decode(
      as_byte_span("aoekit serving record 1\nmachine a\nboot b\nstopped -1\nend \n")));
  EXPECT_FALSE(ServingRecord::decode(
      as_byte_span("aoekit serving record 2\nmachine a\nboot b\nstopped no\nend \n")));
}

}  // namespace
}  // namespace aoe::targetd
