// The parameters of the Linux driver in the daemon's file.
#include "initiatord/config_file.h"
#include "support/diagnostics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::initiatord {
namespace {

using config::lines_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DriverParameters, SetWhatDevicesHaveThatSayNothingElse) {
  const LoadedConfig loaded = parse_config_text(
      "aoe_iflist = \"eth1, eth2\"\naoe_deadsecs = 60\naoe_maxout = 8\naoe_maxsectors = 64\n"
      "[[device]]\naddress = \"7.1\"\n"
      "[[device]]\naddress = \"7.2\"\ntimeout = \"5s\"\nwindow = 2\n",
      "file");
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  const InitiatorConfig& config = loaded.config;
  EXPECT_THAT(config.interfaces, ElementsAre("eth1", "eth2"));
  EXPECT_EQ(config.request_sectors_max, 64U);
  const DeviceConfig found = found_device(config.defaults, {Shelf{9}, Slot{9}});
  EXPECT_EQ(found.address, (DeviceAddress{Shelf{9}, Slot{9}}));
  EXPECT_EQ(found.timeout, Duration::seconds(60));
  EXPECT_EQ(found.device_loss, Duration::seconds(60));
  EXPECT_EQ(found.window_frames, 8U);
  ASSERT_EQ(config.devices.size(), 2U);
  EXPECT_EQ(config.devices[0].timeout, Duration::seconds(60));
  EXPECT_EQ(config.devices[0].window_frames, 8U);
  EXPECT_EQ(config.devices[1].timeout, Duration::seconds(5));
  EXPECT_EQ(config.devices[1].device_loss, Duration::seconds(60));
  EXPECT_EQ(config.devices[1].window_frames, 2U);
}

TEST(DriverParameters, KeepTheMeaningsOfZeroAndOfNothing) {
  const LoadedConfig loaded =
      parse_config_text("aoe_iflist = \"\"\naoe_deadsecs = 0\naoe_maxsectors = 2560\n", "file");
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(loaded.config.interfaces, ElementsAre("auto"));
  EXPECT_EQ(loaded.config.defaults.timeout, Duration{});
  EXPECT_EQ(loaded.config.request_sectors_max, kRequestSectorsMax);
}

TEST(DriverParameters, ADumpReadsBackTheSame) {
  const LoadedConfig loaded = parse_config_text(
      "aoe_iflist = \"eth1\"\naoe_deadsecs = 60\naoe_maxout = 8\naoe_maxsectors = 64\n", "file");
  const std::string text = dump(loaded.config);
  EXPECT_THAT(text, HasSubstr("interfaces = [\"eth1\"]\n"));
  EXPECT_THAT(text, HasSubstr("aoe_deadsecs = 60\naoe_maxout = 8\naoe_maxsectors = 64\n"));
  EXPECT_EQ(dump(parse_config_text(text, "dump").config), text);
}

TEST(DriverParameters, AreRefusedOutOfRangeAndBesideTheirOtherName) {
  const LoadedConfig loaded = parse_config_text(
      "interfaces = [\"eth1\"]\naoe_iflist = \"eth2\"\naoe_deadsecs = -1\naoe_maxout = 0\n"
      "aoe_maxsectors = 7\n",
      "file");
  EXPECT_THAT(
      lines_of(loaded.diagnostics.errors),
      ElementsAre(HasSubstr("aoe_deadsecs: "), HasSubstr("aoe_maxout: "),
                  HasSubstr("aoe_maxsectors: "), HasSubstr("aoe_iflist: beside interfaces")));
}

}  // namespace
}  // namespace aoe::initiatord
