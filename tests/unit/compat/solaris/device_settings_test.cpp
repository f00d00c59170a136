#include "compat/solaris/device_settings.h"

#include <gtest/gtest.h>

namespace aoe::compat::solaris {
namespace {

using control::Json;

Json devices_of(const std::string& entries) {
  const AoedConf conf = parse_aoed_conf(entries);
  EXPECT_TRUE(conf.problems.empty());
  return settings_of(conf.devices, "/etc/aoed.conf").at("devices");
}

const std::string kE17 = R"(name="aoed" parent="pseudo" instance=107 aoechan=0 aoemaj=1 aoemin=7)";
const std::string kE17OnTwo =
    R"(name="aoed" parent="pseudo" instance=2107 aoechan=2 aoemaj=1 aoemin=7)";

TEST(DeviceSettings, OnlyWhatAnEntryAsksForIsSet) {
  EXPECT_EQ(devices_of(kE17 + ";"), Json::object());
  EXPECT_EQ(devices_of(kE17 + " hd=16 sec=63;"), Json::object());
  EXPECT_EQ(devices_of(kE17 + " maxbuf=3;"), (Json{{"e1.7", {{"window_frames", 3}}}}));
}

TEST(DeviceSettings, SizesAreWholeSectorsAndATimeoutIsTriedManyTimes) {
  EXPECT_EQ(devices_of(kE17 + " timeout=200 maxdata=1535;"),
            (Json{{"e1.7", {{"timeout_ns", 4'000'000'000}, {"payload_bytes", 1024}}}}));
  EXPECT_EQ(devices_of(kE17 + " timeout=1;"), (Json{{"e1.7", {{"timeout_ns", 100'000'000}}}}));
  EXPECT_EQ(devices_of(kE17 + " timeout=3600000;"),
            (Json{{"e1.7", {{"timeout_ns", 72'000'000'000'000}}}}));
}

TEST(DeviceSettings, OfADeviceOnTwoChannelsTheSmallerSizesAndTheLongerTimeCount) {
  EXPECT_EQ(
      devices_of(kE17 + " timeout=300 maxdata=4096 maxbuf=2;\n" + kE17OnTwo +
                 " timeout=200 maxdata=1024 maxbuf=8;"),
      (Json{{"e1.7",
             {{"timeout_ns", 6'000'000'000}, {"payload_bytes", 1024}, {"window_frames", 2}}}}));
}

}  // namespace
}  // namespace aoe::compat::solaris
