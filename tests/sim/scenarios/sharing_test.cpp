// Several hosts and one disk: who may write, how large it is, what happens when it hangs.
#include "sim/actors/hostile_station.h"
#include "sim/actors/rogue_target.h"
#include "sim/scenarios/scenario.h"

namespace aoe::sim {
namespace {

using initiator::IoStatus;

class Sharing : public Scenario {};

TEST_F(Sharing, EndsForTheOldHolderWhenAForceSetIsAnswered) {
  Stage stage;
  stage.initiators = 2;
  stage.disk.speed.write_spread = Duration::milliseconds(3);  // there is always one under way
  build(stage);
  excuse(IoStatus::rejected);
  for (int turn = 0; turn < 40; ++turn) {
    user(0).start(1'000'000);
    user(1).start(1'000'000);
    run_for(Duration::milliseconds(20));
    const MacAddress holder = initiator_mac(static_cast<std::uint32_t>(turn % 2), 0);
    admin().force_reservation(kDiskAddress, {&holder, 1});
    ASSERT_TRUE(run_until([this] { return admin().is_idle(); }));
    run_for(Duration::milliseconds(20));
  }
  EXPECT_GE(judges().fences.answers(), 40U);
  for (const std::size_t who : {0U, 1U}) {
    EXPECT_GT(user(who).counters().ok, 100U);
    EXPECT_GT(user(who).counters().failed, 10U);
    user(who).hold();
  }
  EXPECT_TRUE(run_until([this] { return user(0).in_flight() + user(1).in_flight() == 0; }));
}

TEST_F(Sharing, SeesADiskGrowUnderLoadAndUsesItsEnd) {
  build({.sectors = 512});
  user().start(1'000'000);
  run_for(Duration::milliseconds(50));
  target().resize(0, 2048);
  ASSERT_TRUE(run_until([this] { return device().sectors() == 2048; }));
  run_for(Duration::milliseconds(200));
  user().hold();
  ASSERT_TRUE(run_until([this] { return user().in_flight() == 0; }));
  EXPECT_EQ(end_of(write(2040, 8)).status, IoStatus::ok);
  EXPECT_EQ(user().counters().failed, 0U);
}

TEST_F(Sharing, FailsWhatLiesBehindTheEndOfADiskThatShrank) {
  build({.sectors = 1024});
  EXPECT_EQ(end_of(write(1000, 8)).status, IoStatus::ok);
  excuse(IoStatus::out_of_range);
  const std::uint32_t before = write(10);
  const std::uint32_t behind = read(1000, 8);
  target().resize(0, 512);
  EXPECT_EQ(end_of(before).status, IoStatus::ok);
  static_cast<void>(end_of(behind));
  ASSERT_TRUE(run_until([this] { return device().sectors() == 512; }));
  EXPECT_FALSE(user().ask({.op = initiator::IoOp::read, .lba = 1000, .sectors = 1}).has_value());
  forget_violations();
}

TEST_F(Sharing, IsNeverWithARogueThatHasTheSameAddress) {
  build({});
  user().start(1'000'000);
  RogueTarget rogue(fabric().world(), {.address = kDiskAddress});
  fabric().plug(rogue, stranger_mac(9), 1500);
  rogue.start();
  ASSERT_TRUE(run_until([this] { return initiator().core().stats().quarantines > 0; }));
  run_for(Duration::seconds(1));
  EXPECT_GT(rogue.identified(), 0U);
  EXPECT_EQ(rogue.writes(), 0U);
  // Not even when the true one is away.
  target_link().set_plugged(fabric().world().now(), false);
  run_for(Duration::seconds(10));
  EXPECT_EQ(rogue.writes(), 0U);
  target_link().set_plugged(fabric().world().now(), true);
  user().hold();
  EXPECT_TRUE(run_until([this] { return user().in_flight() == 0; }));
  EXPECT_EQ(user().counters().failed, 0U);
  rogue.stop();
}

TEST_F(Sharing, OfTheNetworkWithAHostileStationChangesNothing) {
  build({});
  HostileStation hostile(
      fabric().world(),
      {.pause_max = Duration::microseconds(200), .burst_max = 16, .replays = true});
  fabric().plug(hostile, stranger_mac(9), 1500);
  hostile.add_address(kDiskAddress);
  hostile.add_victim(target_mac(0, 0));
  hostile.add_victim(initiator_mac(0, 0));
  target::ExportSettings settings = target().exports()[0].settings;
  settings.allow_policy = target::AllowPolicy::listed;
  settings.allow = {initiator_mac(0, 0)};
  ASSERT_TRUE(target().core()->update_settings(target().exports()[0].id, settings).has_value());
  hostile.start();
  user().start(10'000);
  ASSERT_TRUE(run_until([this] { return user().is_done(); }));
  EXPECT_EQ(user().counters().ok, 10'000U);
  EXPECT_GT(hostile.frames_sent(), 10'000U);
  hostile.stop();
}

TEST_F(Sharing, OfADiskThatHangsIsSilenceAndGoesOnAfterwards) {
  Stage stage;
  stage.target.backend_deadline = Duration::seconds(2);
  build(stage);
  user().start(1'000'000);
  run_for(Duration::milliseconds(50));
  disk().hang();
  run_for(Duration::seconds(20));
  EXPECT_EQ(served().health, target::ExportHealth::stalled);
  EXPECT_EQ(user().counters().failed, 0U);
  const std::uint64_t ended = user().counters().ended();
  disk().release(fabric().world().now());
  run_for(Duration::seconds(4));
  EXPECT_GT(user().counters().ended(), ended + 100);
  EXPECT_EQ(served().health, target::ExportHealth::ok);
  user().hold();
  EXPECT_TRUE(run_until([this] { return user().in_flight() == 0; }));
}

TEST_F(Sharing, OfSectorsThatCannotBeReadSaysWhich) {
  build({});
  EXPECT_EQ(end_of(write(8, 8)).status, IoStatus::ok);
  excuse(IoStatus::media_error);
  disk().fail_next(StoreOpKind::read, StoreErrc::io);
  const initiator::IoCompletion done = end_of(read(8, 2));
  EXPECT_EQ(done.status, IoStatus::media_error);
  EXPECT_GE(done.error_lba.value, 8U);
  EXPECT_LT(done.error_lba.value, 10U);
}

TEST_F(Sharing, OfADiskWhoseSyncFailedIsRefusedUntilSomebodyLooks) {
  Stage stage;
  stage.mode = target::WriteMode::write_back;
  build(stage);
  EXPECT_EQ(end_of(write(8, 8)).status, IoStatus::ok);
  excuse(IoStatus::device_fault);
  disk().fail_next(StoreOpKind::flush, StoreErrc::sync_failed);
  EXPECT_EQ(end_of(flush()).status, IoStatus::device_fault);
  EXPECT_EQ(end_of(flush()).status, IoStatus::device_fault) << "the kernel says yes, we don't";
  EXPECT_EQ(end_of(write(8)).status, IoStatus::device_fault);
  target().recover();
  EXPECT_EQ(end_of(write(8)).status, IoStatus::ok);
}

}  // namespace
}  // namespace aoe::sim
