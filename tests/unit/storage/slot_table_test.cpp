#include "storage/slot_table.h"

#include <gtest/gtest.h>

namespace aoe::storage {
namespace {

TEST(SlotTable, ReleasedHandleIsStaleEvenWhenTheSlotIsUsedAgain) {
  SlotTable<int> table(1);
  const SlotHandle first = table.acquire();
  table.at(first) = 7;
  table.release(first);
  EXPECT_EQ(table.find(first), nullptr);
  const SlotHandle second = table.acquire();
  EXPECT_EQ(table.find(first), nullptr);
  ASSERT_NE(table.find(second), nullptr);
  EXPECT_NE(first.value, second.value);
}

TEST(SlotTable, MadeUpHandleFindsNothing) {
  SlotTable<int> table(4);
  EXPECT_EQ(table.find(SlotHandle{3}), nullptr);
  EXPECT_EQ(table.find(SlotHandle{99}), nullptr);
}

TEST(SlotTable, CountsWhatIsUsed) {
  SlotTable<int> table(3);
  const SlotHandle a = table.acquire();
  const SlotHandle b = table.acquire();
  EXPECT_EQ(table.used(), 2U);
  table.release(a);
  table.release(b);
  EXPECT_EQ(table.used(), 0U);
}

TEST(SlotTableDeathTest, AcquiringBeyondTheCapacityStops) {
  SlotTable<int> table(1);
  (void)table.acquire();
  EXPECT_DEATH((void)table.acquire(), "bounded by the submitter");
}

}  // namespace
}  // namespace aoe::storage
