#include "frontends/ublk/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace aoe::ublk {
namespace {

using ::testing::HasSubstr;

TEST(UblkControl, NumbersAreThoseOfWholeBlockDevices) {
  EXPECT_EQ(device_number("/dev/ublkb3"), 3U);
  EXPECT_EQ(device_number(block_device_path(17)), 17U);
  for (const char* other : {"/dev/ublkb", "/dev/ublkb3p1", "/dev/ublkc3", "/dev/loop3", "ublkb3",
                            "/dev/ublkb-1", "/dev/ublkb4294967295", ""}) {
    EXPECT_EQ(device_number(other), std::nullopt) << other;
  }
  EXPECT_EQ(channel_path(3), "/dev/ublkc3");
}

TEST(UblkControl, AKernelWithoutUblkIsSaid) {
  if (::access("/dev/ublk-control", F_OK) == 0) {
    GTEST_SKIP() << "this kernel has ublk";
  }
  const auto control = Control::open();
  ASSERT_FALSE(control);
  EXPECT_EQ(control.error().code, Errc::unsupported);
  EXPECT_THAT(control.error().message, HasSubstr("modprobe ublk_drv"));
}

}  // namespace
}  // namespace aoe::ublk
