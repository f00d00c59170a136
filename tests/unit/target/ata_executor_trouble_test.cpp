// Stores that fail, shrink or hang.
#include "protocol/ata_smart.h"
#include "unit/target/executing.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using target::EventKind;
using target::ExportHealth;
using target::TargetEvent;
using target::WriteMode;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

// ---- Store errors
// ----------------------------------------------------------------------------------

TEST_F(Executing, EachStoreErrorHasItsAnswer) {
  serve();

  struct Case {
    StoreErrc status;
    std::uint8_t read_status, read_error, write_status, write_error;
  };

  for (const Case& one : {Case{StoreErrc::io, 0x41, 0x40, 0x61, 0x04},
                          Case{StoreErrc::truncated, 0x41, 0x40, 0x61, 0x04},
                          Case{StoreErrc::no_space, 0x61, 0x04, 0x61, 0x04},
                          Case{StoreErrc::read_only, 0x41, 0x04, 0x41, 0x04},
                          Case{StoreErrc::unsupported, 0x41, 0x04, 0x41, 0x04}}) {
    disk().fail_next({.status = one.status, .kind = StoreOpKind::read, .at_lba = 22});
    EXPECT_THAT(
        t.answer(FrameBuilder::read(20, 8)),
        AllOf(IsAtaResponse(1U, one.read_status, one.read_error), HasAtaLba(22), CarriesNoData()))
        << store_errc_name(one.status);
    disk().fail_next({.status = one.status, .kind = StoreOpKind::write, .at_lba = 23});
    EXPECT_THAT(t.answer(FrameBuilder::write(20, pattern(4096, 1))),
                AllOf(IsAtaResponse(1U, one.write_status, one.write_error), HasAtaLba(23)))
        << store_errc_name(one.status);
    EXPECT_EQ(t.at().health, ExportHealth::ok);
    EXPECT_THAT(t.answer(FrameBuilder::write(20, pattern(4096, 1))), IsAtaOk());
  }
  EXPECT_EQ(t.at().stats.store_errors, 10U);
  EXPECT_EQ(t.at().persistent.life.read_errors, 5U);
  EXPECT_EQ(t.at().persistent.life.write_errors, 5U);
}

TEST_F(Executing, FirstBadSectorOfA28BitReadIsToldIn28Bits) {
  serve();
  disk().fail_next({.status = StoreErrc::io, .kind = {}, .at_lba = 22});
  const SentFrame reply = t.answer(FrameBuilder::ata(0x20, 20, 8));
  EXPECT_THAT(reply, HasAtaLba(22));
  EXPECT_EQ(load_u8(reply.bytes, 26), 6) << "sectors from the bad one on";
}

TEST_F(Executing, StoreErrorEventsComeOncePerBurst) {
  serve();
  disk().fail_next({.status = StoreErrc::io, .kind = {}, .at_lba = {}, .times = 50});
  for (int i = 0; i < 50; ++i) {
    t.deliver(FrameBuilder::read(3));
  }
  EXPECT_THAT(t.take_events(),
              ElementsAre(AllOf(IsEvent(EventKind::store_error),
                                Field(&TargetEvent::store_error, StoreErrc::io),
                                Field(&TargetEvent::lba, Lba{3}), Field(&TargetEvent::value, 1))));
  t.advance(Duration::seconds(2));
  disk().fail_next({.status = StoreErrc::io, .kind = {}, .at_lba = {}});
  t.deliver(FrameBuilder::read(3));
  EXPECT_THAT(t.take_events(), ElementsAre(Field(&TargetEvent::value, 50)));
}

TEST_F(Executing, FailedSyncLatchesTheExportUntilSomebodyLooked) {
  serve();
  disk().fail_next({.status = StoreErrc::sync_failed, .kind = StoreOpKind::write, .at_lba = {}});
  EXPECT_THAT(t.answer(FrameBuilder::write(1, pattern(512, 1))), IsAtaFault());
  EXPECT_EQ(t.at().health, ExportHealth::failed);
  EXPECT_THAT(t.take_events(),
              ElementsAre(IsEvent(EventKind::export_failed), IsEvent(EventKind::store_error)));
  (void)disk().take_log();
  EXPECT_THAT(t.answer(FrameBuilder::write(2, pattern(512, 1))), IsAtaFault());
  EXPECT_THAT(t.answer(FrameBuilder::trim({{2, 1}})), IsAtaFault());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xE7)), IsAtaFault());
  EXPECT_THAT(disk().take_log(), IsEmpty());
  EXPECT_THAT(t.answer(FrameBuilder::read(2)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC)), IsAtaOk());
  const SentFrame smart = t.answer(FrameBuilder::smart(0xDA));
  EXPECT_THAT(smart, IsAtaOk());
  EXPECT_EQ(load_u8(smart.bytes, 29), protocol::kSmartFailingMid);
  EXPECT_EQ(load_u8(smart.bytes, 30), protocol::kSmartFailingHigh);
  ASSERT_TRUE(t.core().clear_failure(id()));
  EXPECT_THAT(t.answer(FrameBuilder::write(2, pattern(512, 1))), IsAtaOk());
  EXPECT_EQ(load_u8(t.answer(FrameBuilder::smart(0xDA)).bytes, 29), protocol::kSmartSignatureMid);
}

// fsync tells about lost pages once: whatever fails in a flush means that accepted data is gone.
TEST_F(Executing, EveryFailureOfAFlushLatches) {
  for (const StoreErrc status : {StoreErrc::io, StoreErrc::no_space, StoreErrc::sync_failed}) {
    if (t.core().find(kE71) != nullptr) {
      ASSERT_TRUE(t.core().remove_export(t.now(), id()));
    }
    serve(WriteMode::write_back);
    disk().fail_next({.status = status, .kind = StoreOpKind::flush, .at_lba = {}});
    EXPECT_THAT(t.answer(FrameBuilder::ata(0xEA)), IsAtaFault());
    EXPECT_EQ(t.at().health, ExportHealth::failed) << store_errc_name(status);
  }
}

TEST_F(Executing, FlushThatTheStoreDoesNotKnowIsNoFailure) {
  serve(WriteMode::write_back);
  disk().fail_next({.status = StoreErrc::unsupported, .kind = StoreOpKind::flush, .at_lba = {}});
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEA)), IsAtaAborted());
  EXPECT_EQ(t.at().health, ExportHealth::ok);
}

TEST_F(Executing, WritesUnderWayWhenASyncFailedAreNotAcknowledged) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)).tag(1));
  t.deliver(FrameBuilder::write(5, pattern(512, 1)).tag(2));
  t.deliver(FrameBuilder::write(1, pattern(512, 2)).tag(3));
  t.deliver(FrameBuilder::read(9).tag(4));
  t.finish(id(), 0, StoreErrc::sync_failed);
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaResponse(1U, 0x61, 4), IsAtaResponse(3U, 0x61, 4)))
      << "the one that waited never reaches the store";
  t.finish_all(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaResponse(2U, 0x61, 4), IsAtaResponse(4U, 0x40, 0)))
      << "the kernel would say that the second one is stable whatever happened to it";
}

// ---- A disk that shrinks
// ---------------------------------------------------------------------------

TEST_F(Executing, WhatWaitsBehindTheNewEndIsRefused) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(1000, pattern(512, 1)).tag(1));
  t.deliver(FrameBuilder::write(1000, pattern(512, 2)).tag(2));
  t.finish(id());
  (void)t.take_frames();
  t.deliver(FrameBuilder::write(1000, pattern(512, 2)).tag(3));
  ASSERT_TRUE(t.core().resize(id(), 500));
  t.finish(id());
  EXPECT_THAT(t.take_frames(),
              ElementsAre(IsAtaResponse(2U, 0x40, 0), IsAtaResponse(3U, 0x41, 0x10)));
  t.advance(Duration::milliseconds(5));
}

TEST_F(Executing, LongOperationsStopAtTheNewEnd) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::ata(0x40, 0, 0).tag(1));  // two steps of 128 sectors
  t.deliver(FrameBuilder::trim({{300, 1}, {900, 1}}).tag(2));
  ASSERT_TRUE(t.core().resize(id(), 100));
  (void)disk().take_log();
  t.finish(id());
  t.finish(id());
  EXPECT_THAT(disk().take_log(), IsEmpty());
  EXPECT_THAT(t.take_frames(),
              ElementsAre(IsAtaResponse(1U, 0x41, 0x10), IsAtaResponse(2U, 0x41, 0x10)));
  t.advance(Duration::milliseconds(5));
}

// ---- A store that hangs
// ----------------------------------------------------------------------------

TEST_F(Executing, HungStoreStallsItsExportAndNothingElse) {
  serve();
  serve(WriteMode::write_through, kE72);
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)));
  t.advance(Duration::seconds(29));
  EXPECT_EQ(t.at().health, ExportHealth::ok);
  t.advance(Duration::seconds(3));
  EXPECT_EQ(t.at().health, ExportHealth::stalled);
  EXPECT_THAT(t.take_events(), ElementsAre(IsEvent(EventKind::backend_stalled)));
  EXPECT_THAT(t.answers(FrameBuilder::read(5)), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::ata(0xE7)), IsEmpty());
  EXPECT_EQ(t.core().stats().drops.stalled, 2U);
  EXPECT_THAT(t.answer(FrameBuilder::config(protocol::ConfigCommand::read)),
              IsConfigReply(protocol::ConfigCommand::read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xE5)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::read(5).address(kE72)), IsAtaOk());
  // It comes back: what hung is answered late, never twice, and new requests are served.
  t.finish(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
  EXPECT_EQ(t.at().health, ExportHealth::ok);
  EXPECT_THAT(t.take_events(), ElementsAre(IsEvent(EventKind::backend_recovered)));
  disk().stop_holding();
  EXPECT_THAT(t.answer(FrameBuilder::read(1)), AllOf(IsAtaOk(), CarriesData(pattern(512, 1))));
}

TEST_F(Executing, ExportStaysStalledWhileOneOperationHangs) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)));
  t.advance(Duration::seconds(20));
  t.deliver(FrameBuilder::write(5, pattern(512, 1)));
  t.advance(Duration::seconds(12));
  EXPECT_EQ(t.at().health, ExportHealth::stalled);
  t.finish(id(), 1);
  EXPECT_EQ(t.at().health, ExportHealth::stalled) << "the first one still hangs";
  t.finish(id());
  EXPECT_EQ(t.at().health, ExportHealth::ok);
  EXPECT_THAT(t.take_events(), ElementsAre(IsEvent(EventKind::backend_stalled),
                                           IsEvent(EventKind::backend_recovered)));
}

TEST_F(Executing, StandstillOfTheProcessIsNoHangOfTheStore) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)));
  t.advance(Duration::seconds(10));
  t.stand_still(Duration::seconds(66));
  t.advance(Duration{});
  EXPECT_EQ(t.at().health, ExportHealth::ok);
  t.advance(Duration::seconds(18));
  EXPECT_EQ(t.at().health, ExportHealth::ok);
  // What the store takes while somebody looks counts as ever.
  t.advance(Duration::seconds(4));
  EXPECT_EQ(t.at().health, ExportHealth::stalled);
  t.finish(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
  EXPECT_EQ(t.at().health, ExportHealth::ok);
  (void)t.take_events();
}

TEST_F(Executing, LongVerifyOfASlowDiskIsNoHang) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::ata(0x42, 0, 255));
  t.advance(Duration::seconds(20));
  t.finish(id());
  t.advance(Duration::seconds(20));
  EXPECT_EQ(t.at().health, ExportHealth::ok) << "each of its operations took 20 seconds";
  t.finish_all(id());
}

TEST_F(Executing, HungExportIsRemovedOnlyWhenItsLastOperationIsBack) {
  serve();
  const ExportId gone = id();
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)));
  t.deliver(FrameBuilder::write(1, pattern(512, 2)));
  ASSERT_TRUE(t.core().remove_export(t.now(), gone));
  t.run();
  EXPECT_THAT(t.take_events(), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::read(1)), IsEmpty());
  EXPECT_FALSE(t.core().remove_export(t.now(), gone)) << "once is enough";
  EXPECT_FALSE(t.core().add_export(t.now(), TargetHarness::settings(), {}))
      << "the address is taken until then";
  t.finish(gone);
  EXPECT_THAT(t.take_events(), IsEmpty());
  t.finish(gone);
  EXPECT_THAT(t.take_events(), ElementsAre(IsEvent(EventKind::export_removed)));
  EXPECT_EQ(t.core().find(gone), nullptr);
  EXPECT_EQ(t.take_frames().size(), 2U);
}

TEST_F(Executing, CompletionsThatNobodyWaitsForAreIgnored) {
  serve();
  disk().hold();
  t.deliver(FrameBuilder::write(1, pattern(512, 1)));
  for (const std::uint32_t tag : {0U, 1U, 0xFFFFU, 0xFFFFFFFFU, 0x20000U}) {
    t.core().handle_store_done(t.now(), {.tag = StoreTag{tag}});
  }
  t.run();
  EXPECT_THAT(t.take_frames(), IsEmpty());
  t.finish(id());
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
}

}  // namespace
}  // namespace aoe::test
