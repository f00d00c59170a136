// Requests: pieces, answers, errors, order.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::initiator {
namespace {

class CoreIo : public testing::Test {
 protected:
  void SetUp() override {
    world.port_up();
    id = world.open(target);
  }

  Bytes forged_ata(const Sent& request, protocol::AtaOutcome outcome, Lba lba) {
    Bytes reply = reply_to(request, target);
    protocol::AtaArgument ata = request.ata();
    ata.command_status = outcome.status;
    ata.feature_error = outcome.error;
    ata.set_lba48(lba);
    protocol::build_ata(reply, ata);
    return reply;
  }

  CoreWorld world;
  FakeTarget target;
  DeviceId id{};
};

TEST_F(CoreIo, WritesThenReadsBackOddSizes) {
  for (const std::uint64_t sectors : {1U, 2U, 3U, 7U, 64U, 255U, 1000U}) {
    const Bytes data = pattern(sectors * 512, static_cast<unsigned>(sectors));
    Bytes into(data.size());
    const Lba lba{sectors};
    world.submit(id, {.op = IoOp::write, .lba = lba, .sectors = sectors, .write_from = data});
    world.run(target);
    world.submit(id, {.op = IoOp::read, .lba = lba, .sectors = sectors, .read_into = into});
    world.run(target);
    const auto done = world.completions();
    ASSERT_EQ(done.size(), 2U);
    EXPECT_EQ(done[0].status, IoStatus::ok);
    EXPECT_EQ(done[1].sectors, sectors);
    EXPECT_EQ(into, data) << sectors;
  }
}

TEST_F(CoreIo, PiecesFollowThePayloadOfThePath) {
  world.widen(target, id);
  Bytes into(512 * 5);
  world.submit(id, {.op = IoOp::read, .lba = Lba{10}, .sectors = 5, .read_into = into});
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].ata().lba48(), Lba{10});
  EXPECT_EQ(sent[0].ata().sector_count, 2);
  EXPECT_EQ(sent[1].ata().lba48(), Lba{12});
  EXPECT_EQ(sent[2].ata().lba48(), Lba{14});
  EXPECT_EQ(sent[2].ata().sector_count, 1);
}

TEST_F(CoreIo, AnswersInAnyOrderMakeOneCompletion) {
  world.widen(target, id);
  std::copy_n(pattern(512 * 8, 3).begin(), 512 * 8, target.content.begin());
  Bytes into(512 * 8);
  world.submit(id, {.op = IoOp::read, .sectors = 8, .read_into = into, .cookie = 42});
  std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 4U);
  std::reverse(sent.begin(), sent.end());
  for (const Sent& frame : sent) {
    EXPECT_TRUE(world.completions().empty());
    world.receive(*target.answer(frame));
  }
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].cookie, 42U);
  EXPECT_EQ(into, pattern(512 * 8, 3));
}

TEST_F(CoreIo, RefusesWhatCannotBe) {
  Bytes block(1024);
  const auto error = [&](const IoRequest& request) {
    const auto result = world.core->submit(world.now, id, request);
    EXPECT_FALSE(result.has_value());
    return result.error();
  };
  EXPECT_EQ(error({.op = IoOp::read, .sectors = 0}), SubmitError::bad_request);
  EXPECT_EQ(error({.op = IoOp::read, .sectors = 3, .read_into = block}), SubmitError::bad_request);
  EXPECT_EQ(error({.op = IoOp::write, .sectors = 2, .read_into = block}), SubmitError::bad_request);
  EXPECT_EQ(error({.op = IoOp::flush, .sectors = 1}), SubmitError::bad_request);
  EXPECT_EQ(error({.op = IoOp::read, .lba = Lba{4095}, .sectors = 2, .read_into = block}),
            SubmitError::out_of_range);
  EXPECT_EQ(error({.op = IoOp::trim, .lba = Lba{~0ULL}, .sectors = 2}), SubmitError::out_of_range);
  EXPECT_EQ(error({.op = IoOp::trim, .sectors = ~0ULL}), SubmitError::out_of_range);
  EXPECT_TRUE(world.take_sent().empty());
}

TEST_F(CoreIo, ReadOnlyDevicesRefuseEveryChange) {
  world.core->close_device(world.now, id);
  id = world.open(target, {.access = DeviceSettings::Access::read_only});
  Bytes block(512);
  for (const IoRequest& request : {IoRequest{.op = IoOp::write, .sectors = 1, .write_from = block},
                                   IoRequest{.op = IoOp::trim, .sectors = 1},
                                   IoRequest{.op = IoOp::write_zeroes, .sectors = 1}}) {
    EXPECT_EQ(world.core->submit(world.now, id, request).error(), SubmitError::read_only);
  }
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = block});
  world.submit(id, {.op = IoOp::flush});
  world.run(target);
  EXPECT_EQ(world.completions().size(), 2U);
}

TEST_F(CoreIo, BusyWhenEverySlotIsTakenUntilCompletionsArePolled) {
  Bytes into(512);
  for (int i = 0; i < 256; ++i) {
    world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
  }
  const IoRequest one_more{.op = IoOp::read, .sectors = 1, .read_into = into};
  EXPECT_EQ(world.core->submit(world.now, id, one_more).error(), SubmitError::busy);
  world.run(target);
  EXPECT_EQ(world.core->submit(world.now, id, one_more).error(), SubmitError::busy);
  EXPECT_EQ(world.completions().size(), 256U);
  world.submit(id, one_more);
}

TEST_F(CoreIo, TrimIsUnsupportedWhereTheDiskHasNone) {
  target.disk.has_trim = false;
  world.core->close_device(world.now, id);
  id = world.open(target);
  EXPECT_EQ(world.core->submit(world.now, id, {.op = IoOp::trim, .sectors = 1}).error(),
            SubmitError::unsupported);
}

TEST_F(CoreIo, TrimAndZeroesReachTheDisk) {
  std::fill(target.content.begin(), target.content.end(), std::byte{0xFF});
  world.submit(id, {.op = IoOp::trim, .lba = Lba{8}, .sectors = 100});
  world.submit(id, {.op = IoOp::write_zeroes, .lba = Lba{200}, .sectors = 7});
  world.run(target);
  ASSERT_EQ(world.completions().size(), 2U);
  EXPECT_EQ(target.content[8 * 512], std::byte{0});
  EXPECT_EQ(target.content[108 * 512], std::byte{0xFF});
  EXPECT_EQ(target.content[207 * 512 - 1], std::byte{0});
  EXPECT_EQ(target.content[207 * 512], std::byte{0xFF});
}

TEST_F(CoreIo, AtaErrorsFailTheRequestWithTheSectorTheTargetNames) {
  struct Case {
    protocol::AtaOutcome outcome;
    IoStatus status;
  };

  for (const Case& c : {Case{protocol::kAtaUncorrectable, IoStatus::media_error},
                        Case{protocol::kAtaIdNotFound, IoStatus::out_of_range},
                        Case{protocol::kAtaAborted, IoStatus::aborted},
                        Case{protocol::kAtaDeviceFault, IoStatus::device_fault},
                        Case{{0x80, 0}, IoStatus::device_fault}}) {
    Bytes into(512 * 4);
    world.submit(id, {.op = IoOp::read, .lba = Lba{100}, .sectors = 4, .read_into = into});
    std::vector<Sent> sent = world.take_sent();
    std::erase_if(sent, [](const Sent& frame) { return !frame.is_data(); });
    ASSERT_EQ(sent.size(), 2U);
    world.receive(forged_ata(sent[1], c.outcome, Lba{103}));
    EXPECT_TRUE(world.completions().empty()) << "the other piece is in flight";
    world.receive(*target.answer(sent[0]));
    const auto done = world.completions();
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].status, c.status);
    EXPECT_EQ(done[0].error_lba, Lba{103});
    EXPECT_EQ(done[0].outcome, c.outcome);
  }
}

TEST_F(CoreIo, AnErrorSectorOutsideThePieceIsNotBelieved) {
  Bytes into(512 * 2);
  world.submit(id, {.op = IoOp::read, .lba = Lba{100}, .sectors = 2, .read_into = into});
  world.receive(forged_ata(world.take_sent()[0], protocol::kAtaUncorrectable, Lba{5}));
  EXPECT_EQ(world.completions()[0].error_lba, Lba{100});
}

TEST_F(CoreIo, TheFirstErrorOfTheRequestIsReported) {
  Bytes into(512 * 4);
  world.submit(id, {.op = IoOp::read, .lba = Lba{100}, .sectors = 4, .read_into = into});
  const std::vector<Sent> sent = world.take_sent();
  world.receive(forged_ata(sent[1], protocol::kAtaAborted, Lba{102}));
  world.receive(forged_ata(sent[0], protocol::kAtaUncorrectable, Lba{101}));
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::media_error);
  EXPECT_EQ(done[0].error_lba, Lba{101});
}

TEST_F(CoreIo, AfterAnErrorNoFurtherPieceIsSent) {
  Bytes into(512 * 64);
  world.submit(id, {.op = IoOp::read, .sectors = 64, .read_into = into});
  const std::vector<Sent> sent = world.take_sent();
  for (const Sent& frame : sent) {
    world.receive(forged_ata(frame, protocol::kAtaAborted, Lba{0}));
  }
  EXPECT_TRUE(world.take_sent().empty());
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreIo, FinalAoeErrorsRejectTheRequest) {
  for (const unsigned number : {1U, 2U, 4U, 5U, 6U, 77U}) {
    const auto code = static_cast<std::uint8_t>(number);
    Bytes into(512);
    world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
    Sent sent = world.take_sent()[0];
    Bytes reply = reply_to(sent, target);
    reply[14] |= std::byte{0x04};
    reply[15] = std::byte{code};
    world.receive(reply);
    const auto done = world.completions();
    ASSERT_EQ(done.size(), 1U) << unsigned{code};
    EXPECT_EQ(done[0].status, IoStatus::rejected);
    EXPECT_EQ(done[0].aoe_error, code);
  }
}

TEST_F(CoreIo, WhatIsWrongWithAnswersIsCountedOnTheirPath) {
  const Path& path = world.core->device(id)->paths().at(0);
  Bytes into(512);
  const auto ask = [&] {
    world.submit(id, {.op = IoOp::read, .lba = Lba{100}, .sectors = 1, .read_into = into});
    return world.take_sent().at(0);
  };

  Sent sent = ask();
  Bytes good = *target.answer(sent);
  Bytes cut = good;
  cut.resize(good.size() - 1);
  world.receive(cut);
  EXPECT_EQ(path.truncated, 1U);
  EXPECT_TRUE(world.completions().empty()) << "it is still waited for";
  constexpr std::size_t kStatusAt = 27;
  store_u8(good, kStatusAt, protocol::kStatusReady | protocol::kStatusCorrected);
  world.receive(good);
  ASSERT_EQ(world.completions().at(0).status, IoStatus::ok);
  EXPECT_EQ(path.corrected, 1U);

  world.receive(forged_ata(ask(), protocol::kAtaUncorrectable, Lba{100}));
  EXPECT_EQ(path.ata_errors, 1U);

  sent = ask();
  Bytes refusal = reply_to(sent, target);
  refusal[14] |= std::byte{0x04};
  refusal[15] = std::byte{1};
  world.receive(refusal);
  EXPECT_EQ(path.aoe_errors, 1U);
  EXPECT_EQ(path.truncated + path.corrected + path.ata_errors, 3U);
}

TEST_F(CoreIo, DeviceUnavailableIsRetriedUnderTheSameTag) {
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .sectors = 1, .read_into = into});
  const Sent sent = world.take_sent()[0];
  Bytes reply = reply_to(sent, target);
  reply[14] |= std::byte{0x04};
  reply[15] = std::byte{3};
  world.receive(reply);
  EXPECT_TRUE(world.completions().empty());
  std::vector<Sent> again;
  world.advance(Duration::milliseconds(300), [&](const Sent& frame) { again.push_back(frame); });
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again[0].header.tag, sent.header.tag);
  world.receive(*target.answer(again[0]));
  EXPECT_EQ(world.completions()[0].status, IoStatus::ok);
  EXPECT_EQ(world.core->stats().device_unavailable, 1U);
}

TEST_F(CoreIo, OverlappingRequestsKeepTheirOrder) {
  const Bytes first = pattern(1024, 1);
  const Bytes second = pattern(512, 2);
  Bytes into(1024);
  world.submit(id, {.op = IoOp::write, .lba = Lba{8}, .sectors = 2, .write_from = first});
  world.submit(id, {.op = IoOp::write, .lba = Lba{9}, .sectors = 1, .write_from = second});
  world.submit(id, {.op = IoOp::read, .lba = Lba{8}, .sectors = 2, .read_into = into});
  world.submit(id, {.op = IoOp::read, .lba = Lba{20}, .sectors = 2, .read_into = into});
  std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 2U) << "only the first write and the read elsewhere";
  std::sort(sent.begin(), sent.end(),
            [](const Sent& a, const Sent& b) { return a.ata().lba48() < b.ata().lba48(); });
  EXPECT_EQ(sent[0].ata().lba48(), Lba{8});
  EXPECT_EQ(sent[1].ata().lba48(), Lba{20});
  world.receive(*target.answer(sent[1]));
  world.receive(*target.answer(sent[0]));
  const std::vector<Sent> next = world.take_sent();
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].ata().lba48(), Lba{9});
  world.receive(*target.answer(next[0]));
  world.run(target);
  EXPECT_EQ(world.completions().size(), 4U);
  EXPECT_TRUE(equal_bytes(ConstByteSpan(into).first(512), ConstByteSpan(first).first(512)));
  EXPECT_TRUE(equal_bytes(ConstByteSpan(into).last(512), second));
  EXPECT_EQ(world.core->stats().overlap_waits, 2U);
}

TEST_F(CoreIo, OverlappingReadsRunTogether) {
  Bytes into(1024);
  Bytes other(1024);
  world.submit(id, {.op = IoOp::read, .sectors = 2, .read_into = into});
  world.submit(id, {.op = IoOp::read, .sectors = 2, .read_into = other});
  EXPECT_EQ(world.take_sent().size(), 2U);
}

TEST_F(CoreIo, FlushWaitsForTheWritesBeforeIt) {
  world.widen(target, id);
  Bytes data(512);
  Bytes into(512);
  world.submit(id, {.op = IoOp::write, .sectors = 1, .write_from = data});
  world.submit(id, {.op = IoOp::flush});
  world.submit(id, {.op = IoOp::read, .lba = Lba{50}, .sectors = 1, .read_into = into});
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 2U);
  for (const Sent& frame : sent) {
    EXPECT_NE(frame.ata().command_status, 0xE7);
    world.receive(*target.answer(frame));
  }
  const std::vector<Sent> flush = world.take_sent();
  ASSERT_EQ(flush.size(), 1U);
  EXPECT_EQ(flush[0].ata().command_status, 0xE7);
}

TEST_F(CoreIo, FlushOfADiskWithoutACacheCompletesWithoutAFrame) {
  target.disk.has_flush = false;
  world.core->close_device(world.now, id);
  id = world.open(target);
  world.submit(id, {.op = IoOp::flush});
  EXPECT_TRUE(world.take_sent().empty());
  ASSERT_EQ(world.completions().size(), 1U);
}

TEST_F(CoreIo, SlowFlushIsNoCongestionAndNoLoss) {
  world.submit(id, {.op = IoOp::flush});
  std::vector<Sent> sent = world.take_sent();
  world.advance(Duration::seconds(30), [&](const Sent& frame) {
    if (frame.is_data()) {
      sent.push_back(frame);
    }
  });
  EXPECT_GE(sent.size(), 3U);
  EXPECT_LE(sent.size(), 8U);
  EXPECT_EQ(world.core->stats().window_cuts, 0U);
  world.receive(*target.answer(sent[0]));
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].latency, Duration::seconds(30));
}

TEST_F(CoreIo, SmallerMtuCutsWhatIsInFlightSmaller) {
  target.sector_count = 17;
  world.core->close_device(world.now, id);
  world.port_up(PortId{0}, 9000);
  id = world.open(target);
  world.widen(target, id);
  const Bytes data = pattern(512 * 40, 9);
  world.submit(id, {.op = IoOp::write, .lba = Lba{3}, .sectors = 40, .write_from = data});
  ASSERT_EQ(world.take_sent().size(), 3U);
  world.port_up(PortId{0}, 1500);
  for (int i = 0; i < 100 && target.content[3 * 512 + data.size() - 1] != data.back(); ++i) {
    world.advance(Duration::milliseconds(50), [&](const Sent& frame) {
      EXPECT_LE(frame.frame.size(), 1514U);
      if (const auto reply = target.answer(frame)) {
        world.receive(*reply);
      }
    });
    world.run(target);
  }
  const auto done = world.completions();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].status, IoStatus::ok);
  EXPECT_TRUE(equal_bytes(ConstByteSpan(target.content).subspan(3 * 512, data.size()), data));
  EXPECT_GT(world.core->stats().resplits, 0U);
}

TEST_F(CoreIo, TwoDevicesTakeTurns) {
  FakeTarget other;
  other.address = {Shelf{7}, Slot{2}};
  other.mac = kTargetMac2;
  const DeviceId second = world.open(other);
  Bytes into(512 * 8);
  Bytes into2(512 * 8);
  world.submit(id, {.op = IoOp::read, .sectors = 8, .read_into = into});
  world.submit(second, {.op = IoOp::read, .sectors = 8, .read_into = into2});
  const std::vector<Sent> sent = world.take_sent();
  // The slots of a shelf share its window.
  ASSERT_EQ(sent.size(), LossWindow::kStartFrames);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    EXPECT_NE(sent[i].header.address, sent[i - 1].header.address);
  }
}

TEST_F(CoreIo, ReadsAndWritesAnOldDiskWith28Bits) {
  target.disk.has_lba48 = false;
  world.core->close_device(world.now, id);
  id = world.open(target);
  Bytes into(512);
  world.submit(id, {.op = IoOp::read, .lba = Lba{9}, .sectors = 1, .read_into = into});
  const std::vector<Sent> sent = world.take_sent();
  EXPECT_EQ(sent[0].ata().command_status, 0x20);
  EXPECT_EQ(sent[0].ata().lba28(), Lba{9});
}

}  // namespace
}  // namespace aoe::initiator
