#include "base/ring_queue.h"

#include <gtest/gtest.h>

#include <memory>

namespace aoe {
namespace {

TEST(RingQueue, KeepsOrderAcrossTheWrap) {
  RingQueue<int> queue(3);
  for (int round = 0; round < 10; ++round) {
    EXPECT_TRUE(queue.try_push(round * 2));
    EXPECT_TRUE(queue.try_push(round * 2 + 1));
    EXPECT_EQ(queue.pop(), round * 2);
    EXPECT_EQ(queue.pop(), round * 2 + 1);
  }
}

TEST(RingQueue, FullQueueRefusesAndLeavesTheValueWithTheCaller) {
  RingQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto extra = std::make_unique<int>(2);
  const int* const before = extra.get();
  EXPECT_FALSE(queue.try_push(std::move(extra)));
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): refused, not moved
  EXPECT_EQ(extra.get(), before);
}

}  // namespace
}  // namespace aoe
