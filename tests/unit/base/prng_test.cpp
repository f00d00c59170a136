#include "base/prng.h"

#include <gtest/gtest.h>

namespace aoe {
namespace {

TEST(Prng, SameSeedGivesTheSameSequence) {
  Prng a(42);
  Prng b(42);
  Prng c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs = differs || value != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Prng, BelowStaysBelowAndReachesEveryValue) {
  Prng prng(1);
  unsigned seen = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = prng.below(5);
    ASSERT_LT(value, 5U);
    seen |= 1U << value;
  }
  EXPECT_EQ(seen, 0b11111U);
  EXPECT_EQ(prng.below(0), 0U);
}

}  // namespace
}  // namespace aoe
