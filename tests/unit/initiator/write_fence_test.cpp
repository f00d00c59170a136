#include "initiator/write_fence.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr DeviceAddress kDisk{Shelf{7}, Slot{1}};
constexpr DeviceAddress kOther{Shelf{7}, Slot{2}};
constexpr Instant kStart{1'000'000'000};
constexpr Instant kGone = kStart + Duration::seconds(4);

TEST(WriteFence, BlocksOverlapsOfTheSameDiskOnly) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, {Tag{1}, 1, kGone});
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{11}, 1}));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{0}, 100}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{12}, 1}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{9}, 1}));
  EXPECT_FALSE(fence.blocks(kOther, {Lba{11}, 1}));
}

TEST(WriteFence, IsLiftedWhenEveryCopyWasAnswered) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, {Tag{1}, 2, kGone});
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{2}));
  EXPECT_FALSE(fence.on_late_answer(kOther, Tag{1}));
  EXPECT_FALSE(fence.on_late_answer(kDisk, Tag{1}));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{10}, 1}));
  EXPECT_TRUE(fence.on_late_answer(kDisk, Tag{1}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{10}, 1}));
}

TEST(WriteFence, IsLiftedWhenNoCopyCanExist) {
  WriteFence fence(4);
  fence.raise(kDisk, {Lba{10}, 2}, {Tag{1}, 1, kGone});
  EXPECT_EQ(fence.next_expiry(), kGone);
  EXPECT_FALSE(fence.expire(kGone - Duration{1}));
  EXPECT_TRUE(fence.expire(kGone));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{10}, 1}));
  EXPECT_FALSE(fence.next_expiry().has_value());
}

TEST(WriteFence, AFullTableBlocksEverythingInsteadOfForgetting) {
  WriteFence fence(1);
  EXPECT_TRUE(fence.raise(kDisk, {Lba{10}, 2}, {Tag{1}, 1, kGone}));
  EXPECT_FALSE(fence.raise(kDisk, {Lba{50}, 2}, {Tag{2}, 1, kGone + Duration{5}}));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{50}, 1}));
  EXPECT_TRUE(fence.blocks(kOther, {Lba{999}, 1}));
  static_cast<void>(fence.expire(kGone));
  EXPECT_TRUE(fence.blocks(kDisk, {Lba{50}, 1}));
  EXPECT_TRUE(fence.expire(kGone + Duration{5}));
  EXPECT_FALSE(fence.blocks(kDisk, {Lba{50}, 1}));
}

}  // namespace
}  // namespace aoe::initiator
