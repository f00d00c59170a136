// Requests that share frames: data, completions, errors, deadlines.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace aoe::initiator {
namespace {

class CoreMerge : public testing::Test {
 protected:
  void SetUp() override {
    target.sector_count = 17;
    world.port_up(PortId{0}, 9000);
    id = world.open(target);
  }

  void write(std::uint64_t lba, const Bytes& data, std::uint64_t cookie, Duration timeout = {}) {
    world.submit(id, {.op = IoOp::write,
                      .lba = Lba{lba},
                      .sectors = data.size() / kSectorBytes,
                      .write_from = data,
                      .cookie = cookie,
                      .timeout = timeout});
  }

  void read(std::uint64_t lba, Bytes& into, std::uint64_t cookie) {
    world.submit(id, {.op = IoOp::read,
                      .lba = Lba{lba},
                      .sectors = into.size() / kSectorBytes,
                      .read_into = into,
                      .cookie = cookie});
  }

  std::map<std::uint64_t, IoCompletion> done() {
    std::map<std::uint64_t, IoCompletion> all;
    for (const IoCompletion& completion : world.completions()) {
      EXPECT_TRUE(all.emplace(completion.cookie, completion).second) << "completed twice";
    }
    return all;
  }

  [[nodiscard]] ConstByteSpan disk(std::uint64_t lba, std::size_t bytes) const {
    return ConstByteSpan(target.content).subspan(lba * kSectorBytes, bytes);
  }

  CoreWorld world;
  FakeTarget target;
  DeviceId id{};
};

TEST_F(CoreMerge, WritesThatGoOnAreOneFrame) {
  const Bytes a = pattern(512 * 3, 1);
  const Bytes b = pattern(512 * 5, 2);
  write(10, a, 1);
  write(13, b, 2);
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].ata().sector_count, 8);
  EXPECT_EQ(world.core->stats().requests_merged, 1U);
  world.receive(*target.answer(sent[0]));
  EXPECT_EQ(done().size(), 2U);
  EXPECT_TRUE(equal_bytes(disk(10, a.size()), a));
  EXPECT_TRUE(equal_bytes(disk(13, b.size()), b));
}

TEST_F(CoreMerge, ReadsThatGoOnAreOneFrameIntoTheMemoryOfEach) {
  target.content = pattern(target.content.size(), 3);
  world.widen(target, id);
  Bytes a(512 * 16);
  Bytes b(512 * 20);
  Bytes c(512);
  read(0, a, 1);
  read(16, b, 2);
  read(36, c, 3);
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 3U) << "37 sectors are three frames";
  for (const Sent& frame : sent) {
    world.receive(*target.answer(frame));
  }
  EXPECT_EQ(done().size(), 3U);
  EXPECT_TRUE(equal_bytes(disk(0, a.size()), a));
  EXPECT_TRUE(equal_bytes(disk(16, b.size()), b));
  EXPECT_TRUE(equal_bytes(disk(36, c.size()), c));
}

TEST_F(CoreMerge, ARequestCompletesWithItsOwnLastFrame) {
  Bytes a(512 * 16);
  Bytes b(512 * 16);
  read(0, a, 1);
  read(16, b, 2);
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 2U);
  world.receive(*target.answer(sent[0]));
  EXPECT_EQ(done().count(1), 1U);
  world.receive(*target.answer(sent[1]));
  EXPECT_EQ(done().count(2), 1U);
}

TEST_F(CoreMerge, ASharedFrameIsSentAgainWithTheSameTagAndBytes) {
  const Bytes a = pattern(512 * 2, 1);
  const Bytes b = pattern(512 * 2, 2);
  write(10, a, 1);
  write(12, b, 2);
  const Sent first = world.take_sent().at(0);
  std::vector<Sent> again;
  world.advance(RttLimits{}.data_initial, [&](const Sent& frame) {
    if (frame.is_data()) {
      again.push_back(frame);
    }
  });
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].frame, first.frame);
  world.receive(*target.answer(again[0]));
  const auto all = done();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at(1).retransmissions, 1U);
  EXPECT_EQ(all.at(2).retransmissions, 1U);
}

TEST_F(CoreMerge, AnErrorInASharedFrameFailsOnlyTheRequestAtFault) {
  Bytes a(512 * 4);
  Bytes b(512 * 4);
  Bytes c(512 * 4);
  read(0, a, 1);
  read(4, b, 2);
  read(8, c, 3);
  const auto bad = [](const Sent& frame) {
    const std::uint64_t first = frame.ata().lba48().value;
    return first <= 5 && 5 < first + frame.ata().sector_count;
  };
  for (std::vector<Sent> sent = world.take_sent(); !sent.empty(); sent = world.take_sent()) {
    for (const Sent& frame : sent) {
      Bytes reply = *target.answer(frame);
      if (bad(frame)) {
        protocol::AtaArgument failed;
        failed.command_status = protocol::kAtaUncorrectable.status;
        failed.feature_error = protocol::kAtaUncorrectable.error;
        failed.set_lba48(Lba{5});
        protocol::build_ata(reply, failed);
      }
      world.receive(reply);
    }
  }
  const auto all = done();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at(1).status, IoStatus::ok);
  EXPECT_EQ(all.at(2).status, IoStatus::media_error);
  EXPECT_EQ(all.at(3).status, IoStatus::ok);
}

TEST_F(CoreMerge, ADeadlineInTheMiddleOfASharedFrameLeavesTheOthers) {
  const Bytes a = pattern(512 * 2, 1);
  const Bytes b = pattern(512 * 2, 2);
  const Bytes c = pattern(512 * 2, 3);
  write(10, a, 1, Duration::seconds(60));
  write(12, b, 2, Duration::milliseconds(20));
  write(14, c, 3, Duration::seconds(60));
  const Sent shared = world.take_sent().at(0);
  ASSERT_EQ(shared.ata().sector_count, 6);
  std::vector<Sent> rest;
  world.advance(Duration::milliseconds(20), [&](const Sent& frame) { rest.push_back(frame); });
  auto all = done();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.at(2).status, IoStatus::timed_out);
  ASSERT_EQ(rest.size(), 2U);
  for (const Sent& frame : rest) {
    EXPECT_NE(frame.header.tag, shared.header.tag) << "other bytes need another tag";
    EXPECT_EQ(frame.ata().sector_count, 2);
    world.receive(*target.answer(frame));
  }
  all = done();
  EXPECT_EQ(all.at(1).status, IoStatus::ok);
  EXPECT_EQ(all.at(3).status, IoStatus::ok);
  EXPECT_TRUE(equal_bytes(disk(10, a.size()), a));
  EXPECT_TRUE(equal_bytes(disk(14, c.size()), c));
  // The uncut frame may still land anywhere in its range.
  write(11, Bytes(512), 4);
  write(15, Bytes(512), 5);
  EXPECT_TRUE(world.take_sent().empty());
}

TEST_F(CoreMerge, ClosingEndsSharedFramesOnce) {
  const Bytes a = pattern(512 * 2, 1);
  write(10, a, 1);
  write(12, a, 2);
  write(14, a, 3);
  ASSERT_EQ(world.take_sent().size(), 1U);
  world.core->close_device(world.now, id);
  const auto all = done();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at(2).status, IoStatus::cancelled);
  EXPECT_TRUE(world.take_sent().empty());
}

TEST_F(CoreMerge, TrimsAreBatched) {
  target.content = pattern(target.content.size(), 3);
  for (std::uint64_t i = 0; i < 10; ++i) {
    world.submit(id, {.op = IoOp::trim, .lba = Lba{i * 20}, .sectors = 3, .cookie = i});
  }
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].ata().sector_count, 1);
  world.receive(*target.answer(sent[0]));
  EXPECT_EQ(done().size(), 10U);
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_TRUE(equal_bytes(disk(i * 20, 3 * 512), Bytes(3 * 512)));
    EXPECT_FALSE(equal_bytes(disk(i * 20 + 3, 512), Bytes(512)));
  }
}

TEST_F(CoreMerge, ATrimThatWasSentTwiceFencesAllItsRanges) {
  world.submit(id, {.op = IoOp::trim, .lba = Lba{100}, .sectors = 3, .cookie = 1});
  world.submit(id, {.op = IoOp::trim, .lba = Lba{10}, .sectors = 3, .cookie = 2});
  const Sent first = world.take_sent().at(0);
  world.advance(Duration::seconds(3));
  world.receive(*target.answer(first));
  ASSERT_EQ(done().size(), 2U);
  const Bytes block = pattern(512, 1);
  write(11, block, 3);
  write(102, block, 4);
  EXPECT_TRUE(world.take_sent().empty());
  write(103, block, 5);
  EXPECT_EQ(world.take_sent().size(), 1U);
}

TEST_F(CoreMerge, ManyTrimsTakeBlocksAsTheDiskAllows) {
  target.disk.trim_blocks_max = 2;
  world.core->close_device(world.now, id);
  id = world.open(target);
  world.widen(target, id);
  // 130 ranges: a frame of two blocks (as many requests as may share one), and the rest.
  for (std::uint64_t i = 0; i < 130; ++i) {
    world.submit(id, {.op = IoOp::trim, .lba = Lba{i * 20}, .sectors = 3, .cookie = i});
  }
  const std::vector<Sent> sent = world.take_sent();
  EXPECT_LE(sent.size(), 5U);
  for (const Sent& frame : sent) {
    EXPECT_LE(frame.ata().sector_count, 2);
    world.receive(*target.answer(frame));
  }
  EXPECT_EQ(done().size(), 130U);
}

TEST_F(CoreMerge, FlushesThatWaitTogetherAreOneFrame) {
  world.submit(id, {.op = IoOp::flush, .cookie = 1});
  world.submit(id, {.op = IoOp::flush, .cookie = 2, .timeout = Duration::seconds(1)});
  world.submit(id, {.op = IoOp::flush, .cookie = 3});
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(done().at(2).status, IoStatus::timed_out);
  world.receive(*target.answer(sent[0]));
  const auto all = done();
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at(3).status, IoStatus::ok);
}

TEST_F(CoreMerge, ADurableWriteToAVolatileDiskIsFlushedBeforeItCompletes) {
  target.disk.has_write_cache = true;
  target.disk.write_cache_enabled = true;
  world.core->close_device(world.now, id);
  id = world.open(target);
  const Bytes data = pattern(512, 1);
  world.submit(id, {.op = IoOp::write,
                    .lba = Lba{3},
                    .sectors = 1,
                    .write_from = data,
                    .durable = true,
                    .cookie = 1});
  const Sent written = world.take_sent().at(0);
  EXPECT_EQ(written.ata().command_status, 0x34);
  world.receive(*target.answer(written));
  EXPECT_TRUE(done().empty());
  const Sent flush = world.take_sent().at(0);
  EXPECT_EQ(flush.ata().command_status, 0xE7);
  world.receive(*target.answer(flush));
  EXPECT_EQ(done().at(1).status, IoStatus::ok);
}

TEST_F(CoreMerge, ReadsAreNotStarvedByALongWrite) {
  const Bytes data = pattern(512 * 1000, 1);
  Bytes into(512);
  write(0, data, 1);
  read(2000, into, 2);
  const std::vector<Sent> sent = world.take_sent();
  EXPECT_TRUE(std::any_of(sent.begin(), sent.end(),
                          [](const Sent& frame) { return frame.ata().command_status == 0x24; }));
}

TEST_F(CoreMerge, RandomRequestsReadBackWhatTheyWrote) {
  Prng random(11);
  Bytes model(target.content.size());
  for (unsigned round = 0; round < 200; ++round) {
    std::vector<Bytes> data;
    std::uint64_t at = random.below(3000);
    const std::uint64_t count = 1 + random.below(12);
    for (std::uint64_t i = 0; i < count; ++i) {
      data.push_back(pattern(512 * (1 + random.below(30)), static_cast<unsigned>(round * 100 + i)));
    }
    for (const Bytes& block : data) {
      write(at, block, at);
      copy_bytes(ByteSpan(model).subspan(at * 512), block);
      at += block.size() / 512 + (random.chance(1, 4) ? 1 : 0);
    }
    world.run(target, [&](const Sent& frame) { return frame.is_data() && random.chance(1, 10); });
    world.advance(Duration::seconds(10), [&](const Sent& frame) {
      if (const auto reply = target.answer(frame)) {
        world.receive(*reply);
      }
    });
    EXPECT_EQ(done().size(), count);
  }
  EXPECT_EQ(target.content, model);
}

}  // namespace
}  // namespace aoe::initiator
