#include "tools/values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aoe::tools {
namespace {

TEST(Values, SizesReadWithTheirSuffixes) {
  EXPECT_EQ(parse_byte_count("0").value().bytes, 0U);
  EXPECT_EQ(parse_byte_count("64K").value().bytes, 65536U);
  EXPECT_EQ(parse_byte_count("10g").value().bytes, 10ULL << 30U);
  EXPECT_EQ(parse_byte_count("3s").value().bytes, 1536U);
}

TEST(Values, WhatIsNoSizeIsNamed) {
  for (const char* text : {"", "K", "-1", "1.5G", "10X", "0x10", "1 K"}) {
    const auto size = parse_byte_count(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_EQ(size.error().code, Errc::invalid_argument);
    EXPECT_TRUE(size.error().message.starts_with(std::string(text) + ": ")) << size.error().message;
  }
  EXPECT_NE(parse_byte_count("99999999P").error().message.find("too large"), std::string::npos);
}

TEST(Values, DurationsAreSecondsUnlessTheySayOtherwise) {
  EXPECT_EQ(parse_duration("2").value(), Duration::seconds(2));
  EXPECT_EQ(parse_duration("0.5").value(), Duration::milliseconds(500));
  EXPECT_EQ(parse_duration(".25s").value(), Duration::milliseconds(250));
  EXPECT_EQ(parse_duration("100ms").value(), Duration::milliseconds(100));
  EXPECT_EQ(parse_duration("50us").value(), Duration::microseconds(50));
  EXPECT_EQ(parse_duration("7ns").value(), Duration::nanoseconds(7));
  EXPECT_EQ(parse_duration("5m").value(), Duration::seconds(300));
  EXPECT_EQ(parse_duration("1h").value(), Duration::seconds(3600));
  EXPECT_EQ(parse_duration("0").value(), Duration{});
}

TEST(Values, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "s", "-1", "1..2", "1.2.3", "1 s", "1d", "1e3", "nan", "inf"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
  EXPECT_NE(parse_duration("99999999h").error().message.find("a year"), std::string::npos);
}

TEST(Values, MacsOfNoHostAreRefused) {
  EXPECT_EQ(parse_macs({"02:00:00:00:0a:10", "02000000000b"}).value().size(), 2U);
  for (const char* text : {"02:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "000000000000"}) {
    const auto macs = parse_macs({"02:00:00:00:0a:10", text});
    ASSERT_FALSE(macs.has_value()) << text;
    EXPECT_TRUE(macs.error().message.starts_with(text));
  }
}

TEST(Values, InterfaceListsJoinWithoutRepetition) {
  EXPECT_EQ(split_interfaces({"eth1,eth2", "eth3", "eth2"}).value(),
            (std::vector<std::string>{"eth1", "eth2", "eth3"}));
  EXPECT_TRUE(split_interfaces({}).value().empty());
  for (const char* text : {"", ",", "eth1,", ",eth1", "eth1,,eth2"}) {
    EXPECT_FALSE(split_interfaces({text}).has_value()) << text;
  }
}

TEST(Values, SizesShowThreeDigitsAndTheUnitThatFits) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1 KiB");
  EXPECT_EQ(size_text(1536), "1.50 KiB");
  EXPECT_EQ(size_text(10 << 20U), "10 MiB");
  EXPECT_EQ(size_text(104857600 + 300000), "100 MiB");
  EXPECT_EQ(size_text((1ULL << 30U) - 1), "1.00 GiB");
  EXPECT_EQ(size_text(0xFFFF'FFFF'FFFF'FFFF), "16 EiB");
}

TEST(Values, DurationsShowTheUnitThatFits) {
  EXPECT_EQ(duration_text(Duration{850}), "850 ns");
  EXPECT_EQ(duration_text(Duration{12'340}), "12.3 us");
  EXPECT_EQ(duration_text(Duration{1'250'000}), "1.25 ms");
  EXPECT_EQ(duration_text(Duration::seconds(3)), "3 s");
  EXPECT_EQ(duration_text(Duration::seconds(125)), "2:05");
}

TEST(Values, ARateOverNoTimeIsNotInfinite) {
  EXPECT_EQ(rate_text(100, Duration{}), "-");
  EXPECT_EQ(rate_text(10 << 20U, Duration::seconds(2)), "5 MiB/s");
}

TEST(Values, ForeignBytesCannotReachTheTerminal) {
  EXPECT_EQ(printable_text("a b\\\x1b[2J\n\xff"), "a b\\x5c\\x1b[2J\\x0a\\xff");
  EXPECT_EQ(hex_text(std::string_view("\x00\x1f\xff", 3)), "001fff");
}

}  // namespace
}  // namespace aoe::tools
