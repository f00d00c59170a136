#include "initiator/shelf_table.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Shelf kShelf{7};
constexpr Shelf kOther{8};

TEST(ShelfTable, SlotsOfOneShelfShareAnEntry) {
  ShelfTable table(3);
  const std::uint32_t first = table.enter(kShelf);
  EXPECT_EQ(table.enter(kShelf), first);
  EXPECT_NE(table.enter(kOther), first);
  EXPECT_EQ(table.at(first).devices, 2U);
}

TEST(ShelfTable, AnEntryNobodyUsesServesAnotherShelf) {
  ShelfTable table(1);
  const std::uint32_t index = table.enter(kShelf);
  table.at(index).in_flight = 0;
  table.at(index).window.set_limit(3);
  table.leave(index);
  const std::uint32_t other = table.enter(kOther);
  EXPECT_EQ(table.at(other).number, kOther);
  EXPECT_EQ(table.at(other).devices, 1U);
  EXPECT_EQ(table.at(other).window.limit(), LossWindow::kNoLimit) << "of the shelf before";
}

TEST(ShelfTable, WhatWasLearnedStaysWhileThereIsRoom) {
  ShelfTable table(2);
  const std::uint32_t index = table.enter(kShelf);
  const Instant now{1'000'000'000};
  static_cast<void>(table.at(index).evidence.judge(
      now, {.typical = Duration::milliseconds(4), .aim = Duration::milliseconds(20)}));
  ASSERT_TRUE(table.at(index).evidence.has_learned());
  table.leave(index);
  EXPECT_EQ(table.enter(kShelf), index);
  EXPECT_TRUE(table.at(index).evidence.has_learned());
}

}  // namespace
}  // namespace aoe::initiator
