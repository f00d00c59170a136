#include "initiatord/device_users.h"

#include <gtest/gtest.h>

namespace aoe::initiatord {
namespace {

TEST(DeviceUsers, WhatGoesWithTheDaemonNeedsIt) {
  DeviceUsers users;
  EXPECT_FALSE(users.any());
  EXPECT_FALSE(users.need_daemon());
  users.block_device = "/dev/loop0";
  EXPECT_TRUE(users.need_daemon());
  // It is in use all the same: nobody may forget the device.
  users.outlives_daemon = true;
  EXPECT_TRUE(users.any());
  EXPECT_FALSE(users.need_daemon());
  users.open_files = 1;
  EXPECT_TRUE(users.need_daemon());
  users.open_files = 0;
  users.is_changing = true;
  EXPECT_TRUE(users.need_daemon());
}

TEST(DeviceUsers, AreToldInWords) {
  DeviceUsers users;
  EXPECT_EQ(to_string(users), "");
  users.open_files = 1;
  EXPECT_EQ(to_string(users), "its file is open");
  users.open_files = 2;
  EXPECT_EQ(to_string(users), "its file is open 2 times");
  users.is_changing = true;
  EXPECT_EQ(to_string(users), "being attached");
  users.block_device = "/dev/ublkb0";
  EXPECT_EQ(to_string(users), "attached as /dev/ublkb0");
}

}  // namespace
}  // namespace aoe::initiatord
