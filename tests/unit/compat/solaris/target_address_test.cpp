#include "compat/solaris/target_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::solaris {
namespace {

using testing::HasSubstr;

constexpr TargetAddress address(std::uint32_t channel, std::uint16_t major, std::uint8_t minor) {
  return {channel, {Shelf{major}, Slot{minor}}};
}

TEST(TargetAddresses, EmptyAndMissingFieldsMatchAnything) {
  const auto matches = [](const char* text, const TargetAddress& target) {
    return parse_address_pattern(text).value().matches(target);
  };
  EXPECT_TRUE(matches("0/1/2", address(0, 1, 2)));
  EXPECT_FALSE(matches("0/1/2", address(0, 1, 3)));
  EXPECT_TRUE(matches("0/1", address(0, 1, 77)));
  EXPECT_FALSE(matches("0/1", address(0, 2, 77)));
  EXPECT_TRUE(matches("0//2", address(0, 65534, 2)));
  EXPECT_FALSE(matches("0//2", address(1, 65534, 2)));
  EXPECT_TRUE(matches("//2", address(9, 5, 2)));
  EXPECT_TRUE(matches("", address(9, 5, 2)));
  EXPECT_TRUE(matches("0/", address(0, 5, 2)));
}

TEST(TargetAddresses, WrongFieldsAreNamedWithTheirLimit) {
  const auto error = [](const char* text) {
    const auto pattern = parse_address_pattern(text);
    return pattern ? std::string("none") : pattern.error().message;
  };
  EXPECT_EQ(error("10"), "10: channel: '10' (expected 0 to 9)");
  EXPECT_EQ(error("0/65535"), "0/65535: major: '65535' (expected 0 to 65534)");
  EXPECT_EQ(error("0/1/255"), "0/1/255: minor: '255' (expected 0 to 254)");
  EXPECT_EQ(error("0/1/x"), "0/1/x: minor: 'x' (expected 0 to 254)");
  EXPECT_EQ(error("0/1/2/3"), "0/1/2/3: more than channel/major/minor");
}

TEST(TargetAddresses, RangesAreWrittenOut) {
  const auto addresses = parse_address_ranges("0/7/9-11").value();
  EXPECT_THAT(addresses,
              testing::ElementsAre(address(0, 7, 9), address(0, 7, 10), address(0, 7, 11)));
  EXPECT_EQ(parse_address_ranges("0-1/10-11/0-14").value().size(), 60U);
  EXPECT_EQ(parse_address_ranges("1/2/3").value().size(), 1U);
}

TEST(TargetAddresses, RangesThatAreNoneAreErrors) {
  for (const char* text :
       {"0/7", "0/7/11-9", "0/7/-", "0/7/1-", "0//1", "0/7/0-255", "0/0-9999/0"}) {
    EXPECT_FALSE(parse_address_ranges(text).has_value()) << text;
  }
  EXPECT_THAT(parse_address_ranges("0/0-9999/0").error().message, HasSubstr("10000 addresses"));
}

TEST(TargetAddresses, FilesAreToldFromAddresses) {
  EXPECT_TRUE(looks_like_addresses("0/7/9-11"));
  EXPECT_TRUE(looks_like_addresses("0/7"));
  EXPECT_FALSE(looks_like_addresses("/usr/kernel/drv/aoed.conf"));
  EXPECT_FALSE(looks_like_addresses("/7"));
  EXPECT_FALSE(looks_like_addresses("107"));
  EXPECT_FALSE(looks_like_addresses(""));
}

TEST(TargetAddresses, InstanceIsTheDecimalDigitsOfTheAddress) {
  EXPECT_EQ(standard_instance(address(0, 1, 7)), 107U);
  EXPECT_EQ(standard_instance(address(0, 0, 3)), 3U);
  EXPECT_EQ(standard_instance(address(1, 3, 19)), 10319U);
  EXPECT_EQ(standard_instance(address(0, 100, 0)), std::nullopt);
  EXPECT_EQ(standard_instance(address(0, 0, 100)), std::nullopt);
}

}  // namespace
}  // namespace aoe::compat::solaris
