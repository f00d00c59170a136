#include "initiatord/config_file.h"
#include "initiatord/config_keys.h"
#include "support/diagnostics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace aoe::initiatord {
namespace {

using config::lines_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr DeviceAddress kE72{Shelf{7}, Slot{2}};

InitiatorConfig good(const std::string& text) {
  const LoadedConfig loaded = parse_config_text("interfaces = ['eth1']\n" + text, "i.toml");
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(lines_of(validate(loaded.config).errors), IsEmpty());
  return loaded.config;
}

std::vector<std::string> errors_of(const std::string& text) {
  LoadedConfig loaded = parse_config_text(text, "i.toml");
  loaded.diagnostics.append(validate(loaded.config));
  return lines_of(loaded.diagnostics.errors);
}

TEST(InitiatorConfigFile, EveryKeyReachesItsField) {
  const InitiatorConfig config = good(
      "open = 'configured'\ncontrol = '/c.sock'\nlog_level = 'debug'\nuser = 'u'\n"
      "group = 'g'\n[[device]]\naddress = 'e7.1'\nenabled = false\nread_only = true\n"
      "timeout = '90s'\npayload = '8K'\nwindow = 12\n"
      "on_path_loss = 'fail'\nfast_io_fail = 5\ndevice_loss = 'never'\n"
      "macs = ['02:00:00:00:0a:10']\nserial = 'S1'\ninstances = 'many'\npolicy = "
      "'round-robin'\n[[device]]\naddress = "
      "'7.2'\n"
      "payload = 'auto'\nwindow = 'auto'\n");
  EXPECT_EQ(config.open, OpenPolicy::configured);
  EXPECT_EQ(config.control_path, "/c.sock");
  EXPECT_EQ(config.log_level, config::LogLevel::debug);
  ASSERT_EQ(config.devices.size(), 2U);
  const DeviceConfig& device = config.devices[0];
  EXPECT_EQ(device.address, kE71);
  EXPECT_FALSE(device.enabled);
  EXPECT_EQ(device.access, DeviceAccess::read_only);
  EXPECT_EQ(device.timeout, Duration::seconds(90));
  EXPECT_EQ(device.payload_bytes, 8192U);
  EXPECT_EQ(device.window_frames, 12U);
  EXPECT_EQ(device.on_path_loss, initiator::OnPathLoss::fail);
  EXPECT_EQ(device.fast_io_fail, Duration::seconds(5));
  EXPECT_EQ(device.device_loss, Duration{});
  EXPECT_EQ(device.macs.size(), 1U);
  EXPECT_EQ(device.serial, "S1");
  EXPECT_EQ(device.instances, initiator::DeviceSettings::Instances::many);
  EXPECT_EQ(device.policy, initiator::PathPolicy::round_robin);
  EXPECT_EQ(config.devices[1].device_loss, Duration::seconds(180));
  EXPECT_TRUE(config.devices[1].macs.empty());
  EXPECT_EQ(config.devices[1].payload_bytes, 0U);
  EXPECT_EQ(config.devices[1].timeout, Duration::seconds(180));
}

TEST(InitiatorConfigFile, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_THAT(errors_of("interfaces = ['eth1']\n[[device]]\ntimeout = 5\n"),
              ElementsAre("i.toml:2:1: device: address: missing: expected SHELF.SLOT in quotes, "
                          "such as \"7.1\""));
  EXPECT_THAT(errors_of("interfaces = ['eth1']\n[[device]]\naddress = '7.1'\npayload = 1000\n"),
              ElementsAre("i.toml:4:11: payload: 1000 is not a multiple of 512 bytes"));
  EXPECT_THAT(errors_of("interfaces = ['eth1']\n[[device]]\naddress = '7.1'\ntimeout = 0\n"),
              ElementsAre(HasSubstr("timeout: \"0\" is out of range")));
  EXPECT_THAT(errors_of("interfaces = ['eth1']\ndevice = 5\n"),
              ElementsAre(HasSubstr("device: expected [[device]] in double brackets")));
}

TEST(InitiatorConfigFile, ChecksOfSeveralValues) {
  EXPECT_THAT(errors_of(""), ElementsAre(HasSubstr("interfaces: missing")));
  EXPECT_THAT(errors_of("interfaces = ['auto', 'eth1']"), ElementsAre(HasSubstr("beside other")));
  EXPECT_THAT(errors_of("interfaces = 'auto'\nopen = 'configured'"),
              ElementsAre(HasSubstr("without any [[device]]")));
  EXPECT_THAT(errors_of("interfaces = 'auto'\ngroup = 'g'"),
              ElementsAre(HasSubstr("group: given without user")));
  EXPECT_THAT(errors_of("interfaces = 'auto'\n[[device]]\naddress = '7.1'\n[[device]]\n"
                        "address = 'e7.1'\n"),
              ElementsAre("i.toml:4:1: address: e7.1 is used twice (first at i.toml:2:1)"));
}

TEST(InitiatorConfigFile, ADumpReadsBackAsTheSame) {
  const InitiatorConfig config = good(
      "open = 'configured'\n[[device]]\naddress = '7.1'\nread_only = true\ntimeout = '1500ms'\n");
  const std::string text = dump(config);
  const LoadedConfig again = parse_config_text(text, "dump");
  EXPECT_THAT(lines_of(again.diagnostics.errors), IsEmpty());
  EXPECT_EQ(dump(again.config), text);
  EXPECT_TRUE(diff({config, again.config}).empty());
}

TEST(InitiatorReloadPlan, NoKeyOfADeviceNeedsItClosed) {
  const InitiatorConfig before = good("[[device]]\naddress = '7.1'\n[[device]]\naddress = '7.2'\n");
  for (const char* line : {"enabled = false", "read_only = true", "timeout = 5", "payload = 512",
                           "window = 3", "on_path_loss = 'fail'", "fast_io_fail = 5",
                           "device_loss = 'never'", "macs = '02:00:00:00:0a:10'", "serial = 'S'",
                           "instances = 'many'", "policy = 'active-passive'"}) {
    const InitiatorConfig after = good("[[device]]\naddress = '7.1'\n" + std::string(line) +
                                       "\n[[device]]\naddress = '7.2'\n");
    const config::ReloadPlan plan = diff({before, after});
    ASSERT_EQ(plan.changed.size(), 1U) << line;
    EXPECT_FALSE(plan.changed[0].needs_reopen()) << line;
    EXPECT_THAT(plan.unchanged, ElementsAre(kE72));
  }
}

}  // namespace
}  // namespace aoe::initiatord
