#include "libaoe/settings.h"

#include <gtest/gtest.h>

namespace aoe::libaoe {
namespace {

TEST(PreferredBlock, IsAPowerOfTwoThatAFrameCarriesOrTheDisksBlock) {
  EXPECT_EQ(preferred_block(1024, 512), 1024U);
  EXPECT_EQ(preferred_block(8704, 512), 8192U);
  EXPECT_EQ(preferred_block(1024, 4096), 4096U);
  EXPECT_EQ(preferred_block(0, 512), 512U);  // no path at the moment
}

TEST(CheckPayload, TakesMultiplesOfASectorThatAFrameCanCount) {
  EXPECT_EQ(*check_payload(0), 0U);
  EXPECT_EQ(*check_payload(130560), 130560U);
  EXPECT_FALSE(check_payload(131072));
  EXPECT_FALSE(check_payload(1000));
}

}  // namespace
}  // namespace aoe::libaoe
