#include "initiator/piece_planner.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::initiator {
namespace {

std::vector<std::uint64_t> pieces(std::uint64_t lba, std::uint64_t sectors, std::uint32_t payload,
                                  std::uint32_t align = 1) {
  std::vector<std::uint64_t> all;
  while (sectors > 0) {
    const std::uint64_t piece = plan_piece({.lba = Lba{lba},
                                            .remaining = sectors,
                                            .payload_sectors = payload,
                                            .align_sectors = align});
    EXPECT_GE(piece, 1U);
    EXPECT_LE(piece, payload);
    all.push_back(piece);
    lba += piece;
    sectors -= piece;
  }
  return all;
}

using Pieces = std::vector<std::uint64_t>;

TEST(PiecePlanner, WhatFitsIsOneFrameWhereverItLies) {
  EXPECT_EQ(pieces(3, 17, 17, 8), Pieces{17});
  EXPECT_EQ(pieces(7, 1, 2), Pieces{1});
}

TEST(PiecePlanner, AnOddRestIsSharedByEvenFrames) {
  EXPECT_EQ(pieces(0, 18, 17), (Pieces{9, 9}));
  EXPECT_EQ(pieces(5, 35, 17), (Pieces{12, 12, 11}));
}

TEST(PiecePlanner, NeverTakesMoreFramesThanNeeded) {
  for (std::uint32_t payload = 1; payload <= 20; ++payload) {
    for (std::uint64_t sectors = 1; sectors <= 300; ++sectors) {
      EXPECT_EQ(pieces(1, sectors, payload).size(), (sectors + payload - 1) / payload);
    }
  }
}

TEST(PiecePlanner, FramesEndOnPhysicalSectorsWhereTheDiskHasLargerOnes) {
  EXPECT_EQ(pieces(0, 128, 17, 8), Pieces(8, 16));
  EXPECT_EQ(pieces(3, 50, 17, 8), (Pieces{13, 16, 16, 5}))
      << "a crooked start is put right at once";
  EXPECT_EQ(pieces(8, 16, 8, 8), (Pieces{8, 8}));
}

TEST(PiecePlanner, FramesSmallerThanAPhysicalSectorIgnoreIt) {
  EXPECT_EQ(pieces(0, 8, 2, 8), Pieces(4, 2));
}

TEST(PiecePlanner, EndsWithAWholeRequestUnlessThatCostsAFrame) {
  const auto plan = [](std::uint64_t remaining, std::uint64_t whole) {
    return plan_piece({.remaining = remaining, .payload_sectors = 17, .whole_requests = whole});
  };
  EXPECT_EQ(plan(24, 16), 16U);
  EXPECT_EQ(plan(24, 8), 8U) << "16 are left: still one frame";
  EXPECT_EQ(plan(34, 16), 17U) << "18 would be left";
}

}  // namespace
}  // namespace aoe::initiator
