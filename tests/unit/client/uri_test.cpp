#include "client/uri.h"

#include "client/device_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::client {
namespace {

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};

TEST(DeviceUri, TakesEveryFormOfAnAddress) {
  for (const char* const text : {"7.1", "e7.1", "aoe:7.1", "aoe:e7.1", "aoe:e07.01"}) {
    const auto uri = parse_device_uri(text);
    ASSERT_TRUE(uri) << text;
    EXPECT_EQ(uri->address, kE71);
    EXPECT_TRUE(uri->interfaces.empty());
    EXPECT_FALSE(uri->timeout.has_value());
  }
}

TEST(DeviceUri, TakesInterfacesAndParameters) {
  const auto uri =
      parse_device_uri("aoe://eth1,eth2.5/e7.1?payload=8192&timeout=2.5&policy=round-robin");
  ASSERT_TRUE(uri) << uri.error().message;
  EXPECT_EQ(uri->address, kE71);
  EXPECT_THAT(uri->interfaces, ::testing::ElementsAre("eth1", "eth2.5"));
  EXPECT_EQ(uri->payload_bytes, 8192U);
  EXPECT_EQ(uri->timeout, Duration::milliseconds(2500));
  EXPECT_EQ(uri->policy, PathPolicy::round_robin);
}

TEST(DeviceUri, TakesWhatADeviceCanBeTold) {
  const auto uri = parse_device_uri(
      "aoe:e7.1?window=16&mode=read-only&on_path_loss=fail&fast_io_fail=2.5&device_loss=0&"
      "mac=02:00:00:00:0a:10+02:00:00:00:0a:11&serial=S1&instances=many&port=xdp");
  ASSERT_TRUE(uri) << uri.error().message;
  EXPECT_EQ(uri->window, 16U);
  EXPECT_EQ(uri->access, Access::read_only);
  EXPECT_EQ(uri->on_path_loss, initiator::OnPathLoss::fail);
  EXPECT_EQ(uri->fast_io_fail, Duration::milliseconds(2500));
  EXPECT_EQ(uri->device_loss, Duration{});
  EXPECT_THAT(uri->macs, ::testing::ElementsAre(MacAddress{{2, 0, 0, 0, 0x0a, 0x10}},
                                                MacAddress{{2, 0, 0, 0, 0x0a, 0x11}}));
  EXPECT_EQ(uri->serial, "S1");
  EXPECT_EQ(uri->instances, initiator::DeviceSettings::Instances::many);
  EXPECT_EQ(uri->port, PortKind::xdp);
}

TEST(DeviceUri, WhatItSaysGoesBeforeTheOptions) {
  DeviceOptions options{.timeout = Duration::seconds(9), .window_max = 7};
  apply_uri(*parse_device_uri("aoe:e7.1?timeout=3&payload=1024&device_loss=5&serial=S1"), options);
  EXPECT_EQ(options.timeout, Duration::seconds(3));
  EXPECT_EQ(options.payload_bytes_max, 1024U);
  EXPECT_EQ(options.window_max, 7U);
  EXPECT_EQ(options.device_loss, Duration::seconds(5));
  const auto settings = device_settings(kE71, options);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->deadline, Duration::seconds(3));
  EXPECT_EQ(settings->payload_sectors_max, 2U);
  EXPECT_EQ(settings->loss.device_loss, Duration::seconds(5));
  EXPECT_EQ(settings->pinned_serial, "S1");
  options.payload_bytes_max = 1000;
  EXPECT_FALSE(device_settings(kE71, options));
}

TEST(DeviceUri, ParametersNeedNoInterface) {
  const auto uri = parse_device_uri("aoe:e7.1?timeout=30");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->timeout, Duration::seconds(30));
}

TEST(DeviceUri, OnlyTheSchemeTellsADeviceFromAFile) {
  EXPECT_TRUE(has_aoe_scheme("aoe:e7.1"));
  EXPECT_FALSE(has_aoe_scheme("e7.1"));
  EXPECT_FALSE(has_aoe_scheme("disk.img"));
  EXPECT_FALSE(has_aoe_scheme(""));
}

struct BadUri {
  const char* text;
  const char* says;
};

TEST(DeviceUri, SaysWhatIsWrong) {
  for (const BadUri& bad : {
           BadUri{"", "is no device"},
           BadUri{"e7", "'e7' is no device (expected eSHELF.SLOT"},
           BadUri{"e65535.1", "shelf 0 to 65534"},
           BadUri{"aoe:e7.255", "slot 0 to 254"},
           BadUri{"aoe:e7.1 ", "is no device"},
           BadUri{"e7.1?timeout=3", "is no device"},
           BadUri{"aoe://eth1", "no device after the interfaces"},
           BadUri{"aoe:///e7.1", "interface name '' must have 1 to 15"},
           BadUri{"aoe://eth1,/e7.1", "interface name ''"},
           BadUri{"aoe://abcdefghijklmnop/e7.1", "interface name 'abcdefghijklmnop'"},
           BadUri{"aoe:e7.1?", "parameter '' has no value"},
           BadUri{"aoe:e7.1?timeout", "parameter 'timeout' has no value"},
           BadUri{"aoe:e7.1?speed=3", "unknown parameter 'speed'"},
           BadUri{"aoe:e7.1?payload=1000", "payload=1000: expected a multiple of 512"},
           BadUri{"aoe:e7.1?payload=0", "payload=0"},
           BadUri{"aoe:e7.1?payload=131072", "at most 130560"},
           BadUri{"aoe:e7.1?payload=512x", "payload=512x"},
           BadUri{"aoe:e7.1?timeout=0", "timeout=0"},
           BadUri{"aoe:e7.1?timeout=-1", "timeout=-1"},
           BadUri{"aoe:e7.1?timeout=nan", "timeout=nan"},
           BadUri{"aoe:e7.1?timeout=1e300", "timeout=1e300"},
           BadUri{"aoe:e7.1?policy=best", "expected fastest, round-robin or active-passive"},
           BadUri{"aoe:e7.1?window=0", "window=0: expected frames, 1 to 65535"},
           BadUri{"aoe:e7.1?mode=ro", "expected read-only or read-write"},
           BadUri{"aoe:e7.1?on_path_loss=no", "expected queue or fail"},
           BadUri{"aoe:e7.1?fast_io_fail=-1", "expected seconds, 0 for never"},
           BadUri{"aoe:e7.1?device_loss=x", "expected seconds, 0 for never"},
           BadUri{"aoe:e7.1?mac=02:00:00:00:0a:10+", "expected MAC"},
           BadUri{"aoe:e7.1?mac=ff:ff:ff:ff:ff:ff", "expected MAC"},
           BadUri{"aoe:e7.1?serial=", "expected 1 to 20 characters"},
           BadUri{"aoe:e7.1?instances=2", "expected one or many"},
           BadUri{"aoe:e7.1?port=dpdk", "expected auto, packet or xdp"},
           BadUri{"aoe:e7.1?timeout=1&timeout=2", "parameter 'timeout' is given twice"},
       }) {
    const auto uri = parse_device_uri(bad.text);
    ASSERT_FALSE(uri) << bad.text;
    EXPECT_EQ(uri.error().code, Errc::invalid_argument);
    EXPECT_THAT(uri.error().message, ::testing::HasSubstr(bad.says));
  }
}

}  // namespace
}  // namespace aoe::client
