#include "initiatord/device_uri.h"

#include "client/uri.h"

#include <gtest/gtest.h>

namespace aoe::initiatord {
namespace {

DeviceConfig device() {
  DeviceConfig config;
  config.address = {Shelf{7}, Slot{1}};
  return config;
}

TEST(DeviceUri, SaysNothingThatIsUsual) {
  EXPECT_EQ(device_uri(device(), {"eth1", "eth2"}, DeviceAccess::read_write),
            "aoe://eth1,eth2/e7.1");
  EXPECT_EQ(device_uri(device(), {"auto"}, DeviceAccess::read_only),
            "aoe://auto/e7.1?mode=read-only");
}

TEST(DeviceUri, EverySettingArrives) {
  DeviceConfig config = device();
  config.timeout = Duration::milliseconds(2500);
  config.on_path_loss = initiator::OnPathLoss::fail;
  config.fast_io_fail = Duration::seconds(5);
  config.device_loss = Duration{};
  config.policy = initiator::PathPolicy::active_passive;
  config.payload_bytes = 8192;
  config.window_frames = 12;
  config.macs = {*parse_mac_address("02:00:00:00:0a:10"), *parse_mac_address("02:00:00:00:0a:11")};
  config.serial = "DISK 1";
  config.instances = initiator::DeviceSettings::Instances::many;
  config.access = DeviceAccess::read_only;
  const std::string text = device_uri(config, {"eth1"}, DeviceAccess::read_write);
  const auto uri = client::parse_device_uri(text);
  ASSERT_TRUE(uri) << text << ": " << uri.error().message;
  EXPECT_EQ(uri->address, config.address);
  EXPECT_EQ(uri->interfaces, std::vector<std::string>{"eth1"});
  EXPECT_EQ(uri->timeout, config.timeout);
  EXPECT_EQ(uri->on_path_loss, config.on_path_loss);
  EXPECT_EQ(uri->fast_io_fail, config.fast_io_fail);
  EXPECT_EQ(uri->device_loss, Duration{});
  EXPECT_EQ(uri->policy, config.policy);
  EXPECT_EQ(uri->payload_bytes, 8192U);
  EXPECT_EQ(uri->window, 12U);
  EXPECT_EQ(uri->macs, config.macs);
  EXPECT_EQ(uri->serial, "DISK 1");
  EXPECT_EQ(uri->instances, config.instances);
  EXPECT_EQ(uri->access, client::Access::read_only);
}

TEST(DeviceUri, ARequestThatNeverFailsIsRepeatedForDays) {
  DeviceConfig config = device();
  config.timeout = Duration{};
  const auto uri = client::parse_device_uri(device_uri(config, {"eth1"}, DeviceAccess::read_write));
  ASSERT_TRUE(uri) << uri.error().message;
  EXPECT_GT(uri->timeout, Duration::seconds(86400));
}

}  // namespace
}  // namespace aoe::initiatord
