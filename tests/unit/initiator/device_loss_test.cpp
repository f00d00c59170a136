#include "initiator/device_loss.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000};
using Stage = DeviceLoss::Stage;

TEST(DeviceLoss, RequestsWaitUntilTheDeviceCountsAsLost) {
  DeviceLoss loss({.device_loss = Duration::seconds(180)});
  EXPECT_FALSE(loss.next_time().has_value());
  loss.on_down(kStart);
  EXPECT_FALSE(loss.advance(kStart));
  EXPECT_EQ(loss.stage(), Stage::waiting);
  EXPECT_FALSE(loss.refuses());
  EXPECT_EQ(loss.next_time(), kStart + Duration::seconds(180));
  EXPECT_FALSE(loss.advance(kStart + Duration::seconds(180) - Duration{1}));
  EXPECT_TRUE(loss.advance(kStart + Duration::seconds(180)));
  EXPECT_EQ(loss.stage(), Stage::lost);
  EXPECT_TRUE(loss.refuses());
  EXPECT_FALSE(loss.next_time().has_value());
}

TEST(DeviceLoss, ZeroMeansNever) {
  DeviceLoss loss({});
  loss.on_down(kStart);
  EXPECT_FALSE(loss.next_time().has_value());
  EXPECT_FALSE(loss.advance(kStart + Duration::seconds(1'000'000)));
  EXPECT_EQ(loss.stage(), Stage::waiting);
}

TEST(DeviceLoss, FastFailComesBeforeTheLoss) {
  DeviceLoss loss({.fast_io_fail = Duration::seconds(5), .device_loss = Duration::seconds(60)});
  loss.on_down(kStart);
  EXPECT_EQ(loss.next_time(), kStart + Duration::seconds(5));
  EXPECT_TRUE(loss.advance(kStart + Duration::seconds(5)));
  EXPECT_EQ(loss.stage(), Stage::fast_fail);
  EXPECT_EQ(loss.next_time(), kStart + Duration::seconds(60));
  EXPECT_TRUE(loss.advance(kStart + Duration::seconds(60)));
  EXPECT_EQ(loss.stage(), Stage::lost);
}

TEST(DeviceLoss, FailingOnPathLossNeedsNoTime) {
  DeviceLoss loss({.on_path_loss = OnPathLoss::fail});
  loss.on_down(kStart);
  EXPECT_EQ(loss.next_time(), kStart);
  EXPECT_TRUE(loss.advance(kStart));
  EXPECT_EQ(loss.stage(), Stage::fast_fail);
}

TEST(DeviceLoss, TheTimeCountsFromTheFirstLossUntilAPathIsBack) {
  DeviceLoss loss({.device_loss = Duration::seconds(10)});
  loss.on_down(kStart);
  loss.on_down(kStart + Duration::seconds(9));
  EXPECT_EQ(loss.next_time(), kStart + Duration::seconds(10));
  loss.on_up();
  EXPECT_FALSE(loss.next_time().has_value());
  EXPECT_EQ(loss.stage(), Stage::reachable);
  loss.on_down(kStart + Duration::seconds(20));
  EXPECT_EQ(loss.next_time(), kStart + Duration::seconds(30));
}

}  // namespace
}  // namespace aoe::initiator
