// Which devices are opened, kept and given up, over a core with a scripted target.
#include "initiatord/device_keeper.h"

#include "initiatord/config_file.h"
#include "unit/initiator/core_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace aoe::initiatord {
namespace {

using initiator::CoreWorld;
using initiator::FakeTarget;
using initiator::kE71;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr DeviceAddress kE72{Shelf{7}, Slot{2}};

initiator::CoreOptions small_core() {
  initiator::CoreOptions options;
  options.limits.devices_max = 2;
  return options;
}

InitiatorConfig config_of(const std::string& text) {
  LoadedConfig loaded = parse_config_text("interfaces = 'auto'\n" + text, "i.toml");
  EXPECT_TRUE(loaded.diagnostics.ok());
  return std::move(loaded.config);
}

class DeviceKeeperTest : public ::testing::Test {
 protected:
  DeviceKeeperTest() { world.port_up(); }

  // Lets the target answer everything, and tells the keeper what the core tells.
  void run() {
    for (int i = 0; i < 4; ++i) {
      world.core->handle_timeout(world.now);
      world.run(target);
      for (const initiator::Event& event : world.events()) {
        keeper.handle_event(world.now, event);
      }
    }
  }

  void announce(DeviceAddress address) {
    target.address = address;
    world.core->discover(address);
    run();
  }

  [[nodiscard]] bool is_up(DeviceAddress address) {
    const KeptDevice* device = keeper.find(address);
    const initiator::Device* view = device == nullptr ? nullptr : keeper.view(*device);
    return view != nullptr && view->is_up();
  }

  std::vector<std::string> reload(const InitiatorConfig& running, const InitiatorConfig& wanted) {
    return keeper.reconfigure(world.now, diff({running, wanted}), wanted);
  }

  const InitiatorConfig kFound = config_of("");
  const InitiatorConfig kOnlyE71 = config_of("open = 'configured'\n[[device]]\naddress = '7.1'\n");
  CoreWorld world{small_core()};
  FakeTarget target;
  DeviceKeeper keeper{*world.core, {.devices_max = 2}};
};

TEST_F(DeviceKeeperTest, WhatIsFoundHasWhatTheFileSaysForAll) {
  const InitiatorConfig few = config_of("aoe_deadsecs = 60\naoe_maxout = 8\n");
  const InitiatorConfig many = config_of("aoe_deadsecs = 30\naoe_maxout = 9\n");
  keeper.start(world.now, few);
  announce(kE71);
  ASSERT_TRUE(is_up(kE71));
  EXPECT_EQ(keeper.find(kE71)->config.timeout, Duration::seconds(60));
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->settings().window_max, 8U);
  EXPECT_TRUE(reload(few, many).empty());
  EXPECT_EQ(keeper.find(kE71)->config.device_loss, Duration::seconds(30));
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->settings().window_max, 9U);
}

TEST_F(DeviceKeeperTest, EveryKeyOfTheFileReachesTheCore) {
  keeper.start(world.now, config_of(R"([[device]]
address = '7.1'
read_only = true
timeout = '7s'
on_path_loss = 'fail'
fast_io_fail = '3s'
device_loss = '5s'
policy = 'round-robin'
payload = 1024
window = 9
macs = ['02:00:00:00:00:99']
serial = 'S9'
instances = 'many'
)"));
  const initiator::DeviceSettings& settings = keeper.view(*keeper.find(kE71))->settings();
  EXPECT_EQ(settings.access, initiator::DeviceSettings::Access::read_only);
  EXPECT_EQ(settings.deadline, Duration::seconds(7));
  EXPECT_EQ(settings.loss.on_path_loss, initiator::OnPathLoss::fail);
  EXPECT_EQ(settings.loss.fast_io_fail, Duration::seconds(3));
  EXPECT_EQ(settings.loss.device_loss, Duration::seconds(5));
  EXPECT_EQ(settings.policy, initiator::PathPolicy::round_robin);
  EXPECT_EQ(settings.payload_sectors_max, 2U);
  EXPECT_EQ(settings.window_max, 9U);
  EXPECT_THAT(settings.pinned_macs, ElementsAre(MacAddress{{2, 0, 0, 0, 0, 0x99}}));
  EXPECT_EQ(settings.pinned_serial, "S9");
  EXPECT_EQ(settings.instances, initiator::DeviceSettings::Instances::many);
}

TEST_F(DeviceKeeperTest, AnotherDiskThanWasExpectedIsNotUsed) {
  keeper.start(world.now, kOnlyE71);
  protocol::IdentifyModel expected = target.disk;
  expected.serial = "S0";
  keeper.expect_disk(*keeper.find(kE71), expected);
  announce(kE71);
  EXPECT_FALSE(is_up(kE71));
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->paths().at(0).quarantine,
            initiator::QuarantineReason::identity);
}

TEST_F(DeviceKeeperTest, TheExpectedDiskIsUsedAndItsNewSizeIsAChange) {
  keeper.start(world.now, kOnlyE71);
  protocol::IdentifyModel expected = target.disk;
  expected.sector_count = 2048;
  keeper.expect_disk(*keeper.find(kE71), expected);
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->sectors(), 2048U);
  world.core->discover(kE71);
  bool was_resized = false;
  for (int i = 0; i < 4; ++i) {
    world.core->handle_timeout(world.now);
    world.run(target);
    was_resized = was_resized || world.saw(initiator::EventKind::device_resized);
  }
  EXPECT_TRUE(is_up(kE71));
  EXPECT_TRUE(was_resized);
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->sectors(), target.disk.sector_count);
  // Once it has identified itself nothing is expected any more.
  expected.serial = "S0";
  keeper.expect_disk(*keeper.find(kE71), expected);
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->identity()->serial, target.disk.serial);
}

TEST_F(DeviceKeeperTest, OpensWhatIsFound) {
  keeper.start(world.now, kFound);
  announce(kE71);
  EXPECT_TRUE(is_up(kE71));
  EXPECT_FALSE(keeper.find(kE71)->is_configured());
  EXPECT_EQ(keeper.find(*keeper.find(kE71)->id), keeper.find(kE71));
}

TEST_F(DeviceKeeperTest, OpensOnlyWhatIsConfiguredWhenToldSo) {
  keeper.start(world.now, kOnlyE71);
  announce(kE72);
  EXPECT_EQ(keeper.find(kE72), nullptr);
  announce(kE71);
  EXPECT_TRUE(is_up(kE71));
}

TEST_F(DeviceKeeperTest, MadeUpDevicesMakeRoomForRealOnes) {
  keeper.start(world.now, kFound);
  // Their targets answer for themselves, but never identify themselves.
  for (const std::uint8_t slot : {std::uint8_t{5}, std::uint8_t{6}}) {
    keeper.handle_event(
        world.now, {.kind = initiator::EventKind::target_found, .address = {Shelf{7}, Slot{slot}}});
    world.now = world.now + Duration::milliseconds(1);
  }
  announce(kE71);
  EXPECT_TRUE(is_up(kE71));
  EXPECT_EQ(keeper.find({Shelf{7}, Slot{5}}), nullptr) << "the oldest goes";
  announce(kE72);
  EXPECT_TRUE(is_up(kE72));
  announce({Shelf{7}, Slot{3}});
  EXPECT_EQ(keeper.find({Shelf{7}, Slot{3}}), nullptr) << "what has been up stays";
  EXPECT_TRUE(is_up(kE71));
}

TEST_F(DeviceKeeperTest, DisabledStaysClosedUntilEnabled) {
  keeper.start(world.now, kFound);
  announce(kE71);
  ASSERT_TRUE(keeper.disable(world.now, kE71, Force::no));
  announce(kE71);
  EXPECT_EQ(keeper.view(*keeper.find(kE71)), nullptr);
  ASSERT_TRUE(keeper.enable(world.now, kE71));
  run();
  EXPECT_TRUE(is_up(kE71));
  EXPECT_EQ(keeper.enable(world.now, kE72).error().code, Errc::not_found);
}

TEST_F(DeviceKeeperTest, WhatIsInUseIsNotTakenAway) {
  keeper.start(world.now, kFound);
  announce(kE71);
  keeper.find(kE71)->users.block_device = "/dev/loop7";
  EXPECT_EQ(keeper.disable(world.now, kE71, Force::no).error().code, Errc::busy);
  EXPECT_THAT(keeper.flush_one(world.now, kE71).error().message,
              HasSubstr("e7.1: flush: attached as /dev/loop7"));
  const FlushReport report = keeper.flush(world.now, FlushScope::all);
  EXPECT_THAT(report.flushed, IsEmpty());
  ASSERT_EQ(report.kept.size(), 1U);
  EXPECT_EQ(report.kept[0].address, kE71);
  EXPECT_EQ(keeper.users(), "e7.1: attached as /dev/loop7");
  EXPECT_TRUE(is_up(kE71));
  ASSERT_TRUE(keeper.disable(world.now, kE71, Force::yes));
  EXPECT_FALSE(is_up(kE71));
}

TEST_F(DeviceKeeperTest, AFlushedDeviceIsFoundAgainWhenItAnswers) {
  keeper.start(world.now, kFound);
  announce(kE71);
  keeper.look_for_answers(world.now);
  ASSERT_TRUE(keeper.flush_one(world.now, kE71));
  EXPECT_EQ(keeper.find(kE71), nullptr);
  keeper.look_for_answers(world.now);
  EXPECT_EQ(keeper.find(kE71), nullptr) << "an old answer brings nothing back";
  world.now = world.now + Duration::seconds(1);
  announce(kE71);
  EXPECT_EQ(keeper.find(kE71), nullptr) << "for the core it is no find";
  keeper.look_for_answers(world.now);
  run();
  EXPECT_TRUE(is_up(kE71));
}

TEST_F(DeviceKeeperTest, FlushingAConfiguredDeviceForgetsItsDisk) {
  keeper.start(world.now, kOnlyE71);
  announce(kE71);
  target.disk.serial = "ANOTHER";
  ASSERT_TRUE(keeper.flush_one(world.now, kE71));
  ASSERT_NE(keeper.find(kE71), nullptr);
  run();
  ASSERT_TRUE(is_up(kE71));
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->identity()->serial, "ANOTHER");
}

TEST_F(DeviceKeeperTest, FlushWithoutANameTakesOnlyWhatIsDown) {
  keeper.start(world.now, kFound);
  announce(kE71);
  EXPECT_THAT(keeper.flush(world.now, FlushScope::down).flushed, IsEmpty());
  world.port_down();
  EXPECT_THAT(keeper.flush(world.now, FlushScope::down).flushed, ElementsAre(kE71));
}

TEST_F(DeviceKeeperTest, AReloadChangesSettingsUnderTheUsers) {
  keeper.start(world.now, kOnlyE71);
  announce(kE71);
  keeper.find(kE71)->users.open_files = 1;
  const auto same = keeper.find(kE71)->id;
  const InitiatorConfig two = config_of(
      "open = 'configured'\n[[device]]\naddress = '7.1'\npayload = 512\n[[device]]\naddress = "
      "'7.2'\n");
  EXPECT_THAT(reload(kOnlyE71, two), IsEmpty());
  EXPECT_EQ(keeper.find(kE71)->id, same);
  EXPECT_TRUE(is_up(kE71));
  EXPECT_EQ(keeper.view(*keeper.find(kE71))->settings().payload_sectors_max, 1U);
  ASSERT_NE(keeper.find(kE72), nullptr);
  EXPECT_THAT(reload(two, kOnlyE71), IsEmpty());
  EXPECT_EQ(keeper.find(kE72), nullptr);
}

TEST_F(DeviceKeeperTest, AReloadDoesNotTakeADeviceFromItsUsers) {
  keeper.start(world.now, kOnlyE71);
  announce(kE71);
  keeper.find(kE71)->users.open_files = 1;
  const InitiatorConfig off =
      config_of("open = 'configured'\n[[device]]\naddress = '7.1'\nenabled = false\n");
  EXPECT_THAT(reload(kOnlyE71, off), ElementsAre(HasSubstr("e7.1: disable: its file is open")));
  EXPECT_TRUE(is_up(kE71));
  const InitiatorConfig other = config_of("open = 'configured'\n[[device]]\naddress = '7.2'\n");
  static_cast<void>(reload(off, other));
  EXPECT_TRUE(is_up(kE71)) << "it goes when nobody uses it";
}

constexpr const char* kBothConfigured =
    "[[device]]\naddress = '7.1'\ntimeout = '30s'\npayload = 4096\n"
    "[[device]]\naddress = '7.2'\n";

DeviceOverrides overrides_of(const std::string& devices) {
  auto parsed = parse_overrides(
      control::Json{{"devices", control::Json::parse(devices)}, {"origin", "/etc/aoed.conf"}});
  EXPECT_TRUE(parsed.has_value());
  return parsed ? *std::move(parsed) : DeviceOverrides{};
}

TEST_F(DeviceKeeperTest, OverriddenSettingsAreInForceAtOnceAndOnlyWhatChangedIsTold) {
  keeper.start(world.now, config_of(kBothConfigured));
  announce(kE71);
  ASSERT_TRUE(is_up(kE71));
  const std::string wish = R"({"e7.1": {"payload_bytes": 1024, "window_frames": 3}})";
  EXPECT_THAT(keeper.override_settings(world.now, overrides_of(wish)), ElementsAre(kE71));
  EXPECT_TRUE(is_up(kE71));
  const KeptDevice& device = *keeper.find(kE71);
  EXPECT_EQ(device.config.payload_bytes, 1024U);
  EXPECT_EQ(device.config.window_frames, 3U);
  EXPECT_EQ(device.config.timeout, Duration::seconds(30));
  EXPECT_EQ(keeper.view(device)->settings().payload_sectors_max, 2U);
  EXPECT_EQ(keeper.view(device)->settings().window_max, 3U);
  EXPECT_THAT(keeper.override_settings(world.now, overrides_of(wish)), IsEmpty());
  EXPECT_THAT(keeper.override_settings(world.now, overrides_of("{}")), ElementsAre(kE71));
  EXPECT_EQ(device.config.payload_bytes, 4096U);
  EXPECT_EQ(keeper.view(device)->settings().payload_sectors_max, 8U);
}

TEST_F(DeviceKeeperTest, OverridesSurviveAReloadAndMeetDevicesThatAreFoundLater) {
  const InitiatorConfig before = config_of("open = 'found'\n");
  keeper.start(world.now, before);
  EXPECT_THAT(
      keeper.override_settings(world.now, overrides_of(R"({"e7.1": {"timeout_ns": 4000000000}})")),
      IsEmpty());
  announce(kE71);
  ASSERT_TRUE(is_up(kE71));
  EXPECT_EQ(keeper.find(kE71)->config.timeout, Duration::seconds(4));
  EXPECT_FALSE(keeper.find(kE71)->is_configured());
  const InitiatorConfig after = config_of("[[device]]\naddress = '7.1'\ntimeout = '60s'\n");
  const auto plan = diff({.running = before, .wanted = after});
  EXPECT_THAT(keeper.reconfigure(world.now, plan, after), IsEmpty());
  EXPECT_TRUE(keeper.find(kE71)->is_configured());
  EXPECT_EQ(keeper.find(kE71)->config.timeout, Duration::seconds(4));
  EXPECT_EQ(keeper.find(kE71)->configured.timeout, Duration::seconds(60));
}

TEST(DeviceOverrides, WhatIsOutOfRangeIsRefusedByDeviceAndLimit) {
  const auto error_of = [](const std::string& devices) {
    const auto parsed = parse_overrides(control::Json{{"devices", control::Json::parse(devices)}});
    return parsed ? std::string() : parsed.error().message;
  };
  EXPECT_EQ(error_of(R"({"e7.1": {"timeout_ns": 0}})"), "");
  EXPECT_THAT(error_of(R"({"e7.1": {"timeout_ns": 1}})"),
              HasSubstr("settings of e7.1: timeout_ns"));
  EXPECT_THAT(error_of(R"({"e7.1": {"payload_bytes": 1000}})"), HasSubstr("a multiple of 512"));
  EXPECT_THAT(error_of(R"({"e7.1": {"window_frames": 65536}})"), HasSubstr("up to 65535"));
  EXPECT_THAT(error_of(R"({"e7.1": {"window_frames": "3"}})"), HasSubstr("window_frames"));
  EXPECT_THAT(error_of(R"({"e7": {}})"), HasSubstr("'e7': expected an address"));
  EXPECT_THAT(error_of(R"({"e7.1": 3})"), HasSubstr("not an object"));
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object"));
}

TEST(DeviceOverrides, AreToldInTheFormInWhichTheyCame) {
  const control::Json wish{
      {"devices", {{"e7.1", {{"payload_bytes", 1024}, {"window_frames", 3}, {"timeout_ns", 0}}}}},
      {"origin", "/etc/aoed.conf"}};
  const auto parsed = parse_overrides(wish);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(to_json(*parsed), wish);
}

}  // namespace
}  // namespace aoe::initiatord
