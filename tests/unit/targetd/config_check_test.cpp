#include "targetd/config_check.h"

#include "support/diagnostics_text.h"
#include "targetd/export_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

namespace aoe::targetd {
namespace {

using config::Diagnostics;
using config::lines_of;

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TargetConfig config_of(std::initializer_list<std::string_view> exports) {
  TargetConfig config;
  config.interfaces = {"eth1", "eth2"};
  config.origin = "command line";
  Diagnostics diagnostics;
  for (const std::string_view text : exports) {
    config.exports.push_back(parse_export_spec(text, "-e", diagnostics).value().config);
  }
  EXPECT_THAT(lines_of(diagnostics.errors), IsEmpty());
  return config;
}

std::vector<std::string> errors_of(std::initializer_list<std::string_view> exports) {
  return lines_of(validate(config_of(exports)).errors);
}

std::vector<std::string> warnings_of(std::initializer_list<std::string_view> exports) {
  return lines_of(validate(config_of(exports)).warnings);
}

TEST(ConfigCheck, GoodConfigurationsPass) {
  const Diagnostics diagnostics = validate(
      config_of({"7.1=/a,interfaces=eth2,shadow=/s1,serial=A", "7.2=/b,shadow=/s2,serial=B",
                 "7.3=/c", "8.1=/d,offset=8,length=281474976710648"}));
  EXPECT_THAT(lines_of(diagnostics.errors), IsEmpty());
  EXPECT_THAT(lines_of(diagnostics.warnings), IsEmpty());
}

TEST(ConfigCheck, AddressUsedTwiceNamesBothPlaces) {
  EXPECT_THAT(errors_of({"7.1=/a", "7.2=/b", "e7.1=/c"}),
              ElementsAre("-e e7.1=/c: address: e7.1 is used twice (first at -e 7.1=/a)"));
}

TEST(ConfigCheck, SerialUsedTwiceNamesBothPlaces) {
  EXPECT_THAT(errors_of({"7.1=/a,serial=X", "7.2=/b,serial=X"}),
              ElementsAre("-e 7.2=/b,serial=X: serial: \"X\" is used by e7.1 too (at -e "
                          "7.1=/a,serial=X): multipath software would take the two for one disk"));
}

TEST(ConfigCheck, ShadowBelongsToOneExportAndIsNoStore) {
  EXPECT_THAT(errors_of({"7.1=/a,shadow=/s", "7.2=/b,shadow=/s"}),
              ElementsAre("-e 7.2=/b,shadow=/s: shadow: \"/s\" is used by e7.1 too (at -e "
                          "7.1=/a,shadow=/s): every export needs a shadow of its own"));
  EXPECT_THAT(
      errors_of({"7.1=/a,shadow=/a"}),
      ElementsAre("-e 7.1=/a,shadow=/a: shadow: \"/a\" is the store itself: expected another "
                  "file"));
  EXPECT_EQ(errors_of({"7.1=file:/a,shadow=/a"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,overlay=/o"}).size(), 0U);
  EXPECT_THAT(errors_of({"7.1=/a,overlay=/o,mode=read-only"}),
              ElementsAre("-e 7.1=/a,overlay=/o,mode=read-only: overlay: given with "
                          "mode=read-only: expected one of the two (a store with overlays is never "
                          "written to)"));
  EXPECT_EQ(errors_of({"7.1=/a,overlay=/o,shadow=/s"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=memory:1M,overlay=/o"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,snapshots=/n,integrity=/i"}).size(), 0U);
  EXPECT_EQ(errors_of({"7.1=/a,snapshots=/n,mode=read-only"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,snapshots=/n,overlay=/o"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,integrity=/i", "7.2=/b,integrity=/i"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,integrity=/i,overlay=/o"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=null:1M,integrity=/i"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,integrity=/i,cache=1M"}).size(), 1U);
  EXPECT_EQ(errors_of({"7.1=/a,overlay=/o,cache=1M"}).size(), 1U);
}

TEST(ConfigCheck, InterfacesOfAnExportAreTheDaemons) {
  EXPECT_THAT(errors_of({"7.1=/a,interfaces=eth1+eth3"}),
              ElementsAre("-e 7.1=/a,interfaces=eth1+eth3: interfaces: \"eth3\" is none of the "
                          "daemon's: expected some of eth1, eth2"));
}

TEST(ConfigCheck, WindowEndsBelowTheLastLba) {
  EXPECT_THAT(errors_of({"7.1=/a,offset=9,length=281474976710648"}),
              ElementsAre("-e 7.1=/a,offset=9,length=281474976710648: length: offset 9 + length "
                          "281474976710648 sectors is more than 281474976710656 (2^48)"));
}

TEST(ConfigCheck, GroupNeedsUser) {
  TargetConfig config = config_of({"7.1=/a"});
  config.group = "disk";
  EXPECT_THAT(lines_of(validate(config).errors),
              ElementsAre("command line: group: given without user: expected both or user alone"));
  config.user = "aoekit";
  EXPECT_THAT(lines_of(validate(config).errors), IsEmpty());
}

TEST(ConfigCheck, NoFrameLifeIsWarnedOf) {
  TargetConfig config = config_of({"7.1=/a"});
  EXPECT_THAT(lines_of(validate(config).warnings), IsEmpty());
  config.frame_life = Duration{};
  EXPECT_EQ(validate(config).warnings.size(), 1U);
}

TEST(ConfigCheck, SeveralShardsNeedPacketSockets) {
  TargetConfig config = config_of({"7.1=/a"});
  config.port = PortKind::xdp;
  EXPECT_THAT(lines_of(validate(config).errors), IsEmpty());
  config.shards = 2;
  EXPECT_EQ(validate(config).errors.size(), 1U);
  config.shards = 0;
  EXPECT_EQ(validate(config).errors.size(), 1U);
  config.port = PortKind::packet;
  EXPECT_THAT(lines_of(validate(config).errors), IsEmpty());
}

TEST(ConfigCheck, SharedSectorsAreWarnedOf) {
  EXPECT_THAT(warnings_of({"7.1=/a", "7.2=file:/a,mode=read-only"}),
              ElementsAre("-e 7.2=file:/a,mode=read-only: store: e7.1 and e7.2 share sectors of "
                          "\"/a\", and not both are read-only"));
  EXPECT_EQ(warnings_of({"7.1=/a,length=10", "7.2=/a,offset=9"}).size(), 1U);
  EXPECT_THAT(warnings_of({"7.1=/a,length=10", "7.2=/a,offset=10"}), IsEmpty());
  EXPECT_THAT(warnings_of({"7.1=/a,mode=read-only", "7.2=/a,mode=read-only"}), IsEmpty());
  EXPECT_THAT(warnings_of({"7.1=memory:1M", "7.2=memory:1M"}), IsEmpty());
}

TEST(ConfigCheck, AdministratorWithoutAccessIsWarnedOf) {
  EXPECT_THAT(
      warnings_of({"7.1=/a,allow=02:00:00:00:00:01,remote_admin=02:00:00:00:00:01+020000000002"}),
      ElementsAre("-e 7.1=/a,allow=02:00:00:00:00:01,remote_admin=02:00:00:00:00:01+020000000002: "
                  "remote_admin: 02:00:00:00:00:02 is not in allow and cannot reach e7.1"));
  EXPECT_THAT(warnings_of({"7.1=/a,allow=any,remote_admin=020000000002"}), IsEmpty());
}

}  // namespace
}  // namespace aoe::targetd
