#include "storage/size_text.h"

#include <gtest/gtest.h>

namespace aoe::storage {
namespace {

TEST(SizeText, ParsesUnitsAsPowersOf1024) {
  EXPECT_EQ(parse_size("512").value(), 512U);
  EXPECT_EQ(parse_size("64K").value(), 65536U);
  EXPECT_EQ(parse_size("3m").value(), 3U << 20U);
  EXPECT_EQ(parse_size("1G").value(), 1U << 30U);
  EXPECT_EQ(parse_size("1GiB").value(), 1U << 30U);
  EXPECT_EQ(parse_size("2T").value(), std::uint64_t{2} << 40U);
  EXPECT_EQ(parse_size("128PiB").value(), std::uint64_t{1} << 57U);
  EXPECT_EQ(parse_size("2048s").value(), 1U << 20U);
  EXPECT_EQ(parse_size("0").value(), 0U);
}

TEST(SizeText, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "G", "-1", "1X", "1KB", "1kb", "1 G", "1.5G", "1Gi", "1GiBx", "0x10", "1sec", "+1"}) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::invalid_argument);
    EXPECT_NE(parsed.error().message.find(std::string("'") + text + "'"), std::string::npos);
  }
}

TEST(SizeText, RefusesOverflow) {
  EXPECT_EQ(parse_size("18446744073709551615").value(), ~std::uint64_t{0});
  EXPECT_FALSE(parse_size("18446744073709551616"));
  EXPECT_TRUE(parse_size("16383P"));
  EXPECT_FALSE(parse_size("16384P"));
}

TEST(SizeText, WritesTheShortestExactForm) {
  EXPECT_EQ(size_text(512), "512");
  EXPECT_EQ(size_text(1536), "1536");
  EXPECT_EQ(size_text(1536 * 1024), "1536K");
  EXPECT_EQ(size_text(std::uint64_t{1} << 30U), "1G");
  EXPECT_EQ(size_text(std::uint64_t{1} << 57U), "128P");
  EXPECT_EQ(size_text(0), "0");
}

}  // namespace
}  // namespace aoe::storage
