#include "base/fixed_stack.h"

#include <gtest/gtest.h>

namespace aoe {
namespace {

TEST(FixedStack, GivesBackWhatCameLast) {
  FixedStack<int> stack(2);
  EXPECT_TRUE(stack.empty());
  stack.push(1);
  stack.push(2);
  EXPECT_EQ(stack.size(), 2U);
  EXPECT_EQ(stack.pop(), 2);
  EXPECT_EQ(stack.pop(), 1);
  EXPECT_TRUE(stack.empty());
}

TEST(FixedStackDeathTest, ItsBoundsAreChecked) {
  FixedStack<int> stack(1);
  EXPECT_DEATH((void)stack.pop(), "pop of an empty stack");
  stack.push(1);
  EXPECT_DEATH(stack.push(2), "an element of this array");
}

}  // namespace
}  // namespace aoe
