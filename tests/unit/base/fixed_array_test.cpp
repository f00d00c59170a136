#include "base/fixed_array.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace aoe {
namespace {

TEST(FixedArray, BeginsWithMadeElements) {
  const FixedArray<int> numbers(3);
  EXPECT_EQ(numbers.size(), 3U);
  EXPECT_EQ(numbers[2], 0);
  FixedArray<std::string> words(2, "word");
  words[1] += "s";
  EXPECT_EQ(words[0] + words[1], "wordwords");
}

TEST(FixedArray, IsWalkedOver) {
  FixedArray<int> numbers(4);
  int next = 1;
  for (int& number : numbers) {
    number = next++;
  }
  int sum = 0;
  for (const int number : std::as_const(numbers)) {
    sum += number;
  }
  EXPECT_EQ(sum, 10);
}

TEST(FixedArrayDeathTest, AnElementBehindItsEndIsNotTouched) {
  FixedArray<int> numbers(4);
  EXPECT_DEATH(numbers[4] = 1, "an element of this array");
  EXPECT_DEATH((void)FixedArray<int>(0)[0], "an element of this array");
}

}  // namespace
}  // namespace aoe
