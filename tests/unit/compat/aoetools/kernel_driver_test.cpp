// The files of Linux's aoe driver, in directories of the test.
#include "compat/aoetools/commands.h"
#include "compat/aoetools/driver.h"
#include "unit/compat/aoetools/fake_host.h"
#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

TEST(KernelDriver, ReadsTheDisksOfSysfs) {
  FakeHost host;
  host.add_disk("e7.1", "204800\n", "eth0,eth1\n", "8704\n", "up\n");
  FakeHost::write(host.places.sys + "/block/etherd!e7.1p1/size", "100\n");
  FakeHost::write(host.places.sys + "/block/sda/size", "100\n");
  const auto devices = make_kernel_driver(host.places)->devices();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1U);
  const DeviceFiles& device = devices->front();
  EXPECT_EQ(device.name, "e7.1");
  EXPECT_EQ(device.sectors, 204800U);
  EXPECT_EQ(device.minor, 16U);
  EXPECT_EQ(device.netif, "eth0,eth1");
  EXPECT_EQ(device.payload, "8704");
  EXPECT_EQ(device.state, "up");
}

TEST(KernelDriver, WhatCannotBeReadIsAbsent) {
  FakeHost host;
  std::filesystem::create_directories(host.places.sys + "/block/etherd!e3.3");
  FakeHost::write(host.places.sys + "/block/etherd!e3.3/size", "nonsense\n");
  const auto devices = make_kernel_driver(host.places)->devices();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1U);
  EXPECT_EQ(devices->front().sectors, std::nullopt);
  EXPECT_EQ(devices->front().state, std::nullopt);
}

TEST(KernelDriver, WithoutSysfsThereIsNothingToRead) {
  FakeHost host;
  host.places.sys += "/nowhere";
  const auto devices = make_kernel_driver(host.places)->devices();
  ASSERT_FALSE(devices);
  EXPECT_EQ(devices.error().message, "sysfs is not mounted");
}

TEST(KernelDriver, RunsWhereItHasLeftAnyOfItsFiles) {
  FakeHost host;
  EXPECT_FALSE(kernel_driver_runs(host.places));
  FakeHost::write(host.places.sys + "/block/sda/size", "1\n");
  FakeHost::write(host.places.dev + "/etherd/discover", "");  // no device
  EXPECT_FALSE(kernel_driver_runs(host.places));
  host.add_disk("e7.1", "1\n", "eth0\n", "1024\n", "up\n");
  EXPECT_TRUE(kernel_driver_runs(host.places));

  FakeHost other;
  std::filesystem::create_directories(other.places.sys + "/module/aoe");
  EXPECT_TRUE(kernel_driver_runs(other.places));

  FakeHost third;
  third.add_control_file("discover");
  EXPECT_TRUE(kernel_driver_runs(third.places));
}

TEST(KernelDriver, IsAssumedWhereNothingRuns) {
  FakeHost host;
  const auto driver = open_driver(host.places, host.places.run + "/aoekit/initiator.sock");
  ASSERT_TRUE(driver) << driver.error().message;
  EXPECT_EQ((*driver)->check(Control::discover).error().message,
            host.places.dev + "/etherd/discover does not exist or is not writeable.");
}

TEST(KernelDriver, CommandsWriteWhatTheScriptsWrite) {
  struct Case {
    const char* file;
    int (*run)(const Call&, Driver&, Console&);
    std::vector<std::string> arguments;
    std::string written;
  };

  for (const Case& c : std::vector<Case>{
           {"discover", start_discovery, {}, "\n"},
           {"revalidate", revalidate_devices, {"e7.1"}, "e7.1\n"},
           {"revalidate", revalidate_devices, {"e7.1 e7.2", "e7.3"}, "e7.1\ne7.2\ne7.3\n"},
           {"flush", flush_devices, {}, "\n"},
           {"flush", flush_devices, {"-a"}, "all"},
           {"flush", flush_devices, {"e7.1"}, "e7.1"},
           {"interfaces", show_or_set_interfaces, {"eth0", "eth1"}, std::string("eth0 eth1\0", 10)},
           {"interfaces", show_or_set_interfaces, {"-c"}, std::string("\0", 1)}}) {
    FakeHost host;
    host.add_disk("e7.1", "1\n", "eth0\n", "1024\n", "up\n");
    for (const char* name : {"eth0", "eth1"}) {
      std::filesystem::create_directories(host.places.sys + "/class/net/" + name);
    }
    host.add_control_file(c.file);
    RecordingConsole console;
    const auto driver = make_kernel_driver(host.places);
    EXPECT_EQ(c.run(host.call("command", c.arguments), *driver, console), 0) << c.file;
    EXPECT_EQ(host.written(), c.written) << c.file;
    EXPECT_EQ(console.printed + console.complaints, "") << c.file;
  }
}

TEST(KernelDriver, TheParameterOfTheModuleGoesBeforeTheControlFile) {
  FakeHost host;
  const std::string parameter = host.places.sys + "/module/aoe/parameters/aoe_iflist";
  FakeHost::write(parameter, "eth0 eth3\n");
  const auto driver = make_kernel_driver(host.places);
  EXPECT_EQ(*driver->interfaces(), "eth0 eth3\n");
  ASSERT_TRUE(driver->check(Control::interfaces));
  ASSERT_TRUE(driver->set_interfaces({"eth1"}));
  std::ifstream file(parameter, std::ios::binary);
  std::string text(16, 'x');
  file.read(text.data(), 5);
  EXPECT_EQ(text.substr(0, 5), std::string("eth1\0", 5));
}

TEST(KernelDriver, SaysWhichVersionRuns) {
  FakeHost host;
  EXPECT_EQ(make_kernel_driver(host.places)->running_version(), std::nullopt);
  std::filesystem::create_directories(host.places.sys + "/module/aoe");
  EXPECT_EQ(make_kernel_driver(host.places)->running_version(), "(unknown)");
  FakeHost::write(host.places.sys + "/module/aoe/version", "85\n");
  EXPECT_EQ(make_kernel_driver(host.places)->running_version(), "85");
}

}  // namespace
}  // namespace aoe::compat::aoetools
