// What the commands print and how they end, whichever driver there is.
#include "compat/aoetools/commands.h"
#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::compat::aoetools {
namespace {

class FakeDriver final : public Driver {
 public:
  Result<std::vector<DeviceFiles>> devices() override { return known; }

  Result<void> check(Control /*control*/) override { return missing; }

  Result<void> discover() override { return told("discover"); }

  Result<void> revalidate(const std::string& device) override {
    return told("revalidate " + device);
  }

  Result<void> flush(const std::string& what) override { return told("flush " + what); }

  Result<std::string> interfaces() override {
    return list ? Result<std::string>(*list) : fail_with(Errc::not_found, 0, "no list");
  }

  bool is_interface(const std::string& name) override { return name.starts_with("eth"); }

  Result<void> set_interfaces(const std::vector<std::string>& names) override {
    std::string all = "interfaces";
    for (const std::string& name : names) {
      all += " " + name;
    }
    return told(all);
  }

  std::optional<std::string> running_version() override { return running; }

  std::vector<DeviceFiles> known{DeviceFiles{.name = "e7.1",
                                             .minor = {},
                                             .sectors = 2048,
                                             .netif = "eth0",
                                             .state = "up",
                                             .payload = "8192"},
                                 DeviceFiles{.name = "e7.2",
                                             .minor = {},
                                             .sectors = 0,
                                             .netif = "eth0",
                                             .state = "down",
                                             .payload = "8192"}};
  Result<void> missing;
  Result<void> outcome;
  std::optional<std::string> list = "eth0\n";
  std::optional<std::string> running;
  std::string orders;

 private:
  Result<void> told(const std::string& what) {
    orders += what + "\n";
    return outcome;
  }
};

class DriverCommands : public ::testing::Test {
 protected:
  int run(int (*command)(const Call&, Driver&, Console&), const std::string& name,
          std::vector<std::string> arguments = {}) {
    console.printed.clear();
    console.complaints.clear();
    driver.orders.clear();
    return command({.name = name, .arguments = std::move(arguments), .called = name, .places = {}},
                   driver, console);
  }

  FakeDriver driver;
  RecordingConsole console;
};

TEST_F(DriverCommands, StatListsAndFilters) {
  EXPECT_EQ(run(show_devices, "aoe-stat"), 0);
  EXPECT_EQ(console.printed,
            "      e7.1         0.001GB       eth0 8192  up            \n"
            "      e7.2         0.000GB       eth0 8192  down          \n");
  EXPECT_EQ(run(show_devices, "aoe-stat", {"e7\\.2"}), 0);
  EXPECT_EQ(console.printed, "      e7.2         0.000GB       eth0 8192  down          \n");
  EXPECT_EQ(run(show_devices, "aoe-stat", {"down *$"}), 0);
  EXPECT_EQ(std::count(console.printed.begin(), console.printed.end(), '\n'), 1);
}

TEST_F(DriverCommands, StatOfNothingFailsAsGrepDoesUnlessStrict) {
  EXPECT_EQ(run(show_devices, "aoe-stat", {"e9"}), 1);
  EXPECT_EQ(console.printed + console.complaints, "");
  EXPECT_EQ(run(show_devices, "aoe-stat", {"--strict", "e9"}), 0);
  EXPECT_EQ(run(show_devices, "aoe-stat", {"\\("}), 2);
  EXPECT_THAT(console.complaints, testing::StartsWith("aoe-stat Error: \\(: not a regular"));
}

TEST_F(DriverCommands, AMissingDriverIsSaidInTheWordsOfTheScripts) {
  driver.missing = fail_with(Errc::invalid_argument, 0,
                             "/dev/etherd/discover is not a character device file\n"
                             "use udev or aoe-mkdevs to create it");
  EXPECT_EQ(run(start_discovery, "aoe-discover"), 1);
  EXPECT_EQ(console.complaints,
            "aoe-discover: /dev/etherd/discover is not a character device file\n"
            "aoe-discover: use udev or aoe-mkdevs to create it\n");
  EXPECT_EQ(driver.orders, "");
}

TEST_F(DriverCommands, InterfacesAreShownSetAndCleared) {
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces"), 0);
  EXPECT_EQ(console.printed, "eth0\n");
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces", {"eth0 eth1", "eth2"}), 0);
  EXPECT_EQ(driver.orders, "interfaces eth0 eth1 eth2\n");
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces", {"-c"}), 0);
  EXPECT_EQ(driver.orders, "interfaces\n");
}

TEST_F(DriverCommands, InterfacesRefusesWhatIsNone) {
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces", {"lan", "eth0", "wan"}), 1);
  EXPECT_EQ(console.complaints,
            "aoe-interfaces Error: \"lan\" is not a network interface\n"
            "aoe-interfaces Error: \"wan\" is not a network interface\n");
  EXPECT_EQ(driver.orders, "");
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces", {"-c", "eth0"}), 1);
  EXPECT_EQ(console.complaints, "aoe-interfaces Error: -c flag takes no arguments\n");
  driver.list.reset();
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces"), 1);
  EXPECT_EQ(console.complaints, "");
  EXPECT_EQ(run(show_or_set_interfaces, "aoe-interfaces", {"--strict"}), 1);
  EXPECT_EQ(console.complaints, "aoe-interfaces: no list\n");
}

TEST_F(DriverCommands, RevalidateAsksForEachDevice) {
  EXPECT_EQ(run(revalidate_devices, "aoe-revalidate", {"e7.1", "e7.2"}), 0);
  EXPECT_EQ(driver.orders, "revalidate e7.1\nrevalidate e7.2\n");
  EXPECT_EQ(run(revalidate_devices, "aoe-revalidate"), 1);
  EXPECT_EQ(console.complaints, "Usage: aoe-revalidate e{major}.{minor}\n");
  driver.outcome = fail_with(Errc::not_found, 0, "e9.9: no such device");
  EXPECT_EQ(run(revalidate_devices, "aoe-revalidate", {"e9.9"}), 1);
  EXPECT_EQ(console.complaints,
            "aoe-revalidate: e9.9: no such device\naoe-revalidate: revalidate failed\n");
}

TEST_F(DriverCommands, FlushTakesWhatItIsTold) {
  EXPECT_EQ(run(flush_devices, "aoe-flush"), 0);
  EXPECT_EQ(driver.orders, "flush \n");
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"-a"}), 0);
  EXPECT_EQ(driver.orders, "flush all\n");
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"e7.1", "e7.2"}), 0);
  EXPECT_EQ(driver.orders, "flush e7.1\nflush e7.2\n");
}

TEST_F(DriverCommands, FlushSaysWhatIsNoDeviceWhereTheScriptDoes) {
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"e7.1", "e9.9"}), 1);
  EXPECT_EQ(console.printed, "aoe-flush Error: \"e9.9\" is not an aoe device\n");
  EXPECT_EQ(console.complaints, "");
  EXPECT_EQ(driver.orders, "");
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"--strict", "e9.9"}), 1);
  EXPECT_EQ(console.printed, "");
  EXPECT_EQ(console.complaints, "aoe-flush Error: \"e9.9\" is not an aoe device\n");
  driver.outcome = fail_with(Errc::busy, 0, "e7.1: flush: its file is open");
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"e7.1"}), 1);
  EXPECT_EQ(console.complaints,
            "aoe-flush: e7.1: flush: its file is open\naoe-flush: flush failed\n");
}

TEST_F(DriverCommands, VersionHasThreeLines) {
  EXPECT_EQ(run(show_versions, "aoe-version"), 0);
  EXPECT_THAT(console.printed, testing::StartsWith("              aoetools:\t36\n"
                                                   "  installed aoe driver:\t"));
  EXPECT_THAT(console.printed, testing::EndsWith("\n    running aoe driver:\t(none)\n"));
  driver.running = "85";
  EXPECT_EQ(run(show_versions, "aoe-version"), 0);
  EXPECT_THAT(console.printed, testing::EndsWith("    running aoe driver:\t85\n"));
}

TEST_F(DriverCommands, HelpIsForStandardOutputAndAWrongOptionForTheOther) {
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"--help"}), 0);
  EXPECT_THAT(console.printed, testing::StartsWith("usage: aoe-flush"));
  EXPECT_EQ(driver.orders, "");
  EXPECT_EQ(run(flush_devices, "aoe-flush", {"-x"}), 1);
  EXPECT_THAT(console.complaints, testing::StartsWith("aoe-flush: invalid option -- 'x'\nusage: "));
  EXPECT_EQ(driver.orders, "");
}

}  // namespace
}  // namespace aoe::compat::aoetools
