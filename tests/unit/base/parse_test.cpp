#include "base/parse.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <utility>

namespace aoe {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(ParseUnsigned, AcceptsDigitsAndNothingElse) {
  EXPECT_EQ(parse_unsigned("0"), 0U);
  EXPECT_EQ(parse_unsigned("007"), 7U);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), kMax);
  for (const char* text : {"", " 1", "1 ", "-1", "+1", "0x10", "1.5", "1K", "K"}) {
    ASSERT_FALSE(parse_unsigned(text).has_value()) << text;
    EXPECT_EQ(parse_unsigned(text).error(), ParseErrc::not_a_number) << text;
  }
  EXPECT_EQ(parse_unsigned("18446744073709551616").error(), ParseErrc::too_large);
}

TEST(ParseSize, MultipliesBySuffix) {
  const std::array<std::pair<const char*, std::uint64_t>, 13> cases{{
      {"0", 0},
      {"512", 512},
      {"1s", 512},
      {"20480s", 10485760},
      {"64K", 65536},
      {"64k", 65536},
      {"3M", 3145728},
      {"10G", 10737418240ULL},
      {"2T", 2199023255552ULL},
      {"1P", 1125899906842624ULL},
      {"64KiB", 65536},
      {"10GiB", 10737418240ULL},
      {"18446744073709551615", kMax},
  }};
  for (const auto& [text, bytes] : cases) {
    EXPECT_EQ(parse_size(text), bytes) << text;
  }
}

TEST(ParseSize, SaysWhyATextIsNoSize) {
  const std::array<std::pair<const char*, ParseErrc>, 16> cases{{
      {"", ParseErrc::not_a_number},
      {"K", ParseErrc::not_a_number},
      {"-1", ParseErrc::not_a_number},
      {" 1K", ParseErrc::not_a_number},
      {"1S", ParseErrc::unknown_suffix},
      {"1E", ParseErrc::unknown_suffix},
      {"1KB", ParseErrc::unknown_suffix},
      {"1Ki", ParseErrc::unknown_suffix},
      {"1siB", ParseErrc::unknown_suffix},
      {"1KiBs", ParseErrc::unknown_suffix},
      {"1 K", ParseErrc::unknown_suffix},
      {"1.5K", ParseErrc::unknown_suffix},
      {"1\x80", ParseErrc::unknown_suffix},
      {"16384P", ParseErrc::too_large},
      {"36028797018963968s", ParseErrc::too_large},
      {"99999999999999999999K", ParseErrc::too_large},
  }};
  for (const auto& [text, error] : cases) {
    ASSERT_FALSE(parse_size(text).has_value()) << text;
    EXPECT_EQ(parse_size(text).error(), error) << text;
  }
  EXPECT_EQ(parse_size("16383P"), 16383ULL << 50U);
}

TEST(FormatSize, IsTheShortestTextThatParsesBack) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(513), "513");
  EXPECT_EQ(format_size(65536), "64K");
  EXPECT_EQ(format_size(10737418240ULL), "10G");
  EXPECT_EQ(format_size(1ULL << 63U), "8192P");
  for (const std::uint64_t bytes :
       {std::uint64_t{1}, std::uint64_t{512}, std::uint64_t{1536}, std::uint64_t{1} << 40U, kMax}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes) << bytes;
  }
}

TEST(ParseDuration, UnitsAndTheDefaultOfSeconds) {
  EXPECT_EQ(parse_duration("2").value(), Duration::seconds(2));
  EXPECT_EQ(parse_duration("0.5s").value(), Duration::milliseconds(500));
  EXPECT_EQ(parse_duration("100ms").value(), Duration::milliseconds(100));
  EXPECT_EQ(parse_duration("5m").value(), Duration::seconds(300));
  EXPECT_EQ(parse_duration("").error(), ParseErrc::not_a_number);
  EXPECT_EQ(parse_duration("1.2.3").error(), ParseErrc::not_a_number);
  EXPECT_EQ(parse_duration("5d").error(), ParseErrc::unknown_suffix);
  EXPECT_EQ(parse_duration("9000h").error(), ParseErrc::too_large);
}

TEST(FormatDuration, ReadsBackAsItself) {
  for (const char* text : {"0s", "7ns", "1500us", "250ms", "90s", "2m", "3h"}) {
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  }
}

}  // namespace
}  // namespace aoe
