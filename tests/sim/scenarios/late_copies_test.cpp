// Copies of writes that arrive when nobody wants them any more.
#include "base/prng.h"
#include "sim/scenarios/scenario.h"

namespace aoe::sim {
namespace {

using initiator::IoStatus;

class LateCopies : public Scenario {
 protected:
  // Two ports on both sides. A write leaves through one of them, whose cable holds it back for
  // `held`; the retransmission goes the other way and is answered.
  void hold_a_copy_of_a_write(bool speaks_extension, Duration held) {
    build({.initiator_ports = 2,
           .target_ports = 2,
           .switches = 2,
           .speaks_extension = speaks_extension});
    first_ = write_with_a_copy_held(10, held);
    EXPECT_GT(user().counters().retransmissions, 0U);
  }

  std::uint32_t first_ = 0;
};

TEST_F(LateCopies, OfASealedWriteIsDroppedAndNobodyWaitsForIt) {
  hold_a_copy_of_a_write(true, Duration::seconds(3));
  const Instant before = fabric().world().now();
  EXPECT_EQ(end_of(write(10)).status, IoStatus::ok);
  EXPECT_LT(fabric().world().now() - before, Duration::seconds(1)) << "the copy comes later";
  const SectorValue newer = value_at(10);
  run_for(Duration::seconds(4));
  EXPECT_EQ(value_at(10), newer);
  EXPECT_EQ(served().stats.seal.stale, 1U);
  EXPECT_EQ(judges().executions.counters().after_answer, 0U);
}

TEST_F(LateCopies, OfAPlainWriteMakesTheNextOneWaitForIt) {
  hold_a_copy_of_a_write(false, Duration::seconds(3));
  const Instant before = fabric().world().now();
  EXPECT_EQ(end_of(write(10)).status, IoStatus::ok);
  EXPECT_GT(fabric().world().now() - before, Duration::seconds(2));
  EXPECT_GT(initiator().core().stats().fence_waits, 0U);
  EXPECT_EQ(judges().executions.counters().after_answer, 1U) << "over its own data, harmless";
}

TEST_F(LateCopies, OfAPlainWriteHoldUpNothingElse) {
  hold_a_copy_of_a_write(false, Duration::seconds(3));
  const Instant before = fabric().world().now();
  EXPECT_EQ(end_of(write(11)).status, IoStatus::ok);
  EXPECT_EQ(end_of(read(10)).status, IoStatus::ok);
  EXPECT_LT(fabric().world().now() - before, Duration::seconds(1)) << "the copy comes later";
}

TEST_F(LateCopies, ThatTheNetworkMakesAreExecutedOnceBetweenOurOwnEnds) {
  build({.link = {.duplicate_ppm = 300'000, .duplicate_delay = Duration::milliseconds(3)}});
  user().start(5000);
  ASSERT_TRUE(run_until([this] { return user().is_done(); }));
  EXPECT_GT(served().stats.seal.duplicates_executing + served().stats.seal.duplicates_answered +
                served().stats.seal.stale,
            500U);
  EXPECT_EQ(judges().executions.counters().repeated, 0U);
  EXPECT_EQ(judges().executions.counters().after_answer, 0U);
}

// A machine that crashes and comes back at once knows nothing of the frames that it left behind;
// its old session does.
TEST_F(LateCopies, OfAnEarlierLifeThatWereAnsweredAreNotExecutedAgain) {
  build({.initiator_ports = 2, .target_ports = 2, .switches = 2});
  write_with_a_copy_held(10, Duration::seconds(3));
  initiator().crash(Duration::milliseconds(10));
  ASSERT_TRUE(run_until([this] { return initiator().is_up() && device().is_up(); }));
  EXPECT_EQ(end_of(write(10)).status, IoStatus::ok);
  const SectorValue newer = value_at(10);
  run_for(Duration::seconds(4));
  EXPECT_EQ(value_at(10), newer);
}

// The numbers of tags are used up soon, answers come late, and none is taken for that of another
// request.
TEST_F(LateCopies, OfAnswersMeetNoOtherRequestWhenTheTagsBeginAgain) {
  Stage stage;
  stage.speaks_extension = false;
  // Delays of up to half a frame's life, also of answers, and timers that do not wait for them.
  stage.link = {.tail_ppm = 50'000, .tail_delay = Duration::seconds(2)};
  stage.initiator.rtt.min = Duration::milliseconds(2);
  stage.initiator.limits.frames_max = 2;
  stage.initiator.limits.devices_max = 1;
  stage.initiator.limits.paths_max = 1;
  stage.initiator.tag_generation_bits = 2;
  build(stage);
  user().start(3000);
  ASSERT_TRUE(run_until([this] { return user().is_done(); }, Duration::seconds(3600)));
  const initiator::CoreStats stats = initiator().core().stats();
  EXPECT_GT(stats.tags_exhausted, 0U) << "every tag rests: sending waits";
  EXPECT_GT(stats.unknown_tag, 10U) << "late answers came";
}

}  // namespace
}  // namespace aoe::sim
