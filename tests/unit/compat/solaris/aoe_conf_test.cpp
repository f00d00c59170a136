#include "compat/solaris/aoe_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::solaris {
namespace {

std::string error_of(std::string_view line) {
  const auto channel = parse_channel(split_words(line));
  return channel ? "none" : channel.error().message;
}

Channel channel_of(std::string_view line) {
  const auto channel = parse_channel(split_words(line));
  EXPECT_TRUE(channel.has_value()) << channel.error().message;
  return channel.value_or(Channel{});
}

TEST(AoeConf, ALineIsAChannel) {
  const AoeConf conf = parse_aoe_conf(
      "# channels\n"
      "aoechan 0 ether /dev/bge2\n"
      "\n"
      "  aoechan\t3 ether eth1 nojumbo # slow\n");
  EXPECT_TRUE(conf.problems.empty());
  ASSERT_EQ(conf.channels.size(), 2U);
  EXPECT_EQ(conf.channels[0], (Channel{0, "bge2", 0, 2}));
  EXPECT_EQ(conf.channels[1], (Channel{3, "eth1", 1500, 4}));
}

TEST(AoeConf, SizesMeanAnMtu) {
  EXPECT_EQ(channel_of("aoechan 0 ether e mtu 9000").mtu_bytes, 9000U);
  EXPECT_EQ(channel_of("aoechan 0 ether e mtu 0").mtu_bytes, 0U);
  EXPECT_EQ(channel_of("aoechan 0 ether e maxdata 4096").mtu_bytes, 4118U);
  EXPECT_EQ(channel_of("aoechan 0 ether e maxdata 4607").mtu_bytes, 4118U);
  EXPECT_EQ(channel_of("aoechan 0 ether e nojumbo").mtu_bytes, 1500U);
  EXPECT_EQ(channel_of("aoechan 0 ether e nojumbo jumbo").mtu_bytes, 0U);
}

TEST(AoeConf, WhatIsWrongIsNamed) {
  EXPECT_EQ(error_of("channel 0 ether e"), "'channel': expected aoechan");
  EXPECT_EQ(error_of("aoechan 0"), "expected aoechan N ether DEVICE");
  EXPECT_EQ(error_of("aoechan 10 ether e"), "aoechan '10' (expected 0 to 9)");
  EXPECT_EQ(error_of("aoechan 0 token e"), "'token': expected ether");
  EXPECT_EQ(error_of("aoechan 0 ether /dev/a/b"),
            "'/dev/a/b' is no network device (like /dev/eth1)");
  EXPECT_EQ(error_of("aoechan 0 ether e mtu"), "mtu: its number is missing");
  EXPECT_EQ(error_of("aoechan 0 ether e mtu big"), "mtu: 'big' (expected 0 to 65535)");
  EXPECT_EQ(error_of("aoechan 0 ether e mtu 500"),
            "mtu 500: too small for a sector (at least mtu 534, maxdata 512)");
  EXPECT_EQ(error_of("aoechan 0 ether e maxdata 511"),
            "maxdata 511: too small for a sector (at least mtu 534, maxdata 512)");
  EXPECT_EQ(error_of("aoechan 0 ether e huge"), "'huge': expected mtu, maxdata, jumbo or nojumbo");
}

TEST(AoeConf, ProblemsHaveTheirLineAndTheRestIsRead) {
  const AoeConf conf = parse_aoe_conf(
      "aoechan 0 ether eth0\n"
      "aoechan 0 ether eth1\n"
      "aoechan 1 ether /dev/eth0\n"
      "aoechan x ether eth2\n"
      "aoechan 2 ether eth2");
  EXPECT_EQ(problems_text("/etc/aoe.conf", conf.problems),
            "/etc/aoe.conf:2: aoechan 0 stands in line 1 already\n"
            "/etc/aoe.conf:3: eth0 is aoechan 0 already (line 1): channels may not share it\n"
            "/etc/aoe.conf:4: aoechan 'x' (expected 0 to 9)\n");
  ASSERT_EQ(conf.channels.size(), 2U);
  EXPECT_EQ(conf.channels[1].interface, "eth2");
}

TEST(AoeConf, AChannelIsWrittenAsItIsRead) {
  for (const char* line : {"aoechan 3 ether /dev/eth1", "aoechan 0 ether /dev/e mtu 9000"}) {
    EXPECT_EQ(to_string(channel_of(line)), line);
  }
}

}  // namespace
}  // namespace aoe::compat::solaris
