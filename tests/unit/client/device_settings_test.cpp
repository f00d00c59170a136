#include "client/device_settings.h"

#include "client/uri.h"

#include <gtest/gtest.h>

namespace aoe::client {
namespace {

// What a device that is opened by this URI is like.
initiator::DeviceSettings settings_of(const std::string& uri) {
  const auto parsed = parse_device_uri(uri);
  EXPECT_TRUE(parsed.has_value());
  DeviceOptions options;
  apply_uri(*parsed, options);
  const auto settings = device_settings(parsed->address, options);
  EXPECT_TRUE(settings.has_value());
  return *settings;
}

TEST(DeviceSettings, ThePolicyOfTheUriReachesTheInitiator) {
  EXPECT_EQ(settings_of("aoe://eth1/e7.1").policy, PathPolicy::fastest);
  EXPECT_EQ(settings_of("aoe://eth1/e7.1?policy=fastest").policy, PathPolicy::fastest);
  EXPECT_EQ(settings_of("aoe://eth1/e7.1?policy=round-robin").policy, PathPolicy::round_robin);
  EXPECT_EQ(settings_of("aoe://eth1/e7.1?policy=active-passive").policy,
            PathPolicy::active_passive);
}

TEST(DeviceSettings, WindowAndPayloadReachTheInitiator) {
  const initiator::DeviceSettings settings = settings_of("aoe://eth1/e7.1?window=9&payload=4096");
  EXPECT_EQ(settings.window_max, 9U);
  EXPECT_EQ(settings.payload_sectors_max, 8U);
}

}  // namespace
}  // namespace aoe::client
