// Paths that go away, come back, and carry less than they say.
#include "sim/scenarios/scenario.h"

#include <array>

namespace aoe::sim {
namespace {

using initiator::IoStatus;

constexpr std::array<std::uint8_t, 2> kBothPorts = {0, 1};

class Failover : public Scenario {
 protected:
  // Two networks, two ports on both sides.
  [[nodiscard]] static Stage two_ways() {
    return {.initiator_ports = 2, .target_ports = 2, .switches = 2};
  }
};

TEST_F(Failover, OfAFlushThatIsExecutingFlushesOnce) {
  Stage stage = two_ways();
  stage.mode = target::WriteMode::write_back;
  stage.disk.speed.flush = Duration::seconds(4);
  build(stage);
  EXPECT_EQ(end_of(write(3, 4)).status, IoStatus::ok);
  const std::uint64_t before_0 = target_link(0).to_near().counters().delivered;
  const std::uint32_t number = flush();
  run_for(Duration::milliseconds(10));
  const bool through_0 = target_link(0).to_near().counters().delivered > before_0;
  initiator_link(0, through_0 ? 0 : 1).set_plugged(fabric().world().now(), false);
  EXPECT_EQ(end_of(number).status, IoStatus::ok);
  EXPECT_EQ(disk().counters().flushes, 1U);
  EXPECT_GT(served().stats.seal.duplicates_executing, 0U);
  EXPECT_EQ(user().counters().flushes_moved, 1U);
}

TEST_F(Failover, OfOnePathIsNotNoticedByUsers) {
  build(two_ways());
  user().start(20'000);
  for (int i = 0; i < 20 && !user().is_done(); ++i) {
    Link& link = initiator_link(0, static_cast<std::uint8_t>(i % 2));
    link.set_plugged(fabric().world().now(), false);
    run_for(Duration::milliseconds(300));
    link.set_plugged(fabric().world().now(), true);
    run_for(Duration::milliseconds(300));
  }
  ASSERT_TRUE(run_until([this] { return user().is_done(); }));
  EXPECT_EQ(user().counters().ok, 20'000U);
}

TEST_F(Failover, WithoutAnyPathWaitsFor30SecondsAndGoesOnAtOnce) {
  build(two_ways());
  user().start(1'000'000);
  run_for(Duration::milliseconds(100));
  initiator_link(0, 0).set_plugged(fabric().world().now(), false);
  initiator_link(0, 1).set_plugged(fabric().world().now(), false);
  run_for(Duration::seconds(30));
  const std::uint64_t ended = user().counters().ended();
  initiator_link(0, 0).set_plugged(fabric().world().now(), true);
  initiator_link(0, 1).set_plugged(fabric().world().now(), true);
  run_for(Duration::seconds(2));
  EXPECT_GT(user().counters().ended(), ended + 1000);
  EXPECT_EQ(user().counters().failed + user().counters().timed_out, 0U);
  user().hold();
  EXPECT_TRUE(run_until([this] { return user().in_flight() == 0; }));
}

// The frames vanish and nobody is told: no link goes down.
TEST_F(Failover, FromASilentNetworkGoesOnWhenItSpeaksAgain) {
  build(two_ways());
  user().start(1'000'000);
  run_for(Duration::milliseconds(100));
  for (const std::uint8_t port : kBothPorts) {
    initiator_link(0, port).to_near().set_cut(true);
  }
  run_for(Duration::seconds(30));
  const std::uint64_t ended = user().counters().ended();
  for (const std::uint8_t port : kBothPorts) {
    initiator_link(0, port).to_near().set_cut(false);
  }
  run_for(Duration::seconds(4));
  EXPECT_GT(user().counters().ended(), ended + 1000);
  EXPECT_EQ(user().counters().failed + user().counters().timed_out, 0U);
  user().hold();
  EXPECT_TRUE(run_until([this] { return user().in_flight() == 0; }));
}

TEST_F(Failover, AfterTheDeadlineIsAnErrorAndTheDeviceComesBackByItself) {
  Stage stage = two_ways();
  stage.device.deadline = Duration::seconds(5);
  build(stage);
  excuse(IoStatus::timed_out);
  initiator_link(0, 0).set_plugged(fabric().world().now(), false);
  initiator_link(0, 1).set_plugged(fabric().world().now(), false);
  const std::uint32_t number = write(1);
  EXPECT_EQ(end_of(number).status, IoStatus::timed_out);
  initiator_link(0, 1).set_plugged(fabric().world().now(), true);
  ASSERT_TRUE(run_until([this] { return device().is_up(); }));
  EXPECT_EQ(end_of(write(1)).status, IoStatus::ok);
}

TEST_F(Failover, ToSmallFramesPassesASwitchThatLosesBigOnes) {
  build({.mtu_bytes = 9000});
  ASSERT_TRUE(run_until([this] { return device().paths().at(0).payload.sectors() > 8; }));
  // A switch on the way is set to 1500 while both ends believe in 9000.
  target_link().set_quality({.mtu_bytes = 1500});
  user().start(2000);
  ASSERT_TRUE(run_until([this] { return user().is_done(); }));
  EXPECT_EQ(user().counters().ok, 2000U);
  EXPECT_EQ(device().paths().at(0).payload.sectors(), 2U);
  EXPECT_GT(initiator().core().stats().payload_steps_down, 0U);
  // It is mended, and found to be.
  target_link().set_quality({});
  EXPECT_TRUE(run_until([this] { return device().paths().at(0).payload.sectors() > 8; },
                        Duration::seconds(120)));
}

}  // namespace
}  // namespace aoe::sim
