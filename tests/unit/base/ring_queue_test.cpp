#include "base/ring_queue.h"

#include <gtest/gtest.h>

#include <array>
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

TEST(RingQueue, KeepsNothingOfWhatWasTaken) {
  RingQueue<std::shared_ptr<int>> queue(2);
  auto value = std::make_shared<int>(1);
  queue.push(value);
  EXPECT_EQ(value.use_count(), 2);
  EXPECT_EQ(queue.pop(), value);
  EXPECT_EQ(value.use_count(), 1);
}

TEST(RingQueue, ManyAreTakenAtOnceAcrossTheWrap) {
  RingQueue<std::shared_ptr<int>> queue(4);
  auto value = std::make_shared<int>(1);
  queue.push(value);
  queue.push(value);
  EXPECT_EQ(queue.pop(), value);
  for (int i = 2; i <= 4; ++i) {
    queue.push(std::make_shared<int>(i));
  }
  std::array<std::shared_ptr<int>, 3> out;
  ASSERT_EQ(queue.pop_to(out), 3U);
  EXPECT_EQ(*out[0], 1);
  EXPECT_EQ(*out[1], 2);
  EXPECT_EQ(*out[2], 3);
  EXPECT_EQ(queue.size(), 1U);
  out = {};
  EXPECT_EQ(value.use_count(), 1);
  ASSERT_EQ(queue.pop_to(out), 1U);
  EXPECT_EQ(*out[0], 4);
  EXPECT_EQ(queue.pop_to(out), 0U);
}

TEST(RingQueueDeathTest, PushingIntoAFullOneIsAnErrorOfOurOwn) {
  RingQueue<int> queue(1);
  queue.push(1);
  EXPECT_DEATH(queue.push(2), "bound of this queue");
}

}  // namespace
}  // namespace aoe
