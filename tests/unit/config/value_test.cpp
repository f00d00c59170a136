#include "config/value.h"

#include <gtest/gtest.h>

namespace aoe::config {
namespace {

constexpr DurationRange kRange{Duration::milliseconds(1), Duration::seconds(60)};

ConfigValue text(const char* value) {
  return ConfigValue::word(value, "here");
}

ConfigValue number(std::int64_t value) {
  ConfigValue result;
  result.kind = ConfigValue::Kind::integer;
  result.integer = value;
  return result;
}

TEST(ReadDuration, NumbersAreSecondsAndTextsHaveUnits) {
  EXPECT_EQ(read_duration(number(30), kRange), Duration::seconds(30));
  EXPECT_EQ(read_duration(text("30"), kRange), Duration::seconds(30));
  EXPECT_EQ(read_duration(text("500ms"), kRange), Duration::milliseconds(500));
  EXPECT_EQ(read_duration(text("1m"), kRange), Duration::seconds(60));
}

TEST(ReadDuration, WhatIsRefusedIsNamedWithWhatWasExpected) {
  for (const auto& [value, reason] :
       {std::pair{text("soon"), "\"soon\": expected a time from 1ms to 1m"},
        std::pair{text("2m"), "\"2m\" is out of range"},
        std::pair{text("0"), "\"0\" is out of range"},
        std::pair{number(-5), "\"-5\": expected a time"},
        std::pair{text("99999999h"), "is out of range"},
        std::pair{text(""), "\"\": expected a time"}}) {
    const auto read = read_duration(value, kRange);
    ASSERT_FALSE(read.has_value()) << value.text;
    EXPECT_NE(read.error().find(reason), std::string::npos) << read.error();
  }
  ConfigValue flag;
  flag.kind = ConfigValue::Kind::boolean;
  EXPECT_EQ(read_duration(flag, kRange).error(),
            "expected a time from 1ms to 1m, such as 30, \"500ms\" or \"2m\", not a boolean");
}

}  // namespace
}  // namespace aoe::config
