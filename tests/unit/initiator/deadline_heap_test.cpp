#include "initiator/deadline_heap.h"

#include "base/prng.h"

#include <gtest/gtest.h>

#include <map>

namespace aoe::initiator {
namespace {

TEST(DeadlineHeap, GivesTheEarliestFirstAndOnlyWhenDue) {
  DeadlineHeap heap(4);
  heap.set(2, Instant{30});
  heap.set(0, Instant{10});
  heap.set(3, Instant{20});
  EXPECT_EQ(heap.earliest(), Instant{10});
  EXPECT_FALSE(heap.pop_due(Instant{9}).has_value());
  EXPECT_EQ(heap.pop_due(Instant{25}), 0U);
  EXPECT_EQ(heap.pop_due(Instant{25}), 3U);
  EXPECT_FALSE(heap.pop_due(Instant{25}).has_value());
  heap.clear(2);
  EXPECT_FALSE(heap.earliest().has_value());
}

TEST(DeadlineHeap, AgreesWithAMapUnderRandomUse) {
  DeadlineHeap heap(50);
  std::map<std::uint32_t, Instant> model;
  Prng random(42);
  for (int i = 0; i < 20'000; ++i) {
    const auto id = static_cast<std::uint32_t>(random.below(50));
    if (random.chance(1, 3)) {
      heap.clear(id);
      model.erase(id);
    } else {
      const Instant deadline{static_cast<std::int64_t>(random.below(1000)) + 1};
      heap.set(id, deadline);
      model[id] = deadline;
    }
    std::optional<Instant> earliest;
    for (const auto& [unused, deadline] : model) {
      earliest = earliest ? std::min(*earliest, deadline) : deadline;
    }
    ASSERT_EQ(heap.earliest(), earliest);
    ASSERT_EQ(heap.deadline(id).has_value(), model.contains(id));
  }
}

}  // namespace
}  // namespace aoe::initiator
