#include "base/mac_address.h"

#include <gtest/gtest.h>

namespace aoe {
namespace {

TEST(MacAddress, ParsesColonsDashesAndBareDigits) {
  const auto expected = MacAddress{{0x02, 0x00, 0x0a, 0xBc, 0xde, 0xff}};
  for (const char* text : {"02:00:0a:bc:de:ff", "02-00-0A-BC-DE-FF", "02000abcdeff"}) {
    EXPECT_EQ(parse_mac_address(text), expected) << text;
  }
  EXPECT_EQ(to_string(expected), "02:00:0a:bc:de:ff");
  EXPECT_EQ(to_bare_string(expected), "02000abcdeff");
}

TEST(MacAddress, RefusesWhatIsNotOne) {
  for (const char* text : {"", "02:00:0a:bc:de", "02:00:0a:bc:de:fg", "02:00-0a:bc:de:ff",
                           "02.00.0a.bc.de.ff", "02000abcdef", "02:00:0a:bc:de:ff:00"}) {
    EXPECT_FALSE(parse_mac_address(text).has_value()) << text;
  }
}

TEST(MacAddress, KnowsGroupAndZero) {
  EXPECT_TRUE(MacAddress::broadcast().is_group());
  EXPECT_TRUE((MacAddress{{0x01, 0, 0, 0, 0, 0}}.is_group()));
  EXPECT_FALSE((MacAddress{{0x02, 0, 0, 0, 0, 0}}.is_group()));
  EXPECT_TRUE(MacAddress{}.is_zero());
}

TEST(MacAddress, EveryOctetCounts) {
  const MacAddress one{{2, 4, 6, 8, 10, 12}};
  EXPECT_EQ(one, one);
  for (std::size_t i = 0; i < one.octets.size(); ++i) {
    MacAddress other = one;
    other.octets[i] ^= 1;
    EXPECT_NE(one, other) << i;
    EXPECT_NE(one.key(), other.key()) << i;
    EXPECT_EQ(one < other, one.octets[i] < other.octets[i]) << i;
  }
}

}  // namespace
}  // namespace aoe
