// Which sizes of frames are used on a path: questions, black holes, refusals.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace aoe::initiator {
namespace {

// Host and target have jumbo frames; the switch between them may not.
class CoreSize : public testing::TestWithParam<FakePeer> {
 protected:
  void SetUp() override {
    target.peer = GetParam();
    target.sector_count = 17;
    world.port_up(PortId{0}, 9000);
  }

  void open() { id = world.open(target); }

  void pass_on(const Sent& frame) {
    const auto passes = [this](std::size_t bytes) { return bytes <= switch_mtu_bytes + 14; };
    const auto reply = passes(frame.frame.size()) ? target.answer(frame) : std::nullopt;
    if (!reply || !passes(reply->size())) {
      return;
    }
    if (disk_time > Duration{} && frame.header.command == 0 && !frame.is_identify()) {
      slow_answers.push_back({world.now + disk_time, *reply});
    } else {
      world.receive(*reply, frame.port);
    }
  }

  void pass_slow_answers() {
    while (!slow_answers.empty() && slow_answers.front().first <= world.now) {
      world.receive(slow_answers.front().second);
      slow_answers.pop_front();
    }
  }

  void run_for(Duration time) {
    const Instant end = world.now + time;
    while (world.now < end) {
      for (const Sent& frame : world.take_sent()) {
        pass_on(frame);
      }
      world.advance(Duration::milliseconds(10), [this](const Sent& frame) { pass_on(frame); });
      pass_slow_answers();
      for (const IoCompletion& completion : world.completions()) {
        done.push_back(completion);
      }
    }
  }

  void run_until_done(Duration limit = Duration::seconds(10)) {
    const Instant end = world.now + limit;
    while (done.empty() && world.now < end) {
      run_for(Duration::milliseconds(10));
    }
    ASSERT_EQ(done.size(), 1U);
  }

  [[nodiscard]] std::uint32_t payload() const {
    return world.core->device(id)->paths().at(0).payload.sectors();
  }

  std::size_t switch_mtu_bytes = 9000;
  Duration disk_time{};  // of reads and writes; IDENTIFY is answered from memory
  std::deque<std::pair<Instant, Bytes>> slow_answers;
  CoreWorld world;
  FakeTarget target;
  DeviceId id{};
  std::vector<IoCompletion> done;
};

INSTANTIATE_TEST_SUITE_P(Peers, CoreSize, testing::Values(FakePeer::plain, FakePeer::sessions),
                         [](const testing::TestParamInfo<FakePeer>& peer) {
                           return peer.param == FakePeer::plain ? "plain" : "sessions";
                         });

TEST_P(CoreSize, AFullFrameIsAskedForBothWaysBeforeItIsUsed) {
  id = *world.core->open_device(world.now, kE71, {});
  std::vector<Sent> questions;
  world.run(target, [&](const Sent& sent) {
    if (sent.is_size_question()) {
      questions.push_back(sent);
      return true;
    }
    return false;
  });
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(payload(), 2U);
  const Bytes reply = *target.answer(questions[0]);
  EXPECT_EQ(reply.size(), questions[0].frame.size());
  EXPECT_GE(reply.size(), 36 + 17 * 512U);
  world.receive(reply);
  EXPECT_EQ(payload(), 17U);
  EXPECT_EQ(world.core->stats().payload_steps_up, 1U);
}

TEST_P(CoreSize, ABlackHoleAtTheStartCostsNoData) {
  switch_mtu_bytes = 1500;
  id = *world.core->open_device(world.now, kE71, {});
  world.core->handle_timeout(world.now);
  run_for(Duration::seconds(1));
  EXPECT_EQ(payload(), 2U);
  EXPECT_TRUE(world.saw(EventKind::payload_lowered));
  Bytes into(512 * 100);
  world.submit(id, {.op = IoOp::read, .sectors = 100, .read_into = into});
  run_until_done();
  EXPECT_EQ(done[0].retransmissions, 0U);
}

TEST_P(CoreSize, WhatLiesBetweenIsFound) {
  switch_mtu_bytes = 4200;
  id = *world.core->open_device(world.now, kE71, {});
  world.core->handle_timeout(world.now);
  run_for(Duration::seconds(1));
  EXPECT_EQ(payload(), 8U);
}

TEST_P(CoreSize, WritesInABlackHoleStepDownWithinASecond) {
  open();
  ASSERT_EQ(payload(), 17U);
  switch_mtu_bytes = 1500;
  static_cast<void>(world.events());
  const Bytes data = pattern(512 * 100, 4);
  world.submit(id, {.op = IoOp::write, .lba = Lba{1}, .sectors = 100, .write_from = data});
  run_until_done();
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_LT(done[0].latency.ns, Duration::seconds(1).ns);
  EXPECT_EQ(payload(), 2U);
  EXPECT_TRUE(world.saw(EventKind::payload_lowered));
  EXPECT_GT(world.core->stats().resplits, 0U);
  EXPECT_GE(world.core->stats().fences_raised, 4U) << "the uncut frames may still land";
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(512, data.size()), data));
}

TEST_P(CoreSize, ReadsStepDownThoughTheirRequestsPass) {
  open();
  switch_mtu_bytes = 1500;
  Bytes into(512 * 100);
  world.submit(id, {.op = IoOp::read, .lba = Lba{1}, .sectors = 100, .read_into = into});
  run_until_done();
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_LT(done[0].latency.ns, Duration::seconds(1).ns);
  EXPECT_EQ(world.core->stats().payload_steps_down, 1U);
}

TEST_P(CoreSize, TheSizeReturnsWhenTheSwitchIsMended) {
  open();
  switch_mtu_bytes = 1500;
  Bytes into(512 * 100);
  world.submit(id, {.op = IoOp::read, .lba = Lba{1}, .sectors = 100, .read_into = into});
  run_until_done();
  run_for(Duration::seconds(3));
  ASSERT_EQ(payload(), 2U);
  switch_mtu_bytes = 9000;
  run_for(Duration::seconds(61));
  EXPECT_EQ(payload(), 17U) << "without any data";
  EXPECT_TRUE(world.saw(EventKind::payload_raised));
}

TEST_P(CoreSize, ASilentTargetIsNoBlackHole) {
  open();
  Bytes into(512 * 100);
  world.submit(id, {.op = IoOp::read, .lba = Lba{1}, .sectors = 100, .read_into = into});
  static_cast<void>(world.take_sent());
  world.advance(Duration::seconds(20));
  run_until_done();
  EXPECT_EQ(world.core->stats().payload_steps_down, 0U);
  EXPECT_EQ(payload(), 17U);
}

TEST_P(CoreSize, ASlowDiskIsNoBlackHole) {
  open();
  disk_time = Duration::seconds(3);
  const Bytes data = pattern(512 * 17, 4);
  world.submit(id, {.op = IoOp::write, .lba = Lba{1}, .sectors = 17, .write_from = data});
  run_until_done();
  run_for(Duration::seconds(5));
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_EQ(payload(), 17U);
  EXPECT_EQ(world.core->stats().payload_steps_down, 0U);
  EXPECT_EQ(world.core->stats().resplits, 0U) << "the write would be executed twice";
}

TEST_P(CoreSize, LossOfEverySizeIsNoBlackHole) {
  open();
  Prng random(5);
  Bytes into(512 * 2000);
  world.submit(id, {.op = IoOp::read, .lba = Lba{1}, .sectors = 2000, .read_into = into});
  for (int i = 0; i < 2000 && done.empty(); ++i) {
    const auto lossy = [&](const Sent& frame) {
      if (!random.chance(1, 20)) {
        pass_on(frame);
      }
    };
    for (const Sent& frame : world.take_sent()) {
      lossy(frame);
    }
    world.advance(Duration::milliseconds(10), lossy);
    for (const IoCompletion& completion : world.completions()) {
      done.push_back(completion);
    }
  }
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(world.core->stats().payload_steps_down, 0U);
}

TEST_P(CoreSize, ATargetThatRefusesBigFramesIsAskedInSmallerOnes) {
  open();
  target.refuses_big = true;
  target.sector_count = 2;
  const Bytes data = pattern(512 * 100, 4);
  world.submit(id, {.op = IoOp::write, .lba = Lba{1}, .sectors = 100, .write_from = data});
  run_until_done();
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_LT(done[0].latency.ns, Duration::seconds(1).ns);
  EXPECT_GT(world.core->stats().size_refusals, 0U);
  EXPECT_EQ(payload(), 2U);
  EXPECT_EQ(world.core->device(id)->paths().at(0).target.sector_count, 2)
      << "and for its new limits";
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(512, data.size()), data));
}

TEST_P(CoreSize, ARefusalThatMeansSomethingElseFailsTheRequest) {
  open();
  Bytes data(512 * 10);
  world.submit(id, {.op = IoOp::write, .lba = Lba{1}, .sectors = 10, .write_from = data});
  const auto read_only = [&](const Sent& frame) {
    auto reply = target.answer(frame);
    if (reply && frame.is_data()) {
      protocol::AtaArgument aborted;
      aborted.command_status = protocol::kAtaAborted.status;
      aborted.feature_error = protocol::kAtaAborted.error;
      protocol::build_ata(*reply, aborted);
      if (const auto seal = frame.seal()) {
        protocol::build_seal(*reply, *seal);
      }
    }
    if (reply) {
      world.receive(*reply);
    }
  };
  for (const Sent& frame : world.take_sent()) {
    read_only(frame);
  }
  world.advance(Duration::seconds(1), read_only);
  done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::aborted);
  EXPECT_EQ(payload(), 17U);
}

// The target's MTU goes down, up, down and up again, each time in time to take the size question.
TEST_P(CoreSize, ARefusalForASizeThatComesAndGoesFailsNothing) {
  open();
  const Bytes data = pattern(512 * 10, 6);
  world.submit(id, {.op = IoOp::write, .lba = Lba{1}, .sectors = 10, .write_from = data});
  int refusals = 0;
  const auto flapping = [&](const Sent& frame) {
    auto reply = target.answer(frame);
    if (reply && frame.is_data() && refusals < 2) {
      ++refusals;
      protocol::AtaArgument aborted;
      aborted.command_status = protocol::kAtaAborted.status;
      aborted.feature_error = protocol::kAtaAborted.error;
      protocol::build_ata(*reply, aborted);
      if (const auto seal = frame.seal()) {
        protocol::build_seal(*reply, *seal);
      }
    }
    if (reply) {
      world.receive(*reply);
    }
  };
  for (const Sent& frame : world.take_sent()) {
    flapping(frame);
  }
  world.advance(Duration::seconds(1), flapping);
  done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_EQ(refusals, 2);
}

TEST_P(CoreSize, PathsHaveSizesOfTheirOwn) {
  world.port_up(PortId{1}, 1500, kHostMac2);
  open();
  EXPECT_EQ(world.core->device(id)->paths().size(), 2U);
  Bytes into(512 * 200);
  world.submit(id, {.op = IoOp::read, .lba = Lba{1}, .sectors = 200, .read_into = into});
  std::size_t big = 0;
  std::size_t small = 0;
  world.run(target, [&](const Sent& sent) {
    big += sent.is_data() && sent.ata().sector_count > 2 ? 1U : 0U;
    small += sent.is_data() && sent.ata().sector_count <= 2 ? 1U : 0U;
    EXPECT_TRUE(sent.port == PortId{0} || sent.ata().sector_count <= 2);
    return false;
  });
  EXPECT_GT(big, 0U);
  EXPECT_GT(small, 0U);
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_P(CoreSize, ADiskSmallerThanAFrameIsNotReadPastItsEnd) {
  target.disk.sector_count = 5;
  id = *world.core->open_device(world.now, kE71, {});
  world.run(target, [](const Sent& sent) {
    EXPECT_FALSE(sent.is_size_question());
    return false;
  });
  EXPECT_EQ(payload(), 17U);
}

}  // namespace
}  // namespace aoe::initiator
