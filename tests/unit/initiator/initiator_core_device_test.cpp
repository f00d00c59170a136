// Discovery, identity, paths and their limits.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

TEST(CoreDevice, OpeningAsksForItByBroadcastThenIdentifiesByUnicast) {
  CoreWorld world;
  world.port_up();
  const DeviceId id = *world.core->open_device(world.now, kE71, {});
  world.core->handle_timeout(world.now);
  const std::vector<Sent> query = world.take_sent();
  ASSERT_EQ(query.size(), 1U);
  EXPECT_EQ(query[0].header.destination, MacAddress::broadcast());
  EXPECT_EQ(query[0].header.source, kHostMac);
  EXPECT_EQ(query[0].header.address, kE71);
  EXPECT_EQ(query[0].header.command, 1);

  FakeTarget target;
  world.receive(*target.answer(query[0]));
  EXPECT_FALSE(world.core->device(id)->is_up());
  const std::vector<Sent> identify = world.take_sent();
  ASSERT_EQ(identify.size(), 1U);
  EXPECT_EQ(identify[0].header.destination, kTargetMac);
  EXPECT_EQ(identify[0].ata().command_status, 0xEC);

  world.receive(*target.answer(identify[0]));
  EXPECT_FALSE(world.core->device(id)->is_up()) << "which protocol does it speak?";
  const std::vector<Sent> hello = world.take_sent();
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_TRUE(hello[0].is_hello());

  world.receive(*target.answer(hello[0]));
  EXPECT_TRUE(world.core->device(id)->is_up());
  EXPECT_EQ(world.core->device(id)->sectors(), 4096U);
  EXPECT_TRUE(world.saw(EventKind::device_up));
}

TEST(CoreDevice, RepeatsTheQueryWithBackOffUntilSomebodyAnswers) {
  CoreWorld world;
  world.port_up();
  static_cast<void>(*world.core->open_device(world.now, kE71, {}));
  int queries = 0;
  world.advance(Duration::seconds(1), [&](const Sent&) { ++queries; });
  EXPECT_GE(queries, 4);
  EXPECT_LE(queries, 6);
  queries = 0;
  world.advance(Duration::seconds(60), [&](const Sent&) { ++queries; });
  EXPECT_GE(queries, 6);
  EXPECT_LE(queries, 15);
}

TEST(CoreDevice, LinkUpAsksAtOnce) {
  CoreWorld world;
  static_cast<void>(*world.core->open_device(world.now, kE71, {}));
  world.advance(Duration::seconds(60));
  world.port_up();
  int queries = 0;
  world.advance(Duration::milliseconds(20), [&](const Sent&) { ++queries; });
  EXPECT_EQ(queries, 1);
}

TEST(CoreDevice, ALinkThatComesUpLaterIsAFurtherPathSoon) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  world.advance(Duration::seconds(30));
  world.port_up(PortId{1}, 1500, kHostMac2);
  const Instant came_up = world.now;
  Instant lives{};
  world.advance(Duration::seconds(1), [&](const Sent& sent) {
    if (const auto reply = target.answer(sent)) {
      world.receive(*reply, sent.port);
    }
    if (lives == Instant{} && world.core->device(id)->paths().size() == 2 &&
        world.core->device(id)->paths().at(1).state == PathState::live) {
      lives = world.now;
    }
  });
  ASSERT_NE(lives, Instant{}) << "no path over the new link";
  EXPECT_LE(lives - came_up, Duration::milliseconds(20));
}

TEST(CoreDevice, WildcardDiscoveryRunsOnlyWhereItIsOn) {
  CoreWorld off;
  off.port_up();
  EXPECT_FALSE(off.core->poll_timeout().has_value());

  CoreWorld on({.wildcard_discovery = CoreOptions::Wildcard::on});
  on.port_up();
  int queries = 0;
  on.advance(Duration::seconds(1), [&](const Sent& sent) {
    EXPECT_EQ(sent.header.address.shelf, protocol::kAllShelves);
    ++queries;
  });
  EXPECT_GE(queries, 4);
}

TEST(CoreDevice, RecordsWhatTargetsSayAboutThemselves) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  target.config_string = "backup disk";
  world.core->discover({protocol::kAllShelves, protocol::kAllSlots});
  world.run(target);
  ASSERT_EQ(world.core->targets().size(), 1U);
  const TargetRecord& record = world.core->targets()[0];
  EXPECT_EQ(record.address, kE71);
  EXPECT_EQ(record.mac, kTargetMac);
  EXPECT_EQ(record.limits.buffer_count, 64);
  EXPECT_EQ(record.firmware_version, 0x4017);
  EXPECT_EQ(as_text(record.config_string()), "backup disk");
  EXPECT_TRUE(world.saw(EventKind::target_found));
}

TEST(CoreDevice, AnotherDiskUnderTheSameAddressIsQuarantined) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  FakeTarget rogue;
  rogue.mac = kTargetMac2;
  rogue.disk.serial = "ROGUE";
  world.core->discover(kE71);
  world.run(rogue);
  EXPECT_TRUE(world.saw(EventKind::path_quarantined));
  EXPECT_EQ(world.core->stats().quarantines, 1U);
  // Data goes to the first one only.
  Bytes into(512 * 64);
  world.submit(id, {.op = IoOp::read, .sectors = 64, .read_into = into});
  world.run(target, [](const Sent& sent) {
    EXPECT_EQ(sent.header.destination, kTargetMac);
    return false;
  });
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST(CoreDevice, ASecondPathToTheSameDiskIsUsed) {
  CoreWorld world;
  world.port_up(PortId{0});
  world.port_up(PortId{1}, 1500, kHostMac2);
  FakeTarget target;
  const DeviceId id = world.open(target);
  EXPECT_EQ(world.core->device(id)->paths().size(), 2U);
  Bytes into(512 * 64);
  world.submit(id, {.op = IoOp::read, .sectors = 64, .read_into = into});
  int on_second = 0;
  world.run(target, [&](const Sent& sent) {
    on_second += sent.port == PortId{1} ? 1 : 0;
    return false;
  });
  EXPECT_GT(on_second, 8);
  EXPECT_LT(on_second, 24);
}

TEST(CoreDevice, GrowthIsNoticedWhileOpen) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  world.advance(Duration::seconds(2));
  target.disk.sector_count = 8192;
  target.content.resize(8192 * kSectorBytes);
  world.core->discover(kE71);
  world.run(target);
  EXPECT_EQ(world.core->device(id)->sectors(), 8192U);
  EXPECT_TRUE(world.saw(EventKind::device_resized));
}

struct PayloadCase {
  std::size_t mtu_bytes;
  std::uint8_t target_sectors;
  std::uint32_t expected;
};

TEST(CoreDevice, PayloadIsLimitedFromBothSides) {
  const PayloadCase cases[] = {
      {1500, 2, 2}, {1500, 17, 2}, {1500, 0, 2},  {1500, 1, 1},  {9000, 17, 17},   {9000, 2, 2},
      {9000, 0, 2}, {4118, 17, 8}, {4117, 17, 7}, {1045, 17, 1}, {65535, 255, 17},
  };
  for (const PayloadCase& c : cases) {
    CoreWorld world;
    world.port_up(PortId{0}, c.mtu_bytes);
    FakeTarget target;
    target.sector_count = c.target_sectors;
    const DeviceId id = world.open(target);
    EXPECT_EQ(world.core->device(id)->paths().smallest_payload_sectors(), c.expected)
        << c.mtu_bytes << " " << unsigned{c.target_sectors};
  }
}

TEST(CoreDevice, ForgedAnswersDoNotKeepTheRealPathOut) {
  CoreWorld world;
  world.port_up();
  const DeviceId id = *world.core->open_device(world.now, kE71, {});
  world.core->handle_timeout(world.now);
  const Sent query = world.take_sent().at(0);
  FakeTarget forger;
  for (std::uint8_t i = 0; i < 100; ++i) {
    forger.mac = MacAddress{{2, 0, 0, 0, 9, i}};
    world.receive(*forger.answer(query));
  }
  EXPECT_EQ(world.core->device(id)->paths().size(), 8U);
  FakeTarget target;
  world.receive(*target.answer(query));
  world.run(target);
  EXPECT_TRUE(world.core->device(id)->is_up());
}

TEST(CoreDevice, APathThatAnsweredTooLateIsFoundLater) {
  CoreWorld world;
  world.port_up(PortId{0});
  world.port_up(PortId{1}, 1500, kHostMac2);
  FakeTarget target;
  const DeviceId id = *world.core->open_device(world.now, kE71, {});
  world.run(target, [](const Sent& sent) { return sent.port == PortId{1}; });
  EXPECT_EQ(world.core->device(id)->paths().size(), 1U);
  world.advance(Duration::seconds(90), [&](const Sent& frame) {
    if (const auto reply = target.answer(frame)) {
      world.receive(*reply, frame.port);
    }
  });
  EXPECT_EQ(world.core->device(id)->paths().size(), 2U);
}

TEST(CoreDevice, AnInterfaceTooSmallForASectorCarriesNothing) {
  CoreWorld world;
  world.port_up(PortId{0}, 500);
  FakeTarget target;
  const DeviceId id = *world.core->open_device(world.now, kE71, {});
  world.run(target);
  EXPECT_FALSE(world.core->device(id)->is_up());
}

TEST(CoreDevice, WindowIsLimitedByTheTargetsBuffers) {
  for (const std::uint16_t buffers : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{3}}) {
    CoreWorld world;
    world.port_up();
    FakeTarget target;
    target.buffer_count = buffers;
    const DeviceId id = world.open(target);
    world.widen(target, id);
    Bytes into(512 * 64);
    world.submit(id, {.op = IoOp::read, .sectors = 64, .read_into = into});
    EXPECT_EQ(world.take_sent().size(), std::max<std::size_t>(buffers, 1));
  }
}

TEST(CoreDevice, PathsGoDownWithTheirPortAndComeBackWithIt) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  static_cast<void>(world.events());
  world.port_down();
  const std::vector<Event> down = world.events();
  ASSERT_EQ(down.size(), 2U);
  EXPECT_EQ(down[0].kind, EventKind::path_down);
  EXPECT_EQ(down[0].mac, kTargetMac);
  EXPECT_EQ(down[1].kind, EventKind::device_down);
  EXPECT_EQ(down[1].address, kE71);
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
  world.advance(Duration::seconds(10));
  EXPECT_TRUE(world.take_sent().empty());
  world.port_up();
  world.run(target);
  EXPECT_TRUE(world.core->device(id)->is_up());
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
}

TEST(CoreDevice, ThePolicyOfTheSettingsDecidesWhichPathFramesTake) {
  const auto ports_of = [](PathPolicy policy) {
    CoreWorld world;
    world.port_up(PortId{0});
    world.port_up(PortId{1}, 1500, kHostMac2);
    FakeTarget target;
    const DeviceId id = world.open(target, {.policy = policy});
    world.widen(target, id);
    Bytes into(512 * 8);
    world.submit(id, {.op = IoOp::read, .sectors = 8, .read_into = into});
    std::vector<int> ports;
    for (const Sent& sent : world.take_sent()) {
      ports.push_back(sent.port.value);
    }
    return ports;
  };
  EXPECT_EQ(ports_of(PathPolicy::active_passive), (std::vector<int>{0, 0, 0, 0}));
  const std::vector<int> turns = ports_of(PathPolicy::round_robin);
  ASSERT_EQ(turns.size(), 4U);
  EXPECT_NE(turns[0], turns[1]);
  EXPECT_EQ(turns[0], turns[2]);
  EXPECT_EQ(turns[1], turns[3]);
}

TEST(CoreDevice, APulledPathHandsItsFramesToTheOther) {
  CoreWorld world;
  world.port_up(PortId{0});
  world.port_up(PortId{1}, 1500, kHostMac2);
  FakeTarget target;
  const DeviceId id = world.open(target);
  world.widen(target, id);
  const Bytes data = pattern(512 * 8, 1);
  world.submit(id, {.op = IoOp::write, .lba = Lba{4}, .sectors = 8, .write_from = data});
  const std::vector<Sent> first = world.take_sent();
  ASSERT_EQ(first.size(), 4U);
  world.port_down(PortId{0});
  const std::vector<Sent> again = world.take_sent();
  ASSERT_EQ(again.size(), 2U);
  for (const Sent& sent : again) {
    EXPECT_EQ(sent.port, PortId{1});
    const bool same_tag =
        sent.header.tag == first[0].header.tag || sent.header.tag == first[1].header.tag ||
        sent.header.tag == first[2].header.tag || sent.header.tag == first[3].header.tag;
    EXPECT_TRUE(same_tag);
    world.receive(*target.answer(sent), PortId{1});
  }
  for (const Sent& sent : first) {
    if (sent.port == PortId{1}) {
      world.receive(*target.answer(sent), PortId{1});
    }
  }
  ASSERT_EQ(world.completions().size(), 1U);
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(4 * 512, data.size()), data));
}

TEST(CoreDevice, ClosingCancelsAndForgetsTheDevice) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  Bytes into(512 * 4);
  world.submit(id, {.op = IoOp::read, .sectors = 4, .read_into = into, .cookie = 5});
  const std::vector<Sent> sent = world.take_sent();
  world.core->close_device(world.now, id);
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::cancelled);
  EXPECT_EQ(done[0].cookie, 5U);
  world.receive(*target.answer(sent[0]));
  EXPECT_EQ(world.core->stats().unknown_tag, 1U);
  EXPECT_EQ(world.core->submit(world.now, id, {}).error(), SubmitError::unknown_device);
  EXPECT_EQ(world.open(target), id);
}

TEST(CoreDevice, AShrunkenDiskIsToldLoudlyAndFailsWhatLiesPastItsEnd) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  Bytes into(512 * 2);
  Bytes inside(512);
  world.submit(id,
               {.op = IoOp::read, .lba = Lba{3000}, .sectors = 2, .read_into = into, .cookie = 1});
  world.submit(id,
               {.op = IoOp::read, .lba = Lba{30}, .sectors = 1, .read_into = inside, .cookie = 2});
  static_cast<void>(world.take_sent());
  world.now = world.now + Duration::seconds(2);
  target.disk.sector_count = 3001;
  world.core->discover(kE71);
  world.run(target, [](const Sent& sent) { return sent.is_data(); });
  EXPECT_TRUE(world.saw(EventKind::device_shrunk));
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].cookie, 1U);
  EXPECT_EQ(done[0].status, IoStatus::out_of_range);
  EXPECT_EQ(world.core
                ->submit(world.now, id,
                         {.op = IoOp::read, .lba = Lba{3000}, .sectors = 2, .read_into = into})
                .error(),
            SubmitError::out_of_range);
}

TEST(CoreDevice, ASectorThatShouldExistButDoesNotMakesItIdentifyAgain) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  target.disk.sector_count = 100;
  target.content.resize(100 * kSectorBytes);
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .lba = Lba{500}, .sectors = 1, .read_into = into});
  world.run(target);
  ASSERT_EQ(world.completions().at(0).status, IoStatus::out_of_range);
  EXPECT_EQ(world.core->device(id)->sectors(), 100U);
  EXPECT_TRUE(world.saw(EventKind::device_shrunk));
}

TEST(CoreDevice, AnOpenDeviceIsLookedAtAgainWithoutBeingAsked) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  target.disk.sector_count = 8192;
  world.advance(Duration::seconds(200), [&](const Sent& frame) {
    if (const auto reply = target.answer(frame)) {
      world.receive(*reply);
    }
  });
  EXPECT_EQ(world.core->device(id)->sectors(), 8192U);
}

TEST(CoreDevice, OnlyPinnedMacsAndSerialsAreUsed) {
  FakeTarget target;
  CoreWorld world;
  world.port_up();
  const DeviceId by_mac = *world.core->open_device(world.now, kE71, {.pinned_macs = {kTargetMac2}});
  world.run(target);
  EXPECT_FALSE(world.core->device(by_mac)->is_up());
  auto events = world.events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, EventKind::path_quarantined);
  EXPECT_EQ(events.back().reason, QuarantineReason::pin);
  world.core->discover(kE71);
  world.run(target);
  EXPECT_TRUE(world.events().empty()) << "told once";
  target.mac = kTargetMac2;
  world.core->discover(kE71);
  world.run(target);
  EXPECT_TRUE(world.core->device(by_mac)->is_up());

  world.core->close_device(world.now, by_mac);
  const DeviceId by_serial = *world.core->open_device(world.now, kE71, {.pinned_serial = "S2"});
  world.run(target);
  EXPECT_EQ(world.core->device(by_serial)->state(), DeviceState::quarantined);
  EXPECT_FALSE(world.core->device(by_serial)->identity().has_value());
  target.disk.serial = "S2";
  world.core->discover(kE71);
  world.run(target);
  EXPECT_TRUE(world.core->device(by_serial)->is_up());
}

TEST(CoreDevice, WithoutAPathRequestsFailAsThePolicySays) {
  struct Case {
    DeviceLoss::Options loss;
    Duration until_unsent_fails;  // 0: never in a minute
    Duration until_sent_fails;
  };

  const Case cases[] = {
      {{.device_loss = Duration::seconds(20)}, Duration::seconds(20), Duration::seconds(20)},
      {{.fast_io_fail = Duration::seconds(5), .device_loss = Duration::seconds(20)},
       Duration::seconds(5),
       Duration::seconds(20)},
      {{.on_path_loss = OnPathLoss::fail}, Duration::milliseconds(1), {}},
      {{}, {}, {}},
  };
  for (const Case& c : cases) {
    CoreWorld world;
    world.port_up();
    FakeTarget target;
    const DeviceId id = world.open(target, {.loss = c.loss});
    Bytes data(512);
    // The second one waits for the first: nothing of it is in the network.
    for (const std::uint64_t cookie : {std::uint64_t{1}, std::uint64_t{2}}) {
      world.submit(id, {.op = IoOp::write, .sectors = 1, .write_from = data, .cookie = cookie});
    }
    ASSERT_EQ(world.take_sent().size(), 1U);
    world.port_down();
    const Instant down = world.now;
    std::map<std::uint64_t, Duration> failed;
    for (int ms = 1; ms <= 60'000; ms += ms < 10 ? 1 : 500) {
      world.advance_to(down + Duration::milliseconds(ms));
      for (const IoCompletion& completion : world.completions()) {
        EXPECT_EQ(completion.status, IoStatus::no_path);
        failed[completion.cookie] = completion.latency;
      }
    }
    EXPECT_EQ(failed.contains(2), c.until_unsent_fails != Duration{});
    EXPECT_EQ(failed.contains(1), c.until_sent_fails != Duration{});
    EXPECT_LE(failed[2].ns, c.until_unsent_fails.ns);
    EXPECT_EQ(failed[1], c.until_sent_fails);
    const auto refused =
        world.core->submit(world.now, id, {.op = IoOp::write, .sectors = 1, .write_from = data});
    EXPECT_EQ(refused.has_value(), c.until_unsent_fails == Duration{});
    // It comes back by itself whatever happened.
    world.port_up();
    world.run(target);
    EXPECT_TRUE(world.core->device(id)->is_up());
    EXPECT_TRUE(world.core
                    ->submit(world.now, id,
                             {.op = IoOp::write, .lba = Lba{9}, .sectors = 1, .write_from = data})
                    .has_value());
  }
}

TEST(CoreDevice, DrainingTakesNothingNewAndEndsWhatItHas) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  Bytes data(512);
  world.submit(id, {.op = IoOp::write, .sectors = 1, .write_from = data});
  world.core->drain_device(id);
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::closing);
  EXPECT_EQ(world.core->submit(world.now, id, {.op = IoOp::write, .sectors = 1, .write_from = data})
                .error(),
            SubmitError::closing);
  EXPECT_FALSE(world.saw(EventKind::device_drained));
  world.run(target);
  EXPECT_EQ(world.completions().at(0).status, IoStatus::ok);
  EXPECT_TRUE(world.saw(EventKind::device_drained));

  world.core->close_device(world.now, id);
  const DeviceId idle = world.open(target);
  static_cast<void>(world.events());
  world.core->drain_device(idle);
  world.core->drain_device(idle);
  EXPECT_EQ(world.events().size(), 1U);
}

TEST(CoreDevice, APathThatComesAndGoesIsHeldBackWhileAnotherServes) {
  CoreWorld world;
  world.port_up(PortId{0});
  world.port_up(PortId{1}, 1500, kHostMac2);
  FakeTarget target;
  const DeviceId id = world.open(target);
  const auto state = [&](std::uint32_t path) {
    return world.core->device(id)->paths().at(path).state;
  };
  const auto flap = [&] {
    world.port_down(PortId{0});
    world.port_up(PortId{0});
    world.run(target);
  };
  flap();
  EXPECT_EQ(state(0), PathState::live) << "once is forgiven";
  flap();
  EXPECT_EQ(state(0), PathState::probing);
  EXPECT_EQ(world.core->stats().path_holds, 1U);
  world.advance(Duration::milliseconds(1100));
  EXPECT_EQ(state(0), PathState::live);
  flap();
  ASSERT_EQ(state(0), PathState::probing);
  static_cast<void>(world.events());
  // The other one goes: now it is better than nothing.
  world.port_down(PortId{1});
  EXPECT_EQ(state(0), PathState::live);
  EXPECT_FALSE(world.saw(EventKind::device_down));
}

TEST(CoreDevice, SettingsChangeWhileItIsOpen) {
  CoreWorld world;
  world.port_up(PortId{0}, 9000);
  FakeTarget target;
  target.sector_count = 17;
  const DeviceId id = world.open(target);
  const auto payload = [&] { return world.core->device(id)->paths().smallest_payload_sectors(); };
  ASSERT_EQ(payload(), 17U);
  world.core->change_settings(
      world.now, id, {.loss = {.on_path_loss = OnPathLoss::fail}, .payload_sectors_max = 4});
  EXPECT_EQ(payload(), 4U);
  world.core->change_settings(world.now, id, {.loss = {.on_path_loss = OnPathLoss::fail}});
  world.run(target);
  EXPECT_EQ(payload(), 17U);
  world.port_down();
  world.core->handle_timeout(world.now);
  Bytes into(512);
  EXPECT_EQ(world.core->submit(world.now, id, {.op = IoOp::read, .sectors = 1, .read_into = into})
                .error(),
            SubmitError::no_path);
  world.port_up(PortId{0}, 9000);
  world.run(target);
  world.advance(Duration::milliseconds(20), [&](const Sent& frame) {
    if (const auto reply = target.answer(frame)) {
      world.receive(*reply);
    }
  });
  ASSERT_TRUE(world.core->device(id)->is_up());
  world.core->change_settings(world.now, id, {.pinned_serial = "S2"});
  world.run(target);
  EXPECT_FALSE(world.core->device(id)->is_up());
}

TEST(CoreDevice, StatesFollowThePaths) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = *world.core->open_device(world.now, kE71, {});
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::opening);
  world.run(target);
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::up);
  world.port_down();
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::down);
  world.port_up();
  world.run(target);
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::up);
  // Another disk comes in its place.
  world.port_down();
  FakeTarget foreign;
  foreign.disk.serial = "S2";
  world.port_up();
  world.run(foreign);
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::quarantined);
  world.port_down();
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::down) << "nobody answers at all";
  world.port_up();
  world.run(target);
  EXPECT_EQ(world.core->device(id)->state(), DeviceState::up);
}

TEST(CoreDevice, ADeadlineOfZeroIsNone) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target, {.deadline = {}, .loss = {}});
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
  static_cast<void>(world.take_sent());
  world.advance(Duration::seconds(10'000));
  EXPECT_TRUE(world.completions().empty());
  world.advance(Duration::seconds(20), [&](const Sent& frame) {
    if (const auto reply = target.answer(frame)) {
      world.receive(*reply);
    }
  });
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST(CoreDevice, AnUnsolicitedAdvertisementBringsADeviceUp) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = *world.core->open_device(world.now, kE71, {});
  world.advance(Duration::seconds(100));
  Sent none;
  none.header = {
      .destination = kTargetMac, .source = kHostMac, .address = kE71, .command = 1, .tag = {}};
  Bytes advertisement = *target.answer(none);
  // vblade's has version nibble 0 and goes to everybody.
  advertisement[14] = std::byte{0x08};
  store_mac(advertisement, 0, MacAddress::broadcast());
  world.receive(advertisement);
  world.run(target);
  EXPECT_TRUE(world.core->device(id)->is_up());
}

TEST(CoreDevice, ForbiddenAddressesAreNotOpenedAndNotRecorded) {
  CoreWorld world;
  world.port_up();
  for (const DeviceAddress address :
       {DeviceAddress{Shelf{0xFFFF}, Slot{1}}, DeviceAddress{Shelf{1}, Slot{0xFF}},
        DeviceAddress{Shelf{0xFFF}, Slot{1}}}) {
    EXPECT_EQ(world.core->open_device(world.now, address, {}).error(), SubmitError::bad_request);
    FakeTarget target;
    target.address = address;
    world.core->discover({protocol::kAllShelves, protocol::kAllSlots});
    world.run(target);
  }
  EXPECT_TRUE(world.core->targets().empty());
  EXPECT_EQ(world.core->stats().bad_source, 3U);
}

}  // namespace
}  // namespace aoe::initiator
