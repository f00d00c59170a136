// Hello, sealed frames, sessions that are lost, and the fences that they spare.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::initiator {
namespace {

class CoreSession : public testing::Test {
 protected:
  void SetUp() override {
    target.peer = FakePeer::sessions;
    world.port_up();
    id = world.open(target);
  }

  Sent start(IoOp op, Lba lba, Bytes& data) {
    world.submit(id, {.op = op,
                      .lba = lba,
                      .sectors = 1,
                      .read_into = op == IoOp::read ? ByteSpan(data) : ByteSpan(),
                      .write_from = op == IoOp::write ? ConstByteSpan(data) : ConstByteSpan()});
    const std::vector<Sent> sent = world.take_sent();
    EXPECT_EQ(sent.size(), 1U);
    return sent.at(0);
  }

  std::vector<Sent> data_within(Duration by) {
    std::vector<Sent> sent;
    world.advance(by, [&](const Sent& frame) {
      if (frame.is_data()) {
        sent.push_back(frame);
      }
    });
    return sent;
  }

  [[nodiscard]] const CoreStats& stats() const { return world.core->stats(); }

  CoreWorld world;
  FakeTarget target;
  DeviceId id{};
  Bytes block = pattern(512, 1);
};

TEST_F(CoreSession, WritesAreSealedWithASequenceEachAndReadsWithNone) {
  EXPECT_EQ(stats().sessions, 1U);
  world.widen(target, id);
  Bytes into(512);
  const Sent write = start(IoOp::write, Lba{5}, block);
  const Sent other = start(IoOp::write, Lba{6}, block);
  const Sent read = start(IoOp::read, Lba{7}, into);
  ASSERT_TRUE(write.seal() && other.seal() && read.seal());
  EXPECT_TRUE(write.seal()->has_crc);
  EXPECT_EQ(write.seal()->session, target.session);
  EXPECT_EQ(write.seal()->sequence, 1U);
  EXPECT_EQ(other.seal()->sequence, 2U);
  EXPECT_EQ(other.seal()->sequence_low, 1U);
  EXPECT_EQ(read.seal()->sequence, 0U);
  world.receive(*target.answer(write));
  world.receive(*target.answer(other));
  world.receive(*target.answer(read));
  EXPECT_EQ(world.completions().size(), 3U);
  const Sent next = start(IoOp::write, Lba{5}, block);
  EXPECT_EQ(next.seal()->sequence_low, 3U);
}

TEST_F(CoreSession, FlushAndTrimHaveSequencesToo) {
  world.submit(id, {.op = IoOp::flush});
  world.submit(id, {.op = IoOp::trim, .lba = Lba{9}, .sectors = 1});
  for (const Sent& sent : world.take_sent()) {
    EXPECT_NE(sent.seal()->sequence, 0U);
    world.receive(*target.answer(sent));
  }
  EXPECT_EQ(world.completions().size(), 2U);
}

TEST_F(CoreSession, ARetransmissionIsTheSameToTheByteAndExecutedOnce) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  static_cast<void>(target.answer(first));
  const std::vector<Sent> again = data_within(RttLimits{}.data_initial);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].frame, first.frame);
  world.receive(*target.answer(again[0]));
  EXPECT_EQ(world.completions().size(), 1U);
  EXPECT_EQ(target.executions, 1U);
}

TEST_F(CoreSession, ARetransmittedWriteNeedsNoFence) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  const std::vector<Sent> again = data_within(RttLimits{}.data_initial);
  world.receive(*target.answer(again.at(0)));
  ASSERT_EQ(world.completions().size(), 1U);
  EXPECT_EQ(stats().fences_raised, 0U);
  Bytes newer = pattern(512, 2);
  const Sent second = start(IoOp::write, Lba{5}, newer);
  world.receive(*target.answer(second));
  // The delayed copy lands after the newer write, and is not executed.
  static_cast<void>(target.answer(first));
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(5 * 512, 512), newer));
}

TEST_F(CoreSession, AWriteThatWasGivenUpIsFenced) {
  world.submit(id, {.op = IoOp::write,
                    .lba = Lba{5},
                    .sectors = 1,
                    .write_from = block,
                    .timeout = Duration::milliseconds(20)});
  ASSERT_EQ(world.take_sent().size(), 1U);
  static_cast<void>(data_within(Duration::milliseconds(20)));
  ASSERT_EQ(world.completions().at(0).status, IoStatus::timed_out);
  EXPECT_EQ(stats().fences_raised, 1U);
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = block});
  EXPECT_TRUE(world.take_sent().empty());
  EXPECT_EQ(data_within(Duration::seconds(4)).size(), 1U);
}

TEST_F(CoreSession, AFenceLastsAsLongAsEitherEndBelievesThatFramesLive) {
  target.frame_life_ms = 7000;
  target.forget_session();
  world.core->close_device(world.now, id);
  id = world.open(target);
  world.submit(id, {.op = IoOp::write,
                    .lba = Lba{5},
                    .sectors = 1,
                    .write_from = block,
                    .timeout = Duration::milliseconds(20)});
  ASSERT_EQ(world.take_sent().size(), 1U);
  static_cast<void>(data_within(Duration::milliseconds(20)));
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = block});
  EXPECT_TRUE(data_within(Duration::milliseconds(6970)).empty());
  EXPECT_EQ(data_within(Duration::milliseconds(20)).size(), 1U);
}

TEST_F(CoreSession, TheSequenceWindowIsNeverLeft) {
  target.sequence_window = 3;
  target.forget_session();
  world.core->close_device(world.now, id);
  id = world.open(target);
  world.widen(target, id);
  Bytes data(512 * 20);
  world.submit(id, {.op = IoOp::write, .sectors = 20, .write_from = data});
  Bytes into(512);
  std::vector<Sent> sent = world.take_sent();
  EXPECT_EQ(sent.size(), 3U);
  EXPECT_GT(stats().sequence_waits, 0U);
  const Sent read = start(IoOp::read, Lba{100}, into);
  EXPECT_EQ(read.ata().command_status, 0x24) << "reads go on meanwhile";
  // The oldest one is what the window waits for.
  world.receive(*target.answer(sent[1]));
  EXPECT_TRUE(world.take_sent().empty());
  world.receive(*target.answer(sent[0]));
  EXPECT_EQ(world.take_sent().size(), 2U);
}

TEST_F(CoreSession, ADamagedAnswerIsCountedToldOnceAndAskedForAgain) {
  static_cast<void>(world.events());
  const Sent sent = start(IoOp::read, Lba{5}, block);
  Bytes damaged = *target.answer(sent);
  damaged[100] ^= std::byte{4};
  world.receive(damaged);
  world.receive(damaged);
  EXPECT_TRUE(world.completions().empty());
  EXPECT_EQ(stats().frames_damaged, 2U);
  const std::vector<Event> events = world.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::frames_damaged);
  const std::vector<Sent> again = data_within(RttLimits{}.data_initial);
  world.receive(*target.answer(again.at(0)));
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreSession, OnlyAnAnswerWithItsOwnSealCounts) {
  const Sent sent = start(IoOp::write, Lba{5}, block);
  const Bytes good = *target.answer(sent);
  // Plain.
  Bytes plain = good;
  std::fill(plain.begin() + 36, plain.end(), std::byte{0});
  world.receive(plain);
  EXPECT_EQ(stats().unsealed, 1U);
  // Of another question.
  Bytes other = good;
  protocol::Seal seal = *protocol::parse_seal(good);
  seal.sequence += 1;
  protocol::build_seal(other, seal);
  world.receive(other);
  // Of another session.
  seal = *protocol::parse_seal(good);
  seal.session += 1;
  protocol::build_seal(other, seal);
  world.receive(other);
  EXPECT_EQ(stats().wrong_seal, 2U);
  // Without its checksum.
  seal = *protocol::parse_seal(good);
  seal.has_crc = false;
  protocol::build_seal(other, seal);
  world.receive(other);
  EXPECT_EQ(stats().frames_damaged, 1U);
  EXPECT_TRUE(world.completions().empty());
  world.receive(good);
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreSession, ATargetThatForgotUsIsGreetedAgainAndWhatWasInFlightIsSentAgain) {
  static_cast<void>(world.events());
  const Sent first = start(IoOp::write, Lba{5}, block);
  target.restart();
  const std::uint64_t old_instance = target.instance;
  world.receive(*target.answer(first));  // renew
  EXPECT_EQ(stats().session_losses, 1U);
  EXPECT_TRUE(world.completions().empty());
  world.run(target);
  EXPECT_EQ(world.completions().size(), 1U);
  EXPECT_EQ(target.instance, old_instance);
  EXPECT_EQ(stats().sessions, 2U);
  EXPECT_TRUE(world.saw(EventKind::target_restarted));
  EXPECT_TRUE(world.core->device(id)->is_up());
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(5 * 512, 512), block));
  // A copy may still reach the target that was: the write went under two sessions.
  EXPECT_EQ(stats().fences_raised, 1U);
}

class CoreLostCache : public CoreSession {
 protected:
  void SetUp() override {
    target.disk.has_write_cache = true;
    target.disk.write_cache_enabled = true;
    target.disk.has_flush = true;
    CoreSession::SetUp();
    static_cast<void>(start_and_run({.op = IoOp::write, .sectors = 1, .write_from = block}));
    static_cast<void>(world.events());
  }

  IoStatus start_and_run(const IoRequest& request) {
    world.submit(id, request);
    world.run(target);
    const std::vector<IoCompletion> done = world.completions();
    EXPECT_EQ(done.size(), 1U);
    return done.at(0).status;
  }

  IoStatus flush() { return start_and_run({.op = IoOp::flush}); }
};

TEST_F(CoreLostCache, TheFlushAfterItFailsOnce) {
  target.restart();
  ++target.cache_epoch;
  EXPECT_EQ(flush(), IoStatus::cache_lost);
  EXPECT_TRUE(world.saw(EventKind::cache_lost));
  EXPECT_EQ(stats().caches_lost, 1U);
  EXPECT_EQ(flush(), IoStatus::ok);
}

TEST_F(CoreLostCache, ADaemonThatWasOnlyKilledHasLostNothing) {
  target.restart();
  EXPECT_EQ(flush(), IoStatus::ok);
  EXPECT_EQ(stats().caches_lost, 0U);
}

TEST_F(CoreLostCache, WhatWasFlushedOrWrittenThroughIsSafe) {
  EXPECT_EQ(flush(), IoStatus::ok);
  target.disk.has_fua = true;
  EXPECT_EQ(start_and_run({.op = IoOp::write, .sectors = 1, .write_from = block, .durable = true}),
            IoStatus::ok);
  target.restart();
  ++target.cache_epoch;
  EXPECT_EQ(flush(), IoStatus::ok);
}

TEST_F(CoreLostCache, AFlushThatWasUnderWayFails) {
  world.submit(id, {.op = IoOp::flush});
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  target.restart();
  ++target.cache_epoch;
  world.receive(*target.answer(sent[0]));  // renew
  world.run(target);
  const std::vector<IoCompletion> done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::cache_lost);
}

TEST_F(CoreLostCache, AnAnswerOfBeforeItThatComesAfterTheGreetingIsLostAsWell) {
  EXPECT_EQ(flush(), IoStatus::ok);
  const Sent write = start(IoOp::write, Lba{5}, block);
  const Bytes late = *target.answer(write);
  target.restart();
  ++target.cache_epoch;
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
  const std::vector<Sent> asked = world.take_sent();
  ASSERT_EQ(asked.size(), 1U);
  world.receive(*target.answer(asked[0]));  // renew
  for (const Sent& greeting : world.take_sent()) {
    world.receive(*target.answer(greeting));
  }
  EXPECT_EQ(stats().sessions, 2U);
  world.receive(late);
  EXPECT_EQ(world.completions().size(), 1U);
  world.run(target);
  static_cast<void>(world.completions());
  EXPECT_EQ(flush(), IoStatus::cache_lost);
}

TEST_F(CoreLostCache, AStrangerWithTheSameDiskSaysNothingOfIt) {
  FakeTarget other;
  other.peer = FakePeer::sessions;
  other.mac = kTargetMac2;
  other.instance = 0x2222;
  other.cache_epoch = 77;
  other.disk = target.disk;
  world.core->discover(kE71);
  world.run(other);
  EXPECT_EQ(world.core->device(id)->paths().at(1).state, PathState::quarantined);
  EXPECT_EQ(flush(), IoStatus::ok);
}

TEST_F(CoreSession, NothingIsSentWhileItIsNotKnownWhoIsThere) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  target.restart();
  target.disk.serial = "OTHER";
  world.receive(*target.answer(first));
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
  for (const Sent& sent : world.take_sent()) {
    EXPECT_TRUE(sent.is_hello() || sent.is_identify());
    world.receive(*target.answer(sent));
  }
  world.run(target);
  EXPECT_TRUE(world.saw(EventKind::path_quarantined)) << "another disk came up in its place";
  EXPECT_TRUE(world.completions().empty());
  EXPECT_EQ(target.executions, 0U);
}

TEST_F(CoreSession, ALateRenewAboutAnOldSessionChangesNothing) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  target.restart();
  const Bytes renew = *target.answer(first);
  world.receive(renew);
  std::vector<Sent> again;
  world.run(target, [&](const Sent& sent) {
    if (sent.is_data()) {
      again.push_back(sent);
    }
    return sent.is_data();
  });
  ASSERT_FALSE(again.empty());
  world.receive(renew);
  EXPECT_EQ(stats().session_losses, 1U);
  world.receive(*target.answer(again[0]));
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreSession, OpeningAgainGoesOnBeyondTheSequencesOfBefore) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  world.receive(*target.answer(first));
  const Sent second = start(IoOp::write, Lba{6}, block);
  world.core->close_device(world.now, id);
  id = world.open(target);
  EXPECT_EQ(stats().sessions, 2U) << "known to the target, new to the device";
  const Sent third = start(IoOp::write, Lba{7}, block);
  EXPECT_GT(third.seal()->sequence, second.seal()->sequence);
  world.receive(*target.answer(third));
  EXPECT_EQ(world.completions().size(), 3U);
  // The copy that was given up at the closing is refused by now.
  static_cast<void>(target.answer(second));
  EXPECT_EQ(target.executions, 2U);
}

TEST_F(CoreSession, TwoPathsToOneInstanceShareTheSessionAndItsFencelessness) {
  world.port_up(PortId{1}, 1500, kHostMac2);
  world.core->discover(kE71);
  world.run(target);
  ASSERT_EQ(world.core->device(id)->paths().size(), 2U);
  EXPECT_EQ(stats().sessions, 1U);
  const Sent first = start(IoOp::write, Lba{5}, block);
  static_cast<void>(target.answer(first));
  world.port_down(first.port);
  const std::vector<Sent> again = world.take_sent();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0].port, first.port);
  EXPECT_EQ(again[0].seal()->sequence, first.seal()->sequence);
  world.receive(*target.answer(again[0]), again[0].port);
  EXPECT_EQ(world.completions().size(), 1U);
  EXPECT_EQ(target.executions, 1U);
  EXPECT_EQ(stats().fences_raised, 0U);
}

TEST_F(CoreSession, ASecondInstanceIsKeptAwayWhileOneServesAndTakesOverAfterIt) {
  FakeTarget gateway;
  gateway.peer = FakePeer::sessions;
  gateway.mac = kTargetMac2;
  gateway.instance = 0x2222;
  const auto both = [&](const Sent& sent) {
    if (const auto reply = target.answer(sent)) {
      world.receive(*reply, sent.port);
    }
    if (const auto reply = gateway.answer(sent)) {
      world.receive(*reply, sent.port);
    }
  };
  static_cast<void>(world.events());
  world.core->discover(kE71);
  world.run(gateway);
  const std::vector<Event> events = world.events();
  const auto refused = std::find_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == EventKind::path_quarantined;
  });
  ASSERT_NE(refused, events.end());
  EXPECT_EQ(refused->reason, QuarantineReason::instance);
  EXPECT_EQ(refused->mac, kTargetMac2);
  world.advance(Duration::seconds(100), both);
  const Path& first = world.core->device(id)->paths().at(0);
  EXPECT_EQ(first.mac, kTargetMac);
  EXPECT_EQ(first.state, PathState::live);
  EXPECT_EQ(world.core->device(id)->paths().at(1).state, PathState::quarantined);

  // The first one goes for good.
  static_cast<void>(start(IoOp::write, Lba{5}, block));
  world.advance(Duration::seconds(20), [&](const Sent& sent) {
    if (const auto reply = gateway.answer(sent)) {
      world.receive(*reply, sent.port);
    }
  });
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_EQ(gateway.executions, 1U);
  EXPECT_EQ(stats().fences_raised, 1U) << "a copy may still reach the first one";
}

TEST_F(CoreSession, SeveralInstancesServeTogetherWhereTheSettingsSaySo) {
  world.core->close_device(world.now, id);
  id = world.open(target, {.instances = DeviceSettings::Instances::many});
  FakeTarget gateway;
  gateway.peer = FakePeer::sessions;
  gateway.mac = kTargetMac2;
  gateway.instance = 0x2222;
  world.core->discover(kE71);
  world.run(gateway);
  EXPECT_EQ(world.core->device(id)->paths().at(1).state, PathState::live);
  EXPECT_EQ(stats().quarantines, 0U);
}

TEST_F(CoreSession, SeveralInstancesWithAVolatileCacheDoNot) {
  target.disk.has_write_cache = true;
  target.disk.write_cache_enabled = true;
  world.core->close_device(world.now, id);
  id = world.open(target, {.instances = DeviceSettings::Instances::many});
  FakeTarget gateway;
  gateway.peer = FakePeer::sessions;
  gateway.mac = kTargetMac2;
  gateway.instance = 0x2222;
  gateway.disk = target.disk;
  world.core->discover(kE71);
  world.run(gateway);
  EXPECT_EQ(world.core->device(id)->paths().at(1).state, PathState::quarantined);
}

TEST_F(CoreSession, AnInstanceThatRestartedOnANewPathIsNoSecondOne) {
  // It restarts with another MAC; the old path does not know yet.
  target.restart();
  FakeTarget moved = target;
  moved.mac = kTargetMac2;
  world.core->discover(kE71);
  world.run(moved);
  ASSERT_EQ(world.core->device(id)->paths().at(1).state, PathState::quarantined);
  // Nobody answers at the old one.
  static_cast<void>(start(IoOp::write, Lba{5}, block));
  world.advance(Duration::seconds(20), [&](const Sent& sent) {
    if (const auto reply = moved.answer(sent)) {
      world.receive(*reply, sent.port);
    }
  });
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreSession, SessionsWithoutAMemoryAreFencedAsPlainOnes) {
  target.capabilities = protocol::kCapabilityCrc;
  target.forget_session();
  world.core->close_device(world.now, id);
  id = world.open(target);
  const Sent first = start(IoOp::write, Lba{5}, block);
  EXPECT_EQ(first.seal()->sequence, 0U);
  world.receive(*target.answer(first));
  EXPECT_EQ(stats().fences_raised, 0U) << "sent once, answered once";
  static_cast<void>(start(IoOp::write, Lba{5}, block));
  const std::vector<Sent> again = data_within(RttLimits{}.data_initial);
  world.receive(*target.answer(again.at(0)));
  EXPECT_EQ(stats().fences_raised, 1U);
}

TEST(CorePlain, ATargetThatRefusesHelloIsPlain) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  EXPECT_EQ(world.core->stats().plain_fallbacks, 1U);
  Bytes data(512);
  world.submit(id, {.op = IoOp::write, .sectors = 1, .write_from = data});
  EXPECT_FALSE(world.take_sent().at(0).seal().has_value());
}

TEST(CorePlain, ATargetThatIgnoresHelloIsPlainAfterAFewOfThem) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  target.peer = FakePeer::silent;
  const DeviceId id = *world.core->open_device(world.now, target.address, {});
  int hellos = 0;
  world.advance(Duration::seconds(1), [&](const Sent& sent) {
    hellos += sent.is_hello() ? 1 : 0;
    if (const auto reply = target.answer(sent)) {
      world.receive(*reply);
    }
  });
  EXPECT_TRUE(world.core->device(id)->is_up());
  EXPECT_GE(hellos, 4);
  EXPECT_LE(hellos, 6);
  EXPECT_EQ(world.core->stats().plain_fallbacks, 1U);
}

TEST(CorePlain, WithTheExtensionOffNobodyIsGreeted) {
  CoreWorld world({.extension = CoreOptions::Extension::off});
  world.port_up();
  FakeTarget target;
  target.peer = FakePeer::sessions;
  const DeviceId id = *world.core->open_device(world.now, target.address, {});
  world.run(target, [](const Sent& sent) {
    EXPECT_FALSE(sent.is_hello());
    return false;
  });
  EXPECT_TRUE(world.core->device(id)->is_up());
}

TEST(CorePlain, ATargetThatLearnedTheExtensionGetsASessionWhileOpen) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  Bytes data = pattern(512, 1);
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = data});
  const Sent plain = world.take_sent().at(0);
  world.advance(Duration::milliseconds(2600), [&](const Sent& sent) {
    const auto reply = sent.is_data() ? std::nullopt : target.answer(sent);
    if (reply) {
      world.receive(*reply);
    }
  });
  target.peer = FakePeer::sessions;
  world.core->discover(kE71);
  world.run(target, [](const Sent& sent) { return sent.is_data(); });
  EXPECT_EQ(world.core->stats().sessions, 1U);
  std::vector<Sent> sealed;
  world.advance(Duration::seconds(3), [&](const Sent& sent) {
    if (sent.is_data()) {
      sealed.push_back(sent);
    }
  });
  ASSERT_FALSE(sealed.empty());
  EXPECT_EQ(sealed.back().header.tag, plain.header.tag);
  ASSERT_TRUE(sealed.back().seal().has_value());
  world.receive(*target.answer(sealed.back()));
  EXPECT_EQ(world.completions().size(), 1U);
  EXPECT_EQ(world.core->stats().fences_raised, 1U) << "a plain copy may be on its way";
}

TEST(CoreSessionLoss, EverythingArrivesOnceThroughLossDamageAndRestarts) {
  Prng random(23);
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  target.peer = FakePeer::sessions;
  const DeviceId id = world.open(target);
  Bytes model(target.content.size());
  for (unsigned round = 0; round < 300; ++round) {
    const std::uint64_t lba = random.below(3000);
    const Bytes data = pattern(512 * (1 + random.below(40)), round);
    world.submit(
        id, {.op = IoOp::write, .lba = Lba{lba}, .sectors = data.size() / 512, .write_from = data});
    copy_bytes(ByteSpan(model).subspan(lba * 512), data);
    if (random.chance(1, 20)) {
      target.restart();
    }
    std::vector<IoCompletion> done;
    for (int i = 0; i < 1000 && done.empty(); ++i) {
      const auto pass = [&](const Sent& sent) {
        if (random.chance(1, 10)) {
          return;
        }
        auto reply = target.answer(sent);
        if (!reply || random.chance(1, 10)) {
          return;
        }
        if (random.chance(1, 30)) {
          (*reply)[random.below(reply->size())] ^= std::byte{16};
        }
        world.receive(*reply);
      };
      for (const Sent& sent : world.take_sent()) {
        pass(sent);
      }
      world.advance(Duration::milliseconds(20), pass);
      done = world.completions();
    }
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].status, IoStatus::ok);
  }
  EXPECT_EQ(target.content, model);
  EXPECT_GT(world.core->stats().session_losses, 3U);
}

}  // namespace
}  // namespace aoe::initiator
