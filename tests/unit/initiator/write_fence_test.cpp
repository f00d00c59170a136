#include "initiator/write_fence.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr DeviceAddress kDisk{Shelf{7}, Slot{1}};
constexpr DeviceAddress kOther{Shelf{7}, Slot{2}};
constexpr Instant kStart{1'000'000'000};
constexpr Instant kGone = kStart + Duration::seconds(4);

using Copies = WriteFence::Copies;

Copies copies(Tag tag, std::uint32_t paths, Instant gone = kGone) {
  return {.tag = tag, .open_paths = paths, .can_settle = true, .gone = gone};
}

TEST(WriteFence, BlocksOverlapsOfTheSameDiskOnly) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, copies(Tag{1}, 0b1));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{11}, 1}));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{0}, 100}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{12}, 1}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{9}, 1}));
  EXPECT_FALSE(fence.blocks(kOther, {Lba{11}, 1}));
}

TEST(WriteFence, IsLiftedWhenAnAnswerCameByEveryPath) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, copies(Tag{1}, 0b101));
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{2}, 0));
  EXPECT_FALSE(fence.on_late_answer(kOther, Tag{1}, 0));
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{1}, 0));
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{1}, 0)) << "the network duplicated an answer";
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{10}, 1}));
  EXPECT_TRUE(fence.on_late_answer(kDisk, Tag{1}, 2));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{10}, 1}));
}

TEST(WriteFence, OnlyTimeLiftsWhatAnswersCannotTellApart) {
  WriteFence fence(4);
  Copies two_over_one_path = copies(Tag{1}, 0b1);
  two_over_one_path.can_settle = false;
  fence.raise(kDisk, {Lba{10}, 2}, two_over_one_path);
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{1}, 0));
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{1}, 0));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{10}, 1}));
  EXPECT_TRUE(fence.expire(kGone));
}

TEST(WriteFence, OneAnswerLiftsEveryRangeOfAFrame) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, copies(Tag{1}, 0b1));
  fence.raise(kDisk, {Lba{90}, 2}, copies(Tag{1}, 0b1));
  fence.raise(kDisk, {Lba{50}, 2}, copies(Tag{2}, 0b1));
  EXPECT_TRUE(fence.on_late_answer(kDisk, Tag{1}, 0));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{10}, 1}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{90}, 1}));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{50}, 1}));
}

TEST(WriteFence, AClosedDeviceLeavesFencesThatOnlyTimeLifts) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, copies(Tag{1}, 0b1));
  fence.raise(kOther, {Lba{10}, 2}, copies(Tag{2}, 0b1));
  fence.forget_paths(kDisk);
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{1}, 0)) << "path 0 is another one now";
  EXPECT_TRUE(fence.on_late_answer(kOther, Tag{2}, 0));
}

TEST(WriteFence, IsLiftedWhenNoCopyCanExist) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, copies(Tag{1}, 0b1));
  EXPECT_EQ(fence.next_expiry(), kGone);
  EXPECT_FALSE(fence.expire(kGone - Duration{1}));
  EXPECT_TRUE(fence.expire(kGone));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{10}, 1}));
  EXPECT_FALSE(fence.next_expiry().has_value());
}

TEST(WriteFence, AFullTableBlocksEverythingInsteadOfForgetting) {
  WriteFence fence(1);
  EXPECT_TRUE(fence.raise(kDisk, {Lba{10}, 2}, copies(Tag{1}, 0b1)));
  EXPECT_FALSE(fence.raise(kDisk, {Lba{50}, 2}, copies(Tag{2}, 0b1, kGone + Duration{5})));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{50}, 1}));
  EXPECT_TRUE(fence.blocks(kOther, {Lba{999}, 1}));
  static_cast<void>(fence.expire(kGone));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{50}, 1}));
  EXPECT_TRUE(fence.expire(kGone + Duration{5}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{50}, 1}));
}

}  // namespace
}  // namespace aoe::initiator
