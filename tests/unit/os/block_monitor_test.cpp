#include "os/block_monitor.h"

#include <gtest/gtest.h>

#include <string>

namespace aoe::os {
namespace {

using std::string_literals::operator""s;

TEST(BlockMonitor, OnlyMessagesOfTheBlockSubsystemCount) {
  EXPECT_TRUE(is_about_block_device(
      "add@/devices/virtual/block/loop0/loop0p1\0ACTION=add\0SUBSYSTEM=block\0DEVTYPE=partition\0"s));
  EXPECT_FALSE(is_about_block_device(
      "add@/devices/block\0ACTION=add\0SUBSYSTEM=net\0NAME=SUBSYSTEM=block\0"s));
  EXPECT_TRUE(is_about_block_device("SUBSYSTEM=block"));
  EXPECT_FALSE(is_about_block_device(""));
  EXPECT_FALSE(is_about_block_device("\0\0"s));
}

}  // namespace
}  // namespace aoe::os
