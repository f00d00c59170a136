#include "frontends/ublk/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace aoe::ublk {
namespace {

using ::testing::HasSubstr;

Result<Options> parse(const std::vector<std::string_view>& arguments) {
  return parse_options(arguments);
}

TEST(UblkOptions, ReachTheirFields) {
  const auto options = parse({"--resume", "3", "--queues", "2", "--foreground", "aoe://eth1/e7.1"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->resume, 3U);
  EXPECT_EQ(options->queues, 2U);
  EXPECT_TRUE(options->is_foreground);
  EXPECT_EQ(options->uri, "aoe://eth1/e7.1");
  EXPECT_TRUE(parse({"--help"})->wants_help);
  EXPECT_TRUE(parse({"--version"})->wants_version);
}

TEST(UblkOptions, MisuseSaysWhatWasExpected) {
  for (const auto& [arguments, expected] :
       std::vector<std::pair<std::vector<std::string_view>, const char*>>{
           {{}, "no device is named: expected aoe://IF/e7.1"},
           {{"a", "b"}, "b: one URI is enough"},
           {{"--queues", "5", "a"}, "--queues: expected a number from 1 to 4"},
           {{"--queues"}, "--queues: expected"},
           {{"--resume", "x", "a"}, "--resume: expected the N of /dev/ublkbN"},
           {{"--resume", "-1", "a"}, "--resume: expected"},
           {{"--floppy"}, "--floppy: no such option"}}) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options) << expected;
    EXPECT_EQ(options.error().code, Errc::invalid_argument);
    EXPECT_THAT(options.error().message, HasSubstr(expected));
  }
}

}  // namespace
}  // namespace aoe::ublk
