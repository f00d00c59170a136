#include "base/ids.h"

#include <gtest/gtest.h>

namespace aoe {
namespace {

TEST(DeviceAddress, ParsesBothFormsAndPrintsOne) {
  const auto bare = parse_device_address("7.1");
  const auto named = parse_device_address("e7.1");
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare, named);
  EXPECT_EQ(to_string(*bare), "e7.1");
  EXPECT_EQ(to_string(*parse_device_address("65534.254")), "e65534.254");
}

TEST(DeviceAddress, RefusesWildcardsAndJunk) {
  for (const char* text : {"65535.1", "7.255", "7", "7.", ".1", "e", "", "7.1x", "x7.1", "-1.1",
                           "7.1.1", "ee7.1", "7. 1", "99999999999999.1"}) {
    EXPECT_FALSE(parse_device_address(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace aoe
