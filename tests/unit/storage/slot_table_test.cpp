#include "storage/slot_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

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

TEST(SlotTable, RecordsStayWhereTheyAreAsMoreAreMade) {
  constexpr std::size_t kCapacity = 100;
  SlotTable<std::size_t> table(kCapacity);
  std::vector<SlotHandle> handles;
  std::vector<const std::size_t*> places;
  for (std::size_t i = 0; i < kCapacity; ++i) {
    handles.push_back(table.acquire());
    table.at(handles.back()) = i;
    places.push_back(&table.at(handles.back()));
  }
  EXPECT_EQ(table.used(), kCapacity);
  for (std::size_t i = 0; i < kCapacity; ++i) {
    EXPECT_EQ(table.find(handles[i]), places[i]);
    EXPECT_EQ(*places[i], i);
  }
}

TEST(SlotTable, TakesTheSameMemoryForWhatIsUsedAgain) {
  SlotTable<int> table(100);
  const SlotHandle first = table.acquire();
  const int* const place = &table.at(first);
  table.release(first);
  for (int i = 0; i < 1000; ++i) {
    const SlotHandle next = table.acquire();
    EXPECT_EQ(&table.at(next), place);
    table.release(next);
  }
}

TEST(SlotTableDeathTest, AcquiringBeyondACapacityOfManyStops) {
  constexpr int kCapacity = 20;
  SlotTable<int> table(kCapacity);
  for (int i = 0; i < kCapacity; ++i) {
    (void)table.acquire();
  }
  EXPECT_DEATH((void)table.acquire(), "bounded by the submitter");
}

TEST(SlotTableDeathTest, AcquiringBeyondTheCapacityStops) {
  SlotTable<int> table(1);
  (void)table.acquire();
  EXPECT_DEATH((void)table.acquire(), "bounded by the submitter");
}

}  // namespace
}  // namespace aoe::storage
