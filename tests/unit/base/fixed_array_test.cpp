#include "base/fixed_array.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
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

TEST(FixedArray, SharesNoLineOfTheCacheWithAnother) {
  constexpr std::size_t kLineBytes = 64;
  const FixedArray<char> first(1);
  const FixedArray<char> second(1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first.data()) % kLineBytes, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second.data()) % kLineBytes, 0U);
}

TEST(FixedArray, EndsItsElementsWithItself) {
  const auto counted = std::make_shared<int>(0);
  {
    FixedArray<std::shared_ptr<int>> holders(3, counted);
    EXPECT_EQ(counted.use_count(), 4);
    const FixedArray<std::shared_ptr<int>> moved = std::move(holders);
    EXPECT_EQ(counted.use_count(), 4);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(FixedArrayDeathTest, AnElementBehindItsEndIsNotTouched) {
  FixedArray<int> numbers(4);
  EXPECT_DEATH(numbers[4] = 1, "an element of this array");
  EXPECT_DEATH((void)FixedArray<int>(0)[0], "an element of this array");
}

}  // namespace
}  // namespace aoe
