// Targets that die, and what is left of what they were told.
#include "sim/scenarios/scenario.h"

namespace aoe::sim {
namespace {

using initiator::IoStatus;

class Restart : public Scenario {
 protected:
  // The target executes a write; its answer is lost, and it dies.
  void execute_without_answer(std::uint32_t& number) {
    target_link().to_far().set_cut(true);
    number = write(20, 2);
    ASSERT_TRUE(
        run_until([this] { return SectorValue{load_le64(disk().sector(21), 0)}.writer() == 1; }));
    run_for(Duration::milliseconds(1));
    EXPECT_FALSE(has_ended(number));
    target().kill(Duration::milliseconds(500));
    target_link().to_far().set_cut(false);
  }
};

TEST_F(Restart, BetweenExecutionAndAnswerExecutesAgainAndOnce) {
  build({});
  std::uint32_t number = 0;
  execute_without_answer(number);
  EXPECT_EQ(end_of(number).status, IoStatus::ok);
  EXPECT_EQ(judges().executions.counters().sectors, 4U) << "two sectors, once in each life";
  EXPECT_EQ(judges().executions.counters().repeated, 0U);
  EXPECT_EQ(initiator().core().stats().session_losses, 1U);
}

TEST_F(Restart, OfAPlainTargetHoldsWritesForAFrameLifeAndReadsNot) {
  Stage stage;
  stage.speaks_extension = false;
  stage.target.frame_life = Duration::seconds(1);
  build(stage);
  target().kill(Duration::milliseconds(200));
  ASSERT_TRUE(run_until([this] { return target().is_up(); }));
  const Instant up = fabric().world().now();
  ASSERT_TRUE(run_until([this] { return served().state == target::ExportState::online; }));
  const std::uint32_t reading = read(5);
  const std::uint32_t writing = write(5);
  ASSERT_TRUE(run_until([&] { return has_ended(reading); }));
  EXPECT_LT(fabric().world().now() - up, Duration::seconds(1));
  EXPECT_FALSE(has_ended(writing));
  EXPECT_EQ(end_of(writing).status, IoStatus::ok);
  // A tenth of a millisecond is how closely it is looked.
  EXPECT_GE(fabric().world().now() - up, Duration::milliseconds(999));
  EXPECT_GT(served().stats.late.held, 0U);
}

// The one question that founds the next session finds no tag at first.
TEST_F(Restart, WhileEveryTagRestsIsNoticedOnceOneIsFree) {
  Stage stage;
  stage.initiator.limits.frames_max = 2;
  stage.initiator.limits.devices_max = 1;
  stage.initiator.limits.paths_max = 1;
  stage.initiator.limits.commands_max = 1;
  stage.initiator.tag_generation_bits = 3;
  build(stage);
  user().start(1'000'000);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(run_until([this, before = initiator().core().stats().tags_exhausted] {
      return initiator().core().stats().tags_exhausted > before;
    }));
    target().kill(Duration::microseconds(10));
    const std::uint64_t ended = user().counters().ended();
    ASSERT_TRUE(run_until([this, ended] { return user().counters().ended() > ended; },
                          Duration::seconds(20)))
        << user().describe_paths();
  }
  user().hold();
  EXPECT_TRUE(run_until([this] { return user().in_flight() == 0; }));
}

TEST_F(Restart, ByAPowerCutKeepsEveryWriteThatWasAnswered) {
  build({});
  user().start(1'000'000);
  for (int i = 0; i < 20; ++i) {
    run_for(Duration::milliseconds(17));
    target().power_cut(Duration::milliseconds(5));
    ASSERT_TRUE(run_until([this] { return target().is_up(); }));
    run_for(Duration::milliseconds(700));
  }
  user().hold();
  ASSERT_TRUE(run_until([this] { return user().in_flight() == 0; }));
  EXPECT_GT(user().counters().ok, 1000U);
}

TEST_F(Restart, ByAPowerCutTearsAWriteBetweenSectorsAndNotInsideOne) {
  Stage stage;
  stage.disk.speed.write_min = Duration::milliseconds(20);
  build(stage);
  for (std::uint64_t i = 0; i < 50 && disk().counters().torn == 0; ++i) {
    static_cast<void>(write(40 + 2 * i, 2));
    run_for(Duration::milliseconds(5));
    target().power_cut(Duration::milliseconds(5));
    ASSERT_TRUE(run_until([this] { return user().in_flight() == 0; }));
  }
  EXPECT_GT(disk().counters().torn, 0U);
}

TEST_F(Restart, ByAPowerCutInWriteBackKeepsWhatWasFlushedAndMayLoseTheRest) {
  Stage stage;
  stage.mode = target::WriteMode::write_back;
  build(stage);
  for (std::uint64_t lba = 0; lba < 100; lba += 2) {
    static_cast<void>(end_of(write(lba, 2)));
  }
  EXPECT_EQ(end_of(flush()).status, IoStatus::ok);
  for (std::uint64_t lba = 100; lba < 200; lba += 2) {
    static_cast<void>(end_of(write(lba, 2)));
  }
  target().power_cut(Duration::milliseconds(100));
  EXPECT_EQ(end_of(read(0, 2)).status, IoStatus::ok);
  std::uint64_t kept = 0;
  for (std::uint64_t lba = 0; lba < 200; ++lba) {
    const bool is_there = load_le64(disk().sector(lba), 0) != 0;
    EXPECT_TRUE(is_there || lba >= 100) << lba;
    kept += is_there ? 1U : 0U;
  }
  EXPECT_GT(kept, 110U);
  EXPECT_LT(kept, 190U);
}

TEST_F(Restart, KeepsAReservation) {
  build({.initiators = 2});
  const MacAddress holder = initiator_mac(1, 0);
  admin().force_reservation(kDiskAddress, {&holder, 1});
  ASSERT_TRUE(run_until([this] { return admin().is_idle(); }));
  target().power_cut(Duration::milliseconds(100));
  excuse(IoStatus::rejected);
  EXPECT_EQ(end_of(write(1, 1, 0), 0).status, IoStatus::rejected);
  EXPECT_EQ(end_of(write(2, 1, 1), 1).status, IoStatus::ok);
}

}  // namespace
}  // namespace aoe::sim
