// aoe.h as C programs see it.
#include <gtest/gtest.h>

extern "C" int use_aoe_from_c99(void);

namespace {

TEST(PublicHeader, WorksFromC99) {
  EXPECT_EQ(use_aoe_from_c99(), 0);
}

}  // namespace
