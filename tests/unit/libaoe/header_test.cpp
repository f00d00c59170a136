// aoe.h and aoe.hpp as programs of older languages see them.
#include <gtest/gtest.h>

#include <cerrno>

extern "C" int use_aoe_from_c99(void);
extern "C" int use_aoe_from_cxx17();

namespace {

TEST(PublicHeader, WorksFromC99) {
  EXPECT_EQ(use_aoe_from_c99(), 0);
}

TEST(PublicHeader, WorksFromCxx17) {
  EXPECT_EQ(use_aoe_from_cxx17(), ENOTCONN);
}

}  // namespace
