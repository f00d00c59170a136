#include "frontends/fuse/write_order.h"

#include <gtest/gtest.h>

namespace aoe::fuse {
namespace {

class WriteOrderTest : public ::testing::Test {
 protected:
  WriteOrderTest() : slots(*SlotPool::create(8, 4096)) {}

  // The number of a write of whole sectors, or of parts.
  std::uint32_t write(bool parts) {
    const std::uint32_t slot = *slots.take();
    slots.at(slot).holds_sectors = parts;
    return slot;
  }

  void end(std::uint32_t slot) { order.leave(slots.at(slot)); }

  SlotPool slots;
  WriteOrder order;
};

TEST_F(WriteOrderTest, WholeSectorsGoTogether) {
  EXPECT_TRUE(order.enter(slots, write(false)));
  EXPECT_TRUE(order.enter(slots, write(false)));
  EXPECT_EQ(order.next(slots), std::nullopt);
}

TEST_F(WriteOrderTest, APartOfASectorGoesAlone) {
  const std::uint32_t whole = write(false);
  const std::uint32_t part = write(true);
  const std::uint32_t later = write(false);
  EXPECT_TRUE(order.enter(slots, whole));
  EXPECT_FALSE(order.enter(slots, part));
  EXPECT_FALSE(order.enter(slots, later)) << "first come, first served";
  EXPECT_EQ(order.next(slots), std::nullopt);
  end(whole);
  EXPECT_EQ(order.next(slots), part);
  EXPECT_EQ(order.next(slots), std::nullopt) << "alone";
  end(part);
  EXPECT_EQ(order.next(slots), later);
  EXPECT_EQ(order.next(slots), std::nullopt);
  end(later);
}

TEST_F(WriteOrderTest, ManyWaitInOrder) {
  const std::uint32_t first = write(true);
  EXPECT_TRUE(order.enter(slots, first));
  const std::uint32_t second = write(true);
  const std::uint32_t third = write(true);
  EXPECT_FALSE(order.enter(slots, second));
  EXPECT_FALSE(order.enter(slots, third));
  end(first);
  EXPECT_EQ(order.next(slots), second);
  end(second);
  EXPECT_EQ(order.next(slots), third);
  end(third);
  EXPECT_TRUE(order.enter(slots, write(false)));
}

}  // namespace
}  // namespace aoe::fuse
