// The goals of docs/CONGESTION.md, in simulated time: the same on every machine.
#include "sim/congestion/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::sim {
namespace {

CongestionReport run(DriverKind driver, std::uint16_t hosts, std::uint64_t seed = 1) {
  CongestionOptions options;
  options.seed = seed;
  options.driver = driver;
  options.hosts = hosts;
  return run_congestion(options);
}

// The worst 99th percentile of a second, from second `from` on.
Duration worst_p99(const CongestionReport& report, std::size_t from) {
  Duration worst;
  for (std::size_t i = from; i < report.seconds.size(); ++i) {
    worst = std::max(worst, report.seconds[i].latency_p99);
  }
  return worst;
}

void expect_goals(const CongestionReport& report) {
  EXPECT_GE(report.goodput(), 0.95);
  EXPECT_LT(report.needless_ratio(), 0.001);
  EXPECT_GE(report.jain, 0.95);
}

TEST(Congestion, FourHostsShareThreeDisksWithoutALoss) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const CongestionReport report = run(DriverKind::core, 4, seed);
    expect_goals(report);
    EXPECT_EQ(report.overflowed, 0U);
    // One operation in 500 takes up to a second by itself.
    EXPECT_LT(report.latency_p99.ns, Duration::milliseconds(200).ns);
  }
}

TEST(Congestion, SixteenHostsReachTheGoals) {
  expect_goals(run(DriverKind::core, 16));
}

TEST(Congestion, SixtyFourHostsReachTheGoalsAndSettle) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const CongestionReport report = run(DriverKind::core, 64, seed);
    expect_goals(report);
    // 384 frames came for 64 buffers at first. Later they only overflow when a disk rests for a
    // second and each host waits for it with one frame.
    std::uint64_t lost = 0;
    std::uint64_t answered = 0;
    for (std::size_t i = 60; i < report.seconds.size(); ++i) {
      lost += report.seconds[i].lost;
      answered += report.seconds[i].answered;
    }
    EXPECT_LT(lost * 50, answered);
    EXPECT_LT(worst_p99(report, 60).ns, Duration::seconds(5).ns);
  }
}

TEST(Congestion, LossesByChanceAreNoReasonToSlowDown) {
  CongestionOptions options;
  options.request_loss_ppm = 5000;
  options.answer_loss_ppm = 5000;
  const CongestionReport report = run_congestion(options);
  expect_goals(report);
  EXPECT_GT(report.lost, 100U);
  EXPECT_GT(report.core.early_losses, 0U);
}

TEST(Congestion, TheModelledLinuxDriverCollapsesOnTheSameGround) {
  const CongestionReport four = run(DriverKind::linux_model, 4);
  EXPECT_LT(four.goodput(), 0.95);
  EXPECT_GT(four.needless_ratio(), 0.01);
  EXPECT_GT(four.latency_p99.ns, Duration::seconds(10).ns);
  const CongestionReport many = run(DriverKind::linux_model, 64);
  EXPECT_GT(many.retransmission_ratio(), 0.2);
  EXPECT_LT(many.jain, 0.5);
  EXPECT_GT(many.latency_p99.ns, Duration::seconds(10).ns);
}

TEST(Congestion, TheSameSeedTellsTheSameStory) {
  const CongestionReport once = run(DriverKind::core, 16, 9);
  const CongestionReport again = run(DriverKind::core, 16, 9);
  EXPECT_EQ(once.events, again.events);
  EXPECT_EQ(once.answered, again.answered);
  EXPECT_EQ(once.latency_max, again.latency_max);
}

}  // namespace
}  // namespace aoe::sim
