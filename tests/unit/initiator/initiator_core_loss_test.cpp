// Loss, duplicates, late and forged answers, fences, deadlines.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::initiator {
namespace {

// Before anything is known of the disk.
constexpr Duration kFirstPatience = RttLimits{}.data_initial;

class CoreLoss : public testing::Test {
 protected:
  void SetUp() override {
    world.port_up();
    id = world.open(target);
  }

  // Submits a one-sector request and returns its first frame.
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

  std::vector<Sent> advance(Duration by) {
    std::vector<Sent> sent;
    world.advance(by, [&](const Sent& frame) {
      if (frame.is_data()) {
        sent.push_back(frame);
      }
    });
    return sent;
  }

  CoreWorld world;
  FakeTarget target;
  DeviceId id{};
  Bytes block = pattern(512, 1);
};

TEST_F(CoreLoss, ALostWriteIsSentAgainWithTheSameTagAndBytes) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  const std::vector<Sent> again = advance(kFirstPatience);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].header.tag, first.header.tag);
  EXPECT_EQ(again[0].frame, first.frame);
  world.receive(*target.answer(again[0]));
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].retransmissions, 1U);
}

TEST_F(CoreLoss, TheTimerDoublesUpToItsLimit) {
  static_cast<void>(start(IoOp::read, Lba{5}, block));
  std::vector<Instant> times{world.now};
  world.advance(Duration::seconds(20), [&](const Sent& frame) {
    if (frame.is_data()) {
      times.push_back(world.now);
    }
  });
  ASSERT_GE(times.size(), 10U);
  Duration expected = kFirstPatience;
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_EQ((times[i] - times[i - 1]).ns, expected.ns) << i;
    expected = std::min(expected * 2, Duration::seconds(2));
  }
}

TEST_F(CoreLoss, ADuplicateAnswerIsIgnoredAndCounted) {
  const Sent sent = start(IoOp::read, Lba{5}, block);
  const Bytes reply = *target.answer(sent);
  world.receive(reply);
  world.receive(reply);
  EXPECT_EQ(world.completions().size(), 1U);
  EXPECT_EQ(world.core->stats().unknown_tag, 1U);
}

TEST_F(CoreLoss, ALateAnswerNeverTouchesAnotherRequest) {
  Bytes other(512);
  const Sent old = start(IoOp::read, Lba{5}, block);
  std::fill(target.content.begin(), target.content.end(), std::byte{0x11});
  const Bytes reply = *target.answer(old);
  world.receive(reply);
  ASSERT_EQ(world.completions().size(), 1U);
  // Thousands of tags later it comes once more.
  for (int i = 0; i < 5000; ++i) {
    const Sent sent = start(IoOp::read, Lba{6}, other);
    EXPECT_NE(sent.header.tag, old.header.tag);
    if (i % 100 == 0) {
      world.receive(reply);
      EXPECT_TRUE(world.completions().empty());
    }
    world.receive(*target.answer(sent));
    ASSERT_EQ(world.completions().size(), 1U);
  }
}

TEST_F(CoreLoss, AnswersThatDoNotMatchInEverythingAreIgnored) {
  Bytes into(512);
  const Sent sent = start(IoOp::read, Lba{5}, into);
  const Bytes good = *target.answer(sent);
  const CoreStats& stats = world.core->stats();

  Bytes forged = good;
  store_be32(forged, 20, sent.header.tag.value + 1);
  world.receive(forged);
  EXPECT_EQ(stats.unknown_tag, 1U);

  forged = good;
  store_be16(forged, 16, 8);
  world.receive(forged);
  forged = good;
  store_u8(forged, 18, 2);
  world.receive(forged);
  EXPECT_EQ(stats.wrong_address, 2U);

  forged = good;
  store_u8(forged, 19, 3);
  world.receive(forged);
  EXPECT_EQ(stats.wrong_command, 1U);

  forged = good;
  store_mac(forged, 6, kTargetMac2);
  world.receive(forged);
  EXPECT_EQ(stats.wrong_path, 1U);

  world.port_up(PortId{1}, 1500, kHostMac2);
  world.receive(good, PortId{1});
  EXPECT_EQ(stats.wrong_path, 2U);

  forged = good;
  forged.resize(good.size() - 1);
  world.receive(forged);
  EXPECT_EQ(stats.short_data, 1U);

  forged = good;
  forged.resize(30);
  world.receive(forged);
  forged.resize(20);
  world.receive(forged);
  world.receive({});
  EXPECT_EQ(stats.malformed, 3U);

  forged = good;
  store_u8(forged, 14, 0x10);
  world.receive(forged);
  EXPECT_EQ(stats.not_a_response, 1U);

  forged = good;
  store_mac(forged, 6, MacAddress::broadcast());
  world.receive(forged);
  EXPECT_EQ(stats.bad_source, 1U);

  EXPECT_TRUE(world.completions().empty());
  EXPECT_EQ(into, Bytes(512));
  world.receive(good);
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreLoss, AfterARetransmittedWriteOverlappingWritesWaitForTheOtherCopy) {
  // Both copies over paths of their own, so that answers tell them apart.
  world.port_up(PortId{1}, 1500, kHostMac2);
  world.core->discover(kE71);
  world.run(target);
  ASSERT_EQ(world.core->device(id)->paths().size(), 2U);
  const Sent first = start(IoOp::write, Lba{5}, block);
  world.port_down(first.port);
  const std::vector<Sent> again = world.take_sent();
  ASSERT_EQ(again.size(), 1U);
  const Sent second = again[0];
  ASSERT_NE(second.port, first.port);
  world.receive(*target.answer(second), second.port);
  ASSERT_EQ(world.completions().size(), 1U);

  const Bytes newer = pattern(512, 2);
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = newer});
  world.submit(id, {.op = IoOp::write, .lba = Lba{6}, .sectors = 1, .write_from = newer});
  std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 1U) << "only the write elsewhere";
  EXPECT_EQ(sent[0].ata().lba48(), Lba{6});
  world.receive(*target.answer(sent[0]), sent[0].port);
  EXPECT_EQ(world.core->stats().fence_waits, 1U);

  // The network brings the second answer twice: that says nothing of the first copy.
  world.receive(*target.answer(second), second.port);
  EXPECT_TRUE(world.take_sent().empty());
  // The delayed first copy lands and is answered: now nothing old is left.
  world.receive(*target.answer(first), first.port);
  sent = world.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  world.receive(*target.answer(sent[0]), sent[0].port);
  EXPECT_EQ(world.completions().size(), 2U);
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(5 * 512, 512), newer));
}

TEST_F(CoreLoss, TwoCopiesOverOnePathLookTheSameSoOnlyTimeLiftsTheFence) {
  const Sent first = start(IoOp::write, Lba{5}, block);
  const std::vector<Sent> again = advance(kFirstPatience);
  ASSERT_EQ(again.size(), 1U);
  const Bytes reply = *target.answer(first);
  world.receive(reply);
  ASSERT_EQ(world.completions().size(), 1U);
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = block});
  // May be the answer to the second copy, may be the first one once more.
  world.receive(reply);
  EXPECT_TRUE(world.take_sent().empty());
  EXPECT_TRUE(advance(Duration::milliseconds(3900)).empty());
  EXPECT_EQ(advance(Duration::milliseconds(100)).size(), 1U);
}

TEST_F(CoreLoss, AnAnswerOverAPathTheRequestDidNotTakeIsIgnored) {
  world.port_up(PortId{1}, 1500, kHostMac2);
  world.core->discover(kE71);
  world.run(target);
  ASSERT_EQ(world.core->device(id)->paths().size(), 2U);
  const Sent sent = start(IoOp::read, Lba{5}, block);
  const PortId other{static_cast<std::uint8_t>(1 - sent.port.value)};
  world.receive(*target.answer(sent), other);
  EXPECT_TRUE(world.completions().empty());
  EXPECT_EQ(world.core->stats().wrong_path, 1U);
  world.receive(*target.answer(sent), sent.port);
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreLoss, TheAnswerToARetransmissionMeasuresNothing) {
  const Sent sent = start(IoOp::read, Lba{5}, block);
  static_cast<void>(advance(kFirstPatience));
  world.receive(*target.answer(sent));
  ASSERT_EQ(world.completions().size(), 1U);
  EXPECT_FALSE(world.core->device(id)->paths().at(0).rtt.has_sample());
  const Sent again = start(IoOp::read, Lba{5}, block);
  world.now = world.now + Duration::milliseconds(8);
  world.receive(*target.answer(again));
  EXPECT_EQ(world.core->device(id)->paths().at(0).rtt.srtt(), Duration::milliseconds(8));
}

TEST_F(CoreLoss, AFenceEndsWithTheLifeOfTheLastCopy) {
  static_cast<void>(start(IoOp::write, Lba{5}, block));
  const std::vector<Sent> again = advance(kFirstPatience);
  const Instant last_copy = world.now;
  world.receive(*target.answer(again.at(0)));
  ASSERT_EQ(world.completions().size(), 1U);
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = block});
  world.advance_to(last_copy + Duration::seconds(4) - Duration{1},
                   [](const Sent& frame) { EXPECT_FALSE(frame.is_data()) << "sent too early"; });
  EXPECT_TRUE(world.take_sent().empty());
  EXPECT_EQ(advance(Duration::milliseconds(1)).size(), 1U);
}

TEST_F(CoreLoss, AFenceSurvivesClosingTheDevice) {
  static_cast<void>(start(IoOp::write, Lba{5}, block));
  world.core->close_device(world.now, id);
  EXPECT_EQ(world.completions().size(), 1U);
  id = world.open(target);
  world.submit(id, {.op = IoOp::write, .lba = Lba{5}, .sectors = 1, .write_from = block});
  EXPECT_TRUE(world.take_sent().empty());
  EXPECT_TRUE(advance(Duration::milliseconds(3999)).empty());
  EXPECT_EQ(advance(Duration::milliseconds(1)).size(), 1U);
}

TEST_F(CoreLoss, ReadsPassAFence) {
  static_cast<void>(start(IoOp::write, Lba{5}, block));
  const std::vector<Sent> again = advance(kFirstPatience);
  world.receive(*target.answer(again.at(0)));
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .lba = Lba{5}, .sectors = 1, .read_into = into});
  EXPECT_EQ(world.take_sent().size(), 1U);
}

TEST_F(CoreLoss, AnUnrepeatedWriteRaisesNoFence) {
  const Sent sent = start(IoOp::write, Lba{5}, block);
  world.receive(*target.answer(sent));
  EXPECT_EQ(world.core->stats().fences_raised, 0U);
}

TEST_F(CoreLoss, ATargetThatIsGoneFailsRequestsAtTheirDeadlines) {
  world.submit(id, {.op = IoOp::write,
                    .lba = Lba{5},
                    .sectors = 1,
                    .write_from = block,
                    .cookie = 1,
                    .timeout = Duration::seconds(7)});
  // Waits behind the first one, and has its own deadline.
  world.submit(id, {.op = IoOp::write,
                    .lba = Lba{5},
                    .sectors = 1,
                    .write_from = block,
                    .cookie = 2,
                    .timeout = Duration::seconds(3)});
  static_cast<void>(advance(Duration::milliseconds(2999)));
  EXPECT_TRUE(world.completions().empty());
  static_cast<void>(advance(Duration::milliseconds(1)));
  auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].cookie, 2U);
  EXPECT_EQ(done[0].status, IoStatus::timed_out);
  static_cast<void>(advance(Duration::seconds(4)));
  done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].cookie, 1U);
  EXPECT_EQ(done[0].latency, Duration::seconds(7));
  // The first write may still be on its way.
  EXPECT_GE(world.core->stats().fences_raised, 1U);
  EXPECT_FALSE(world.core->device(id)->is_up());
}

TEST_F(CoreLoss, ADeviceThatReturnsGoesOnByItself) {
  static_cast<void>(start(IoOp::read, Lba{5}, block));
  static_cast<void>(advance(Duration::seconds(30)));
  EXPECT_TRUE(world.saw(EventKind::device_down));
  EXPECT_TRUE(world.completions().empty());
  // It answers again: within the longest timer everything is well.
  const Instant back = world.now;
  world.advance(Duration::seconds(4), [&](const Sent& frame) {
    if (const auto reply = target.answer(frame)) {
      world.receive(*reply);
    }
  });
  EXPECT_TRUE(world.saw(EventKind::device_up));
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_LE((done[0].latency - (back - Instant{1'000'000'000})).ns, Duration::seconds(3).ns);
}

TEST_F(CoreLoss, ASilentPathIsLeftForALiveOne) {
  world.port_up(PortId{1}, 1500, kHostMac2);
  world.core->discover(kE71);
  world.run(target);
  ASSERT_EQ(world.core->device(id)->paths().size(), 2U);
  const auto dead = [](const Sent& sent) { return sent.port == PortId{0}; };
  Bytes into(512 * 64);
  world.submit(id, {.op = IoOp::read, .sectors = 64, .read_into = into});
  world.run(target, dead);
  world.advance(Duration::seconds(3), [&](const Sent& frame) {
    if (!dead(frame)) {
      if (const auto reply = target.answer(frame)) {
        world.receive(*reply, frame.port);
      }
    }
  });
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
}

TEST_F(CoreLoss, ADiskThatRestsCostsNoPath) {
  static_cast<void>(world.events());
  Bytes into(512 * 8);
  world.submit(id, {.op = IoOp::read, .sectors = 8, .read_into = into});
  // Ten seconds without an answer of the disk, as when it spins up; but IDENTIFY is answered.
  world.advance(Duration::seconds(10), [&](const Sent& sent) {
    if (!sent.is_data()) {
      world.receive(*target.answer(sent));
    }
  });
  EXPECT_FALSE(world.saw(EventKind::path_down));
  EXPECT_TRUE(world.core->device(id)->is_up());
  EXPECT_LE(world.core->stats().retransmissions, 20U);
  world.advance(Duration::seconds(3), [&](const Sent& sent) {
    if (const auto reply = target.answer(sent)) {
      world.receive(*reply);
    }
  });
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreLoss, ALostFrameGoesOverTheOtherPath) {
  world.port_up(PortId{1}, 1500, kHostMac2);
  world.core->discover(kE71);
  world.run(target);
  const Sent first = start(IoOp::write, Lba{5}, block);
  const std::vector<Sent> again = advance(kFirstPatience);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0].port, first.port);
  EXPECT_EQ(again[0].header.tag, first.header.tag);
}

TEST_F(CoreLoss, ManyLossesInOneRoundTripCutTheWindowOnce) {
  Bytes into(512 * 512);
  world.submit(id, {.op = IoOp::read, .sectors = 512, .read_into = into});
  world.run(target);
  const LossWindow& window = world.core->device(id)->paths().at(0).window;
  const double before = window.size();
  world.submit(id, {.op = IoOp::read, .sectors = 512, .read_into = into});
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_GT(sent.size(), 40U);
  // The second half is answered late, as by a shelf with a long queue; the first half never.
  world.now = world.now + Duration::milliseconds(40);
  for (std::size_t i = sent.size() / 2; i < sent.size(); ++i) {
    world.receive(*target.answer(sent[i]));
  }
  static_cast<void>(advance(Duration::milliseconds(20)));
  EXPECT_GE(world.core->stats().early_losses, sent.size() / 2);
  EXPECT_EQ(world.core->stats().window_cuts, 1U);
  EXPECT_LT(window.size(), before);
}

TEST_F(CoreLoss, EverythingArrivesThroughThirtyPercentLoss) {
  Prng random(7);
  const auto lose = [&](const Sent&) { return random.chance(3, 10); };
  const Bytes data = pattern(512 * 1000, 5);
  Bytes into(data.size());
  world.submit(id, {.op = IoOp::write, .lba = Lba{11}, .sectors = 1000, .write_from = data});
  world.submit(id, {.op = IoOp::read, .lba = Lba{11}, .sectors = 1000, .read_into = into});
  std::vector<IoCompletion> done;
  for (int i = 0; i < 100'000 && done.size() < 2; ++i) {
    world.advance(Duration::milliseconds(10), [&](const Sent& frame) {
      const auto reply = lose(frame) ? std::nullopt : target.answer(frame);
      if (reply && !lose(frame)) {
        world.receive(*reply);
        // Answers come twice now and then.
        if (random.chance(1, 20)) {
          world.receive(*reply);
        }
      }
    });
    world.run(target, lose);
    for (const IoCompletion& completion : world.completions()) {
      EXPECT_EQ(completion.status, IoStatus::ok);
      done.push_back(completion);
    }
  }
  EXPECT_EQ(done.size(), 2U);
  EXPECT_EQ(into, data);
}

TEST(CoreTables, TinyTablesOnlySlowThingsDown) {
  CoreOptions options;
  options.limits = {.ports_max = 1,
                    .devices_max = 1,
                    .paths_max = 1,
                    .requests_max = 2,
                    .frames_max = 1,
                    .commands_max = 1,
                    .targets_max = 1,
                    .events_max = 1,
                    .fences_max = 1,
                    .queries_max = 1};
  CoreWorld world(options);
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  const Bytes data = pattern(512 * 100, 3);
  Bytes into(data.size());
  world.submit(id, {.op = IoOp::write, .sectors = 100, .write_from = data});
  world.submit(id, {.op = IoOp::read, .sectors = 100, .read_into = into});
  world.run(target);
  EXPECT_EQ(world.completions().size(), 2U);
  EXPECT_EQ(into, data);
  EXPECT_TRUE(world.saw(EventKind::events_lost));
}

TEST(CoreTables, WhoHasNothingToSendAnyMoreLeavesItsTurnToOthers) {
  // `frames_max` 1: one table that all starve for; one shelf: one window that all wait for.
  for (const std::uint32_t frames_max : {1U, 1024U}) {
    CoreOptions options;
    options.limits.frames_max = frames_max;
    CoreWorld world(options);
    world.port_up();
    std::vector<FakeTarget> targets(4);
    std::vector<DeviceId> ids;
    std::vector<Bytes> memory(4, Bytes(512 * 4));
    for (std::uint8_t slot = 0; slot < 4; ++slot) {
      targets[slot].address = {Shelf{7}, Slot{slot}};
      ids.push_back(world.open(targets[slot]));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const bool gives_up = i == 2;
      world.submit(ids[i], {.op = IoOp::read,
                            .sectors = 4,
                            .read_into = memory[i],
                            .timeout = gives_up ? Duration::milliseconds(10) : Duration{}});
    }
    std::vector<Sent> sent = world.take_sent();
    ASSERT_EQ(sent.size(), std::min(frames_max, LossWindow::kStartFrames));
    world.advance(Duration::milliseconds(20), [&](const Sent& frame) { sent.push_back(frame); });
    for (int i = 0; i < 100 && !sent.empty(); ++i) {
      for (const Sent& frame : sent) {
        if (const auto reply = targets[frame.header.address.slot.value].answer(frame)) {
          world.receive(*reply);
        }
      }
      sent = world.take_sent();
    }
    EXPECT_EQ(world.completions().size(), 4U) << frames_max;
  }
}

TEST(CoreTables, WithoutBuffersNothingIsSentAndNothingIsLost) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  Bytes into(512 * 4);
  {
    std::vector<PacketBuffer> hoard;
    while (world.pool.available() > 0) {
      hoard.push_back(world.pool.allocate());
    }
    world.submit(id, {.op = IoOp::read, .sectors = 4, .read_into = into});
    EXPECT_TRUE(world.take_sent().empty());
  }
  world.run(target);
  EXPECT_EQ(world.completions().size(), 1U);
}

}  // namespace
}  // namespace aoe::initiator
