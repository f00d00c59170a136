#include "storage/completion_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace aoe::storage {
namespace {

constexpr std::size_t kInFlightMax = 100;

void push(CompletionQueue& queue, std::uint32_t tag) {
  queue.push({.tag = StoreTag{tag}});
}

TEST(CompletionQueue, KeepsTheOrderWhileItGrows) {
  CompletionQueue queue(kInFlightMax);
  std::array<StoreCompletion, 5> out;
  std::uint32_t pushed = 0;
  std::uint32_t taken = 0;
  // Two more than are taken each time: the oldest lies in the middle of the memory when that ends.
  while (queue.size() + 7 <= kInFlightMax) {
    for (int i = 0; i < 7; ++i) {
      push(queue, pushed++);
    }
    const std::size_t count = queue.take(out);
    ASSERT_EQ(count, out.size());
    for (const StoreCompletion& done : out) {
      ASSERT_EQ(done.tag.value, taken++);
    }
  }
  EXPECT_GT(queue.size(), 90U);
  while (queue.take(std::span(out).first(1)) == 1) {
    ASSERT_EQ(out[0].tag.value, taken++);
  }
  EXPECT_EQ(taken, pushed);
}

TEST(CompletionQueue, HoldsAllThatMayBeInFlight) {
  CompletionQueue queue(kInFlightMax);
  for (std::uint32_t i = 0; i < kInFlightMax; ++i) {
    push(queue, i);
  }
  EXPECT_EQ(queue.size(), kInFlightMax);
}

TEST(CompletionQueueDeathTest, MoreThanAreInFlightAreABug) {
  CompletionQueue queue(kInFlightMax);
  for (std::uint32_t i = 0; i < kInFlightMax; ++i) {
    push(queue, i);
  }
  EXPECT_DEATH(push(queue, 0), "completes once");
}

}  // namespace
}  // namespace aoe::storage
