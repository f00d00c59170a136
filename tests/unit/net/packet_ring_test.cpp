#include "net/packet_ring.h"

#include <gtest/gtest.h>

namespace aoe::net {
namespace {

TEST(RingShape, EveryMtuFitsAndAtaDataIsAligned) {
  for (std::size_t mtu = 60; mtu <= 65535; mtu += 25) {
    const RingShape shape = make_ring_shape({.frame_bytes = mtu + 14});
    EXPECT_GE(shape.frame_bytes_max(), mtu + 14);
    EXPECT_EQ((shape.frame_at + 36) % 512, 0U);
    EXPECT_EQ(shape.slot_bytes & (shape.slot_bytes - 1), 0U);
    EXPECT_GE(shape.ring_bytes(), std::size_t{4} << 20U);
    EXPECT_LE(shape.ring_bytes(), std::size_t{64} << 20U);
    EXPECT_GE(shape.slot_count, 512U);
  }
}

TEST(RingShape, SlotsAreTheSmallestThatFit) {
  EXPECT_EQ(make_ring_shape({.frame_bytes = 1514}).slot_bytes, 2048U);
  EXPECT_EQ(make_ring_shape({.frame_bytes = 9014}).slot_bytes, 16384U);
  EXPECT_EQ(make_ring_shape({.frame_bytes = 65549}).slot_bytes, 131072U);
}

// More would be in no cache, and fewer would not hold what arrives in a millisecond or two.
TEST(RingShape, SlotsAreNotMoreThanHoldABurst) {
  EXPECT_EQ(make_ring_shape({.frame_bytes = 1514}).slot_count, 2048U);
  EXPECT_EQ(make_ring_shape({.frame_bytes = 9014}).slot_count, 512U);
  EXPECT_EQ(make_ring_shape({.frame_bytes = 65549}).slot_count, 512U);
}

TEST(RingShape, JumboFramesGetPageAlignedData) {
  EXPECT_EQ((make_ring_shape({.frame_bytes = 9014}).frame_at + 36) % 4096, 0U);
  EXPECT_EQ((make_ring_shape({.frame_bytes = 65549}).frame_at + 36) % 4096, 0U);
}

TEST(RingShape, BudgetIsKeptButNeverBelowEightSlots) {
  EXPECT_EQ(make_ring_shape({.frame_bytes = 1514, .ring_bytes = 100'000}).slot_count, 32U);
  EXPECT_EQ(make_ring_shape({.frame_bytes = 9014, .ring_bytes = 1}).slot_count, 8U);
}

}  // namespace
}  // namespace aoe::net
