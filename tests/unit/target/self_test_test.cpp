// Self-tests over a whole target core.
#include "target/self_test.h"

#include "support/target_fixture.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using protocol::SmartSelfTest;
using protocol::SmartTestStatus;
using target::EventKind;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint8_t kOffline = 0xD4;
constexpr std::uint8_t kShort = 1;
constexpr std::uint8_t kExtended = 2;
constexpr std::uint8_t kAbort = 127;

class SelfTesting : public TargetTest {
 protected:
  void serve(std::uint64_t sectors) {
    id_ = t.serve(TargetHarness::settings(kE71, sectors));
    (void)disk().take_log();
  }

  ModelDisk& disk() { return t.disk(id_); }

  [[nodiscard]] SentFrame order(std::uint8_t what) {
    return t.answer(FrameBuilder::smart(kOffline).byte(28, what));
  }

  // Of the disk as SMART READ DATA tells it.
  [[nodiscard]] std::uint8_t status() {
    const SentFrame reply = t.answer(FrameBuilder::smart(0xD0));
    return protocol::parse_smart_data(ConstByteSpan(reply.bytes).subspan(36)).data.self_test_status;
  }

  // From the self-test log, 0 = the newest.
  [[nodiscard]] std::optional<SmartSelfTest> logged(std::size_t index) {
    const SentFrame reply = t.answer(FrameBuilder::smart(0xD5).byte(28, 6));
    return protocol::smart_self_test(ConstByteSpan(reply.bytes).subspan(36), index);
  }

  [[nodiscard]] static SmartTestStatus how(const std::optional<SmartSelfTest>& test) {
    return test ? protocol::smart_test_status(test->status) : SmartTestStatus::aborted;
  }

  [[nodiscard]] std::vector<SmartSelfTest> saved() {
    const auto state = target::decode_state(kE71, t.saved_state(kE71));
    return state ? state->self_tests : std::vector<SmartSelfTest>();
  }

  ExportId id_;
};

TEST_F(SelfTesting, AnExtendedTestReadsEverySectorOnceAndPasses) {
  constexpr std::uint64_t kSectors = 10'001;
  serve(kSectors);
  EXPECT_THAT(order(kExtended), IsAtaOk());
  EXPECT_EQ(status() >> 4U, 15U);
  t.advance(Duration::seconds(10));
  std::uint64_t next = 0;
  for (const StoreRecord& read : disk().take_log()) {
    EXPECT_EQ(read.kind, StoreOpKind::read);
    EXPECT_EQ(read.lba, next);
    next += read.sectors;
  }
  EXPECT_EQ(next, kSectors);
  EXPECT_EQ(status(), 0x00);
  const auto test = logged(0);
  ASSERT_TRUE(test.has_value());
  EXPECT_EQ(test->kind, kExtended);
  EXPECT_EQ(test->status, 0x00);
  EXPECT_FALSE(logged(1));
  EXPECT_THAT(saved(), SizeIs(1));
  EXPECT_EQ(saved()[0].status, 0x00);
  const auto events = t.take_events();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].kind, EventKind::self_test_started);
  EXPECT_EQ(events[1].kind, EventKind::self_test_ended);
}

TEST_F(SelfTesting, AShortTestReadsSamplesOfTheWholeDiskWithItsFirstAndLastSectors) {
  constexpr std::uint64_t kSectors = 10'000'000'001;
  serve(kSectors);
  EXPECT_THAT(order(kShort), IsAtaOk());
  t.advance(Duration::seconds(10));
  std::uint64_t sum = 0;
  std::uint64_t end = 0;
  std::uint64_t widest_gap = 0;
  for (const StoreRecord& read : disk().take_log()) {
    EXPECT_GE(read.lba, end);
    widest_gap = std::max(widest_gap, read.lba - end);
    end = read.lba + read.sectors;
    sum += read.sectors;
  }
  EXPECT_EQ(end, kSectors);
  EXPECT_EQ(sum, 128U * 128);
  EXPECT_LT(widest_gap, kSectors / 100);
  EXPECT_EQ(how(logged(0)), SmartTestStatus::passed);
}

TEST_F(SelfTesting, ASectorThatCannotBeReadEndsTheTestAndIsNamed) {
  serve(100'000);
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::read, .at_lba = 70'007});
  EXPECT_THAT(order(kExtended), IsAtaOk());
  t.advance(Duration::seconds(10));
  const auto test = logged(0);
  ASSERT_TRUE(test.has_value());
  EXPECT_EQ(how(test), SmartTestStatus::read_failed);
  EXPECT_EQ(test->failing_lba, 70'007U);
  EXPECT_EQ(status(), test->status);
  EXPECT_EQ(test->status & 0x0FU, 4U);  // tenths that were left, rounded up
  EXPECT_EQ(t.at().persistent.life.read_errors, 1U);
  // The disk is as good as before for everything else.
  EXPECT_EQ(t.at().health, target::ExportHealth::ok);
}

TEST_F(SelfTesting, AnAbortedTestStopsReadingAndANewOneAbortsTheOldOne) {
  serve(100'000'000);
  EXPECT_THAT(order(kExtended), IsAtaOk());
  t.advance(Duration::seconds(1));
  EXPECT_THAT(order(kShort), IsAtaOk());
  EXPECT_EQ(how(logged(1)), SmartTestStatus::aborted);
  EXPECT_EQ(how(logged(0)), SmartTestStatus::running);
  EXPECT_THAT(order(kAbort), IsAtaOk());
  EXPECT_EQ(how(logged(0)), SmartTestStatus::aborted);
  (void)disk().take_log();
  t.advance(Duration::seconds(1));
  EXPECT_THAT(disk().take_log(), IsEmpty());
  // Where none runs there is nothing to abort, and no entry comes of it.
  EXPECT_THAT(order(kAbort), IsAtaOk());
  EXPECT_FALSE(logged(2));
}

TEST_F(SelfTesting, ATestPausesForThreeTimesAsLongAsItsReadTook) {
  serve(4096);
  disk().hold();
  EXPECT_THAT(order(kExtended), IsAtaOk());
  t.advance(Duration::seconds(1));
  while (disk().waiting() > 0) {
    t.finish(id_);
  }
  EXPECT_THAT(disk().take_log(), SizeIs(2048 / 128));
  t.advance(Duration::milliseconds(2900));
  EXPECT_THAT(disk().take_log(), IsEmpty());
  t.advance(Duration::milliseconds(200));
  EXPECT_THAT(disk().take_log(), SizeIs(1));
  disk().stop_holding();
  t.finish_all(id_);
}

TEST_F(SelfTesting, AReadOfAnAbortedTestIsNoneOfTheNextOne) {
  constexpr std::uint64_t kSectors = 100'000;
  serve(kSectors);
  disk().hold();
  EXPECT_THAT(order(kExtended), IsAtaOk());
  EXPECT_THAT(order(kShort), IsAtaOk());
  EXPECT_EQ(disk().waiting(), 2U);
  // All of the first one's read, which is longer.
  disk().stop_holding();
  t.finish(id_, 0);
  EXPECT_EQ(t.at().self_test.reads_done, 0U);
  t.finish_all(id_);
  EXPECT_EQ(t.at().self_test.reads_done, 1U);
  t.advance(Duration::seconds(10));
  EXPECT_EQ(how(logged(0)), SmartTestStatus::passed);
}

TEST_F(SelfTesting, ATestGoesOnAfterAStandstill) {
  serve(4096);
  disk().hold();
  EXPECT_THAT(order(kShort), IsAtaOk());
  t.core().handle_standstill();
  disk().stop_holding();
  t.finish_all(id_);
  EXPECT_EQ(t.at().self_test.reads_done, 1U);
  t.advance(Duration::seconds(10));
  EXPECT_EQ(how(logged(0)), SmartTestStatus::passed);
}

TEST_F(SelfTesting, WritesWaitForTheSectorsThatAreBeingReadAndNoOthers) {
  serve(4096);
  disk().hold();
  EXPECT_THAT(order(kExtended), IsAtaOk());
  t.deliver(FrameBuilder::write(0, pattern(512, 1)));
  EXPECT_EQ(disk().waiting(), 1U);
  t.deliver(FrameBuilder::write(3000, pattern(512, 1)));
  EXPECT_EQ(disk().waiting(), 2U);
  disk().stop_holding();
  t.finish_all(id_);
}

TEST_F(SelfTesting, OfflineRoutinesAndCaptiveTestsAreAborted) {
  serve(1024);
  for (const std::uint8_t what : std::vector<std::uint8_t>{0, 3, 4, 64, 128, 129, 130, 255}) {
    EXPECT_THAT(order(what), IsAtaAborted()) << unsigned{what};
  }
  EXPECT_FALSE(logged(0));
}

TEST_F(SelfTesting, AnExportThatGoesOfflineOrBeginsAnewInterruptsItsTest) {
  serve(100'000'000);
  EXPECT_THAT(order(kExtended), IsAtaOk());
  (void)t.core().set_online(t.now(), id_, target::TargetCore::Online::no);
  t.run();
  ASSERT_THAT(saved(), SizeIs(1));
  EXPECT_EQ(protocol::smart_test_status(saved()[0].status), SmartTestStatus::interrupted);

  target::PersistentState state;
  state.identity = 1;
  state.self_tests = {{.kind = kShort, .status = 0xF7, .hours = 3}};
  t.serve(TargetHarness::settings({Shelf{7}, Slot{2}}), state);
  EXPECT_EQ(t.at({Shelf{7}, Slot{2}}).persistent.self_tests[0].status, 0x27);
}

TEST_F(SelfTesting, TheLogKeepsTheNewestTwentyOne) {
  serve(1024);
  for (int i = 0; i < 25; ++i) {
    EXPECT_THAT(order(i == 24 ? kExtended : kShort), IsAtaOk());
    t.advance(Duration::seconds(3600));
  }
  ASSERT_TRUE(logged(0).has_value());
  EXPECT_EQ(logged(0)->kind, kExtended);
  ASSERT_TRUE(logged(20).has_value());
  EXPECT_EQ(logged(20)->hours, 4U);
}

TEST_F(SelfTesting, AChangeOfStateOnItsWayToDiskLosesNoResult) {
  serve(1024);
  t.hold_saves();
  t.deliver(FrameBuilder::config(protocol::ConfigCommand::force_set, "owner"));
  EXPECT_THAT(order(kShort), IsAtaOk());
  t.advance(Duration::seconds(1));
  t.stop_holding_saves();
  t.finish_save();
  EXPECT_THAT(t.at().persistent.self_tests, SizeIs(1));
  EXPECT_THAT(saved(), SizeIs(1));
}

}  // namespace
}  // namespace aoe::test
