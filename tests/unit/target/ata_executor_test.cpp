#include "protocol/ata_identify.h"
#include "protocol/ata_smart.h"
#include "unit/target/executing.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using protocol::ReserveCommand;
using target::ExportSettings;
using target::WriteMode;
using testing::AllOf;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using MacList = std::vector<MacAddress>;

constexpr Durability kStable = Durability::stable;
constexpr Durability kVisible = Durability::visible;

StoreRecord flushed() {
  return {StoreOpKind::flush, kVisible, 0, 0};
}

// ---- Reading and writing
// ---------------------------------------------------------------------------

TEST_F(Executing, WhatWasWrittenIsReadInEveryForm) {
  serve();
  for (const std::vector<std::uint8_t>& forms :
       {std::vector<std::uint8_t>{0x30, 0x31, 0xC5, 0xCA, 0xCB},
        std::vector<std::uint8_t>{0x34, 0x35, 0x39, 0x3D, 0xCE}}) {
    for (const std::uint8_t opcode : forms) {
      const Bytes data = pattern(1024, opcode);
      EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, opcode, 2).data(data)),
                  AllOf(IsAtaOk(), CarriesNoData()));
      EXPECT_EQ(disk().peek(opcode, 2), data);
      for (const std::uint8_t reader :
           std::vector<std::uint8_t>{0x20, 0x21, 0x24, 0x25, 0x29, 0xC4, 0xC8, 0xC9}) {
        EXPECT_THAT(t.answer(FrameBuilder::ata(reader, opcode, 2)),
                    AllOf(IsAtaOk(), CarriesData(data)));
      }
    }
  }
  EXPECT_EQ(t.at().stats.writes, 10U);
  EXPECT_EQ(t.at().stats.sectors_written, 20U);
  EXPECT_EQ(t.at().stats.reads, 80U);
  EXPECT_EQ(t.at().stats.sectors_read, 160U);
}

TEST_F(Executing, ReplyGoesToTheAskerFromTheExportWithTheTagAsItWas) {
  serve();
  const SentFrame reply = t.answer(FrameBuilder::read(0).from(kInitiatorC).tag(0xDEADBEEF));
  EXPECT_THAT(reply, AllOf(IsAtaResponse(0xDEADBEEFU, 0x40, 0), GoesTo(kInitiatorC, kE71)));
}

TEST_F(Executing, RetransmittedWriteIsAnsweredAgain) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::write(3, pattern(512, 1))), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::write(3, pattern(512, 1))), IsAtaOk());
}

TEST_F(Executing, ReadVerifyReadsEverythingAndSendsNothing) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x42, 100, 200)), AllOf(IsAtaOk(), CarriesNoData()));
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::read, kVisible, 100, 128},
                                             StoreRecord{StoreOpKind::read, kVisible, 228, 72}));
  // 0 means 256 in 28 bits.
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x40, 0, 0)), IsAtaOk());
  EXPECT_THAT(disk().take_log(), SizeIs(2));
  // and 65536 in 48 bits, which this disk does not have.
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x42, 0, 0)), AllOf(IsAtaNotFound(), HasAtaLba(1024)));
  disk().fail_next({.status = StoreErrc::io, .kind = {}, .at_lba = 229});
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x42, 100, 200)),
              AllOf(IsAtaResponse(1U, 0x41, 0x40), HasAtaLba(229)));
}

// ---- Durability
// ------------------------------------------------------------------------------------

TEST_F(Executing, WriteThroughIsStableBeforeTheReply) {
  serve();
  disk().hold();
  EXPECT_THAT(t.answers(FrameBuilder::write(1, pattern(512, 1))), IsEmpty());
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::write, kStable, 1, 1}));
  t.finish(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
}

TEST_F(Executing, WriteBackIsVisibleOnlyUnlessForced) {
  serve(WriteMode::write_back);
  EXPECT_THAT(t.answer(FrameBuilder::write(1, pattern(512, 1))), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x3D, 2, 1)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xCE, 3, 1)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEA)), IsAtaOk());
  EXPECT_THAT(disk().take_log(),
              ElementsAre(StoreRecord{StoreOpKind::write, kVisible, 1, 1},
                          StoreRecord{StoreOpKind::write, kStable, 2, 1},
                          StoreRecord{StoreOpKind::write, kStable, 3, 1}, flushed()));
}

TEST_F(Executing, FlushIsAnsweredOnlyWhenItHasFinished) {
  serve(WriteMode::write_back);
  disk().hold();
  EXPECT_THAT(t.answers(FrameBuilder::ata(0xE7)), IsEmpty());
  t.finish(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
  EXPECT_EQ(t.at().stats.flushes, 1U);
}

TEST_F(Executing, PowerCommandsEmptyACache) {
  serve(WriteMode::write_back);
  serve(WriteMode::write_through, kE72);
  for (const std::uint8_t opcode : std::vector<std::uint8_t>{0xE0, 0xE2, 0xE6, 0x94, 0x96, 0x99}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode)), IsAtaOk());
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode).address(kE72)), IsAtaOk());
    EXPECT_THAT(disk().take_log(), ElementsAre(flushed()));
  }
  EXPECT_THAT(t.disk(id(kE72)).take_log(), IsEmpty());
}

TEST_F(Executing, SwitchingTheCacheOffFlushesAndMakesLaterWritesStable) {
  serve(WriteMode::write_back);
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)).tag(1));
  t.deliver(FrameBuilder::ata(0xEF).feature(0x82).tag(2));
  t.deliver(FrameBuilder::write(2, pattern(512, 2)).tag(3));
  // The flush waits for the write before it, or it would not cover it; the write behind it is
  // stable of its own.
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::write, kVisible, 1, 1}));
  t.finish(id());
  EXPECT_THAT(disk().take_log(), ElementsAre(flushed()));
  t.finish(id());
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::write, kStable, 2, 1}));
  t.finish_all(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaResponse(1U, 0x40, 0), IsAtaResponse(2U, 0x40, 0),
                                           IsAtaResponse(3U, 0x40, 0)));
  disk().stop_holding();
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEF).feature(0x02)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::write(4, pattern(512, 1))), IsAtaOk());
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::write, kVisible, 4, 1}));
}

TEST_F(Executing, CacheCannotBeSwitchedOnWhereThereIsNone) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEF).feature(0x02)), IsAtaAborted());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEF).feature(0x82)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::write(1, pattern(512, 1))), IsAtaOk());
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::write, kStable, 1, 1}));
}

// ---- TRIM
// ------------------------------------------------------------------------------------------

TEST_F(Executing, TrimDiscardsItsRangesAndThenFlushesOnce) {
  serve();
  disk().poke(10, pattern(4096, 1));
  const auto frame = FrameBuilder::trim({{10, 4}, {14, 2}, {0, 0}, {100, 8}, {90, 1}});
  EXPECT_THAT(t.answer(frame), AllOf(IsAtaOk(), CarriesNoData()));
  EXPECT_THAT(disk().take_log(),
              ElementsAre(StoreRecord{StoreOpKind::discard, kVisible, 10, 6},
                          StoreRecord{StoreOpKind::discard, kVisible, 100, 8},
                          StoreRecord{StoreOpKind::discard, kVisible, 90, 1}, flushed()));
  EXPECT_EQ(disk().peek(10, 6), Bytes(3072));
  EXPECT_EQ(t.at().stats.trims, 1U);
}

TEST_F(Executing, TrimOfAWriteBackExportNeedsNoFlush) {
  serve(WriteMode::write_back);
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}})), IsAtaOk());
  EXPECT_THAT(disk().take_log(), ElementsAre(StoreRecord{StoreOpKind::discard, kVisible, 10, 4}));
}

TEST_F(Executing, TrimChecksAllRangesBeforeItTouchesAny) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}, {1020, 5}})), IsAtaNotFound());
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}, {kLbaLimit - 1, 65535}})), IsAtaNotFound());
  EXPECT_THAT(disk().take_log(), IsEmpty());
  // An entry with count 0 is no range, wherever it points.
  EXPECT_THAT(t.answer(FrameBuilder::trim({{kLbaLimit - 1, 0}, {1020, 4}})), IsAtaOk());
}

TEST_F(Executing, TrimThatNamesNothingIsDone) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::trim({})), IsAtaOk());
  EXPECT_THAT(disk().take_log(), testing::Each(flushed()));
}

TEST_F(Executing, TrimWithoutItsRangesOrItsBitIsRefused) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}}).truncate(36 + 511)), IsAoeError(2));
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}}).feature(0)), IsAtaAborted());
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}}).feature(3)), IsAtaAborted());
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}}).byte(26, 0)), IsAtaAborted());
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}}).byte(26, 17)), IsAtaAborted());
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

TEST_F(Executing, TrimIsRefusedWhereTheStoreCannotDiscard) {
  ExportSettings settings = TargetHarness::settings();
  settings.can_discard = false;
  (void)t.serve(settings);
  EXPECT_THAT(t.answer(FrameBuilder::trim({{10, 4}})), IsAtaAborted());
}

// ---- Order
// -----------------------------------------------------------------------------------------

TEST_F(Executing, OverlappingOperationsRunInTheOrderOfArrival) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(10, pattern(1024, 1)).tag(1));
  t.deliver(FrameBuilder::write(11, pattern(1024, 2)).tag(2));
  t.deliver(FrameBuilder::read(11, 1).tag(3));
  t.deliver(FrameBuilder::write(12, pattern(512, 3)).tag(4));
  t.deliver(FrameBuilder::write(40, pattern(512, 4)).tag(5));
  EXPECT_EQ(disk().waiting(), 2U) << "the first and the one that overlaps nothing";
  EXPECT_EQ(t.at().stats.waits, 3U);
  t.finish(id(), 1);
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaResponse(5U, 0x40, 0)));
  t.finish(id());
  EXPECT_EQ(disk().waiting(), 1U);
  t.finish(id());
  EXPECT_EQ(disk().waiting(), 2U) << "the read and the last write touch different sectors";
  t.finish_all(id());
  const auto frames = t.take_frames();
  ASSERT_THAT(frames, ElementsAre(IsAtaResponse(1U, 0x40, 0), IsAtaResponse(2U, 0x40, 0),
                                  AllOf(IsAtaResponse(3U, 0x40, 0), CarriesData([] {
                                          const Bytes second = pattern(1024, 2);
                                          return Bytes(second.begin(), second.begin() + 512);
                                        }())),
                                  IsAtaResponse(4U, 0x40, 0)));
  EXPECT_EQ(disk().peek(12), pattern(512, 3));
}

TEST_F(Executing, ReadsOfTheSameSectorsRunTogether) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::read(10, 4));
  t.deliver(FrameBuilder::read(10, 4));
  EXPECT_EQ(disk().waiting(), 2U);
  t.finish_all(id());
}

TEST_F(Executing, TrimAndWritesOfItsRangeKeepTheirOrder) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(10, pattern(512, 1)));
  t.deliver(FrameBuilder::trim({{0, 600}, {700, 5}}));
  t.deliver(FrameBuilder::write(20, pattern(512, 2)));
  EXPECT_EQ(disk().waiting(), 1U);
  t.finish_all(id());
  EXPECT_EQ(disk().peek(10), Bytes(512));
  EXPECT_EQ(disk().peek(20), pattern(512, 2));
}

TEST_F(Executing, ExportsDoNotWaitForEachOther) {
  serve();
  serve(WriteMode::write_through, kE72);
  disk().hold();
  t.deliver(FrameBuilder::write(10, pattern(512, 1)));
  EXPECT_THAT(t.answer(FrameBuilder::write(10, pattern(512, 2)).address(kE72)), IsAtaOk());
  t.finish_all(id());
}

// Operations of a random workload finish in random order; every sector must end up with the write
// that arrived last.
TEST_F(Executing, RandomOverlapsEndWithTheLastWriteOfEachSector) {
  serve();
  disk().hold();
  Prng prng(99);
  std::map<std::uint64_t, Bytes> wanted;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t lba = prng.below(40);
    const std::size_t count = 1 + prng.below(6);
    if (prng.chance(2, 3)) {
      const Bytes data = pattern(count * 512, static_cast<std::uint8_t>(prng.below(256)));
      for (std::size_t s = 0; s < count; ++s) {
        const auto from = data.begin() + static_cast<std::ptrdiff_t>(s * 512);
        wanted[lba + s] = Bytes(from, from + 512);
      }
      t.deliver(FrameBuilder::write(lba, data));
    } else {
      t.deliver(FrameBuilder::read(lba, static_cast<std::uint8_t>(count)));
    }
    while (disk().waiting() > 0 && (disk().waiting() > 4 || prng.chance(1, 3))) {
      t.finish(id(), prng.below(disk().waiting()));
    }
    // The export's share of requests is bounded; nothing may be dropped here.
    while (t.at().stats.in_flight > 100) {
      t.finish(id(), prng.below(disk().waiting()));
    }
  }
  while (disk().waiting() > 0) {
    t.finish(id(), prng.below(disk().waiting()));
  }
  EXPECT_EQ(t.at().stats.dropped, 0U);
  for (const auto& [lba, data] : wanted) {
    EXPECT_EQ(disk().peek(lba), data) << lba;
  }
}

// ---- Reservations
// ----------------------------------------------------------------------------------

TEST_F(Executing, WriteThatWaitedIsRefusedWhenTheDiskWasTakenOver) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(10, pattern(512, 1)).tag(1));
  t.deliver(FrameBuilder::write(10, pattern(512, 2)).tag(2));
  t.deliver(FrameBuilder::read(10).tag(3));
  t.deliver(FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorB}).from(kInitiatorB));
  EXPECT_THAT(t.take_frames(), IsEmpty()) << "the old holder's write is still under way";
  t.finish(id());
  EXPECT_THAT(t.take_frames(),
              testing::UnorderedElementsAre(
                  IsAtaResponse(1U, 0x40, 0), IsAoeError(6), IsAoeError(6),
                  IsReserveReply(ReserveCommand::force_set, MacList{kInitiatorB})));
  EXPECT_EQ(disk().peek(10), pattern(512, 1));
  EXPECT_THAT(t.answer(FrameBuilder::write(10, pattern(512, 1))), IsAoeError(6));
}

TEST_F(Executing, ReservationIsAnsweredAfterTheLastWriteBeforeIt) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(10, pattern(512, 1)));
  t.deliver(FrameBuilder::trim({{20, 1}}));
  t.deliver(FrameBuilder::read(30));
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  t.deliver(FrameBuilder::write(40, pattern(512, 1)));
  (void)t.take_frames();
  t.finish(id());  // the write
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
  t.finish(id());  // the trim's discard
  EXPECT_THAT(t.take_frames(), IsEmpty());
  t.finish(id(), disk().waiting() - 1);  // the trim's flush
  EXPECT_THAT(t.take_frames(),
              testing::UnorderedElementsAre(
                  IsAtaOk(), IsReserveReply(ReserveCommand::set, MacList{kInitiatorA})))
      << "neither the read nor the later write holds it up";
  t.finish_all(id());
}

// A copy of the change, or a question, must not draw the answer that the change waits for.
TEST_F(Executing, NobodyIsToldOfAReservationBeforeTheLastWriteBeforeIt) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(10, pattern(512, 1)));
  const Bytes change = FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorB});
  t.deliver(change);
  EXPECT_THAT(t.answers(change), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::reserve(ReserveCommand::read, {})), IsEmpty());
  t.finish(id());
  EXPECT_THAT(t.take_frames(),
              testing::UnorderedElementsAre(
                  IsAtaOk(), IsReserveReply(ReserveCommand::force_set, MacList{kInitiatorB})));
  EXPECT_THAT(t.answer(change), IsReserveReply(ReserveCommand::force_set, MacList{kInitiatorB}));
}

TEST_F(Executing, ReservationOfAFinishedDiskIsAnsweredAtOnce) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA})),
              IsReserveReply(ReserveCommand::set, MacList{kInitiatorA}));
}

// ---- Room and fairness
// -----------------------------------------------------------------------------

TEST_F(Executing, ExportTakesFourTimesWhatItAdvertises) {
  ExportSettings settings = TargetHarness::settings();
  settings.buffer_count = 2;
  (void)t.serve(settings);
  disk().hold();
  for (std::uint32_t i = 0; i < 20; ++i) {
    t.deliver(FrameBuilder::read(i).tag(i));
  }
  EXPECT_EQ(disk().waiting(), 8U);
  EXPECT_EQ(t.at().stats.dropped, 12U);
  EXPECT_EQ(t.core().stats().drops.queue_full, 12U);
  EXPECT_EQ(t.at().stats.in_flight_max, 8U);
  t.finish_all(id());
}

class SmallCore : public Executing {
 protected:
  SmallCore() : Executing({.limits = {.requests_max = 64}, .buffers = 100}) {}
};

TEST_F(SmallCore, GreedyInitiatorLeavesRoomForTheOthers) {
  serve();
  disk().hold();
  const auto flood = [this](const MacAddress& mac, unsigned count) {
    const std::uint32_t before = t.core().requests_in_flight();
    for (unsigned i = 0; i < count; ++i) {
      t.deliver(FrameBuilder::read(i).from(mac));
    }
    return t.core().requests_in_flight() - before;
  };
  const auto finish_everything = [this] {
    while (t.core().requests_in_flight() != 0) {
      t.finish_all(id());  // and those come that waited for them
    }
  };
  // B has one request in flight, so a share is half of the room.
  EXPECT_EQ(flood(kInitiatorB, 1), 1U);
  EXPECT_EQ(flood(kInitiatorA, 100), 32U) << "half is free for all, and of the rest its share";
  EXPECT_EQ(flood(kInitiatorB, 100), 31U);
  EXPECT_EQ(flood(kInitiatorC, 100), 0U);
  EXPECT_EQ(t.core().requests_in_flight(), 64U);
  EXPECT_LT(disk().waiting(), 64U) << "while they compete the store gets what it works on";
  finish_everything();
  // Alone again it may have everything.
  EXPECT_EQ(flood(kInitiatorA, 100), 64U);
  finish_everything();
}

class NoBuffers : public Executing {
 protected:
  NoBuffers() : Executing({.limits = {.requests_max = 64}, .buffers = 8}) {}
};

TEST_F(NoBuffers, RequestsWithoutABufferForTheirReplyAreDropped) {
  serve();
  disk().hold();
  for (std::uint32_t i = 0; i < 20; ++i) {
    t.deliver(FrameBuilder::read(i));
  }
  EXPECT_EQ(disk().waiting(), 8U);
  EXPECT_THAT(t.answers(FrameBuilder::ata(0xEC)), IsEmpty());
  EXPECT_EQ(t.core().stats().drops.queue_full, 13U);
  t.finish_all(id());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC)), IsAtaOk());
}

// ---- What a disk says of itself
// --------------------------------------------------------------------

TEST_F(Executing, IdentifyTellsTheTruthOfEachMode) {
  serve();
  serve(WriteMode::write_back, kE72);
  ExportSettings settings = TargetHarness::settings({Shelf{9}, Slot{0}}, 4097);
  settings.mode = WriteMode::read_only;
  settings.serial = "MINE";
  settings.model = "A model";
  settings.physical_block_bytes = 4096;
  (void)t.serve(settings);
  const auto identify = [this](DeviceAddress address) {
    const SentFrame reply = t.answer(FrameBuilder::ata(0xEC, 0, 1).address(address));
    EXPECT_THAT(reply, IsAtaOk());
    const auto view = protocol::parse_identify(ConstByteSpan(reply.bytes).subspan(36, 512));
    EXPECT_EQ(view.checksum, protocol::IdentifyChecksum::valid);
    return view.model;
  };
  const auto through = identify(kE71);
  EXPECT_EQ(through.sector_count, 1024U);
  EXPECT_EQ(through.model, "aoekit");
  EXPECT_FALSE(through.has_write_cache);
  EXPECT_TRUE(through.has_flush);
  EXPECT_TRUE(through.has_fua);
  EXPECT_TRUE(through.has_trim);
  EXPECT_EQ(through.trim_blocks_max, 16U);
  EXPECT_NE(through.world_wide_name, 0U);
  auto back = identify(kE72);
  EXPECT_TRUE(back.has_write_cache && back.write_cache_enabled);
  EXPECT_NE(back.serial, through.serial) << "each export is another disk";
  EXPECT_NE(back.world_wide_name, through.world_wide_name);
  t.deliver(FrameBuilder::ata(0xEF).feature(0x82).address(kE72));
  EXPECT_FALSE(identify(kE72).write_cache_enabled);
  t.deliver(FrameBuilder::ata(0xC6, 0, 8));
  EXPECT_EQ(identify(kE71).multiple_sectors, 8U);
  const auto read_only = identify({Shelf{9}, Slot{0}});
  EXPECT_EQ(read_only.serial, "MINE");
  EXPECT_EQ(read_only.model, "A model");
  EXPECT_EQ(read_only.sector_count, 4097U);
  EXPECT_EQ(read_only.physical_sector_bytes, 4096U);
  EXPECT_FALSE(read_only.has_trim);
  EXPECT_FALSE(read_only.has_fua);
}

TEST_F(Executing, SmartCountsWhatHappened) {
  serve();
  t.deliver(FrameBuilder::write(0, pattern(1024, 1)));
  t.deliver(FrameBuilder::read(0, 4));
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::read, .at_lba = {}});
  t.deliver(FrameBuilder::read(0, 4));
  t.advance(Duration::seconds(7300));
  const SentFrame reply = t.answer(FrameBuilder::smart(0xD0));
  ASSERT_THAT(reply, IsAtaOk());
  ASSERT_EQ(reply.bytes.size(), 548U);
  const auto view = protocol::parse_smart_data(ConstByteSpan(reply.bytes).subspan(36));
  EXPECT_EQ(view.checksum, protocol::SmartChecksum::valid);
  EXPECT_EQ(view.data.sectors_written, 2U);
  EXPECT_EQ(view.data.sectors_read, 4U);
  EXPECT_EQ(view.data.read_errors, 1U);
  EXPECT_EQ(view.data.power_cycles, 1U);
  EXPECT_EQ(view.data.power_on_hours, 2U);
  const SentFrame log = t.answer(FrameBuilder::smart(0xD5).byte(28, 1));
  ASSERT_EQ(log.bytes.size(), 548U);
  EXPECT_EQ(protocol::smart_error_log_count(ConstByteSpan(log.bytes).subspan(36)), 1U);
}

// aoeping sends every sub-command in a frame of 548 bytes and waits for as many.
TEST_F(Executing, SmartAnswersWithASectorOfZerosWhereTheQuestionHadRoomForOne) {
  serve();
  for (const std::uint8_t feature : std::vector<std::uint8_t>{0xD2, 0xD3, 0xD8, 0xDA}) {
    EXPECT_THAT(t.answer(FrameBuilder::smart(feature).data(Bytes(512))),
                AllOf(IsAtaOk(), CarriesData(Bytes(512))));
    EXPECT_THAT(t.answer(FrameBuilder::smart(feature)), AllOf(IsAtaOk(), CarriesNoData()));
  }
  EXPECT_THAT(t.answer(FrameBuilder::smart(0xD4).data(Bytes(512))),
              AllOf(IsAtaAborted(), CarriesData(Bytes(512))));
  EXPECT_THAT(t.answer(FrameBuilder::smart(0xD4)), AllOf(IsAtaAborted(), CarriesNoData()));
}

TEST_F(Executing, PowerOnTimeGoesOnWhileTheExportGoesOfflineAndBack) {
  serve();
  t.advance(Duration::seconds(7200));
  ASSERT_TRUE(t.core().set_online(t.now(), id(), target::TargetCore::Online::no));
  ASSERT_TRUE(t.core().set_online(t.now(), id(), target::TargetCore::Online::yes));
  t.advance(Duration::seconds(1));
  EXPECT_EQ(target::life_counters(t.at(), t.now()).powered_on_seconds, 7201U);
}

TEST_F(Executing, ReadNativeMaxAndDiagnosticAnswerInRegisters) {
  serve();
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x27)), AllOf(IsAtaOk(), HasAtaLba(1023)));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xF8)), AllOf(IsAtaOk(), HasAtaLba(1023)));
  const SentFrame check = t.answer(FrameBuilder::ata(0xE5));
  EXPECT_EQ(load_u8(check.bytes, 26), 0xFF) << "active";
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x90)), IsAtaResponse(1U, 0x40, 0x01));
}

// ---- Small frames
// ----------------------------------------------------------------------------------

TEST_F(Executing, PortTooSmallForASectorStillAnswersWithoutData) {
  serve();
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 256, .link_up = true});
  (void)t.take_frames();
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xE5)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAtaAborted());
  EXPECT_THAT(t.answers(FrameBuilder::ata(0xEC)), IsEmpty());
}

}  // namespace
}  // namespace aoe::test
