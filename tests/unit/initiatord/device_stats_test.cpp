#include "initiatord/device_stats.h"

#include <gtest/gtest.h>

#include <memory>

namespace aoe::initiatord {
namespace {

using initiator::IoCompletion;
using initiator::IoOp;
using initiator::IoStatus;

constexpr Duration kWindow = Duration::seconds(2);

IoCompletion completion(IoOp op, IoStatus status, Duration latency) {
  IoCompletion result;
  result.op = op;
  result.status = status;
  result.sectors = 8;
  result.latency = latency;
  result.retransmissions = 1;
  return result;
}

TEST(DeviceStats, CountsWhatEndedAndHow) {
  auto stats = std::make_unique<DeviceStats>(kWindow);
  for (int i = 0; i < 3; ++i) {
    stats->on_submit();
  }
  const Instant now{1'000'000'000};
  stats->on_completion(now, completion(IoOp::read, IoStatus::ok, Duration::milliseconds(1)));
  stats->on_completion(now, completion(IoOp::write, IoStatus::timed_out, Duration::seconds(9)));
  EXPECT_EQ(stats->requests_in_flight(), 1U);
  EXPECT_EQ(stats->op(IoOp::read).requests, 1U);
  EXPECT_EQ(stats->op(IoOp::read).sectors, 8U);
  EXPECT_EQ(stats->op(IoOp::write).requests, 1U);
  EXPECT_EQ(stats->op(IoOp::write).sectors, 0U) << "what failed moved nothing";
  EXPECT_EQ(stats->ended(IoStatus::timed_out), 1U);
  EXPECT_EQ(stats->ended(IoStatus::ok), 1U);
  EXPECT_EQ(stats->retransmissions(), 2U);
  EXPECT_EQ(stats->write_latency().count(), 0U) << "latency is of what went well";
}

TEST(DeviceStats, RecentLatencyForgetsAfterTwoWindows) {
  auto stats = std::make_unique<DeviceStats>(kWindow);
  Instant now{1'000'000'000};
  const auto read = [&](Duration latency) {
    stats->on_submit();
    stats->on_completion(now, completion(IoOp::read, IoStatus::ok, latency));
  };
  read(Duration::milliseconds(100));
  now = now + kWindow;
  read(Duration::milliseconds(1));
  EXPECT_EQ(stats->recent_latency(now).count(), 2U);
  EXPECT_GE(stats->recent_latency(now).max(), Duration::milliseconds(100));
  now = now + kWindow;
  EXPECT_EQ(stats->recent_latency(now).count(), 1U);
  EXPECT_LT(stats->recent_latency(now).max(), Duration::milliseconds(2));
  now = now + kWindow * 5;
  EXPECT_EQ(stats->recent_latency(now).count(), 0U);
  EXPECT_EQ(stats->read_latency().count(), 2U) << "the whole history stays";
}

}  // namespace
}  // namespace aoe::initiatord
