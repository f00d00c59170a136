#include "initiator/flow_control.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000'000};

Duration ms(std::int64_t value) {
  return Duration::milliseconds(value);
}

using Answer = FlowControl::Answer;

// Slots of shelf 7, with two paths each.
class Flow : public testing::Test {
 protected:
  void SetUp() override {
    for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
      add_device(slot, {Shelf{7}, Slot{slot}});
    }
    add_device(kSlots, {Shelf{8}, Slot{0}});
  }

  void add_device(std::uint32_t index, DeviceAddress address) {
    devices[index].emplace(address, DeviceSettings{}, options, 1);
    for (std::uint8_t port = 0; port < 2; ++port) {
      const auto path =
          device(index).paths().add(PortId{port}, MacAddress{{2, 0, 0, 0, 1, port}}, options.rtt);
      Path& way = device(index).paths().at(*path);
      way.state = PathState::live;
      way.is_identified = true;
      way.peer = Peer::plain;
      way.payload.set_allowed(2);
    }
  }

  Device& device(std::uint32_t index) { return *devices[index]; }

  Path& path(std::uint32_t index, std::uint32_t number = 0) {
    return device(index).paths().at(number);
  }

  [[nodiscard]] Duration patience(std::uint32_t index, std::uint32_t number = 0) {
    return flow.timing(device(index), path(index, number)).patience;
  }

  [[nodiscard]] Answer ask(std::uint32_t index) { return flow.ask(now, device(index), {}).answer; }

  // Sends until flow control says no; returns how many.
  std::uint32_t fill(std::uint32_t index) {
    std::uint32_t sent = 0;
    for (auto permission = flow.ask(now, device(index), {}); permission.answer == Answer::granted;
         permission = flow.ask(now, device(index), {})) {
      flow.on_sent(device(index), path(index, permission.path));
      ++sent;
    }
    return sent;
  }

  // Answers of a full window, one by one.
  void run(std::uint32_t index, int answers, Duration round_trip, FrameOp op = FrameOp::read) {
    for (int i = 0; i < answers; ++i) {
      now = std::max(now, device(index).flow().delay.pause_ends());
      fill(index);
      Path& way = path(index, path(index, 0).in_flight > 0 ? 0 : 1);
      flow.on_answer(now, device(index), way, op, round_trip);
      flow.on_left(device(index), way);
    }
  }

  // What stands behind a device: one of our own targets, which writes through or not.
  void serve(std::uint32_t index, bool write_cache_enabled) {
    protocol::IdentifyModel disk;
    disk.sector_count = 1000;
    disk.write_cache_enabled = write_cache_enabled;
    ASSERT_EQ(device(index).judge(disk, Device::Standing::newcomer), IdentityVerdict::first);
    for (std::uint32_t i = 0; i < device(index).paths().size(); ++i) {
      path(index, i).peer = Peer::session;
      path(index, i).target.buffer_count = 64;
    }
  }

  void lose(std::uint32_t index) {
    Path& way = path(index, path(index, 0).in_flight > 0 ? 0 : 1);
    flow.on_lost(now, device(index), way, FrameOp::read, now);
    flow.on_left(device(index), way);
  }

  static constexpr std::uint32_t kSlots = 3;

  CoreOptions options{};
  BufferPool pool{{.count = 4, .frame_bytes = 1514}};
  PortTable ports{2};
  DeviceTable devices{kSlots + 1};
  ExchangeTable exchanges{{.slots = 64, .start = 1, .rest = {}}};
  EventQueue events{4};
  CoreStats stats{};
  FrameLog frame_log;
  FlowControl flow{
      CoreContext{options, pool, ports, devices, exchanges, events, stats, frame_log, 1}};
  Instant now = kStart;
};

TEST_F(Flow, ADeviceStartsWithTwoFramesAndItsShelfWithFour) {
  EXPECT_EQ(fill(0), 2U);
  EXPECT_EQ(ask(0), Answer::device_full);
  EXPECT_EQ(fill(1), 2U);
  EXPECT_EQ(ask(2), Answer::shelf_full) << "all slots share the buffers of the shelf";
  EXPECT_EQ(fill(kSlots), 2U) << "another shelf";
}

TEST_F(Flow, AnAnswerToOneSlotMakesRoomForAnother) {
  fill(0);
  fill(1);
  ASSERT_EQ(ask(2), Answer::shelf_full);
  flow.on_left(device(0), path(0, path(0, 0).in_flight > 0 ? 0 : 1));
  EXPECT_EQ(ask(2), Answer::granted);
}

TEST_F(Flow, ALossOfOneSlotCutsTheWindowOfTheShelf) {
  run(0, 400, ms(8));
  fill(1);
  const double before = flow.shelf(device(1)).window.size();
  // Late answers: the shelf is full.
  run(0, 40, ms(200));
  fill(0);
  lose(0);
  EXPECT_EQ(stats.window_cuts, 1U);
  EXPECT_LT(flow.shelf(device(1)).window.size(), before);
  EXPECT_EQ(&flow.shelf(device(0)), &flow.shelf(device(1)));
}

TEST_F(Flow, ALossWithAnswersInTimeIsChanceAndCutsNothing) {
  run(0, 400, ms(8));
  const double before = flow.shelf(device(0)).window.size();
  fill(0);
  lose(0);
  EXPECT_EQ(stats.chance_losses, 1U);
  EXPECT_EQ(stats.window_cuts, 0U);
  EXPECT_EQ(flow.shelf(device(0)).window.size(), before);
}

TEST_F(Flow, WhatWasCutForAFrameThatWasNotLostGrowsBack) {
  run(0, 400, ms(8));
  run(0, 40, ms(200));
  const double before = flow.shelf(device(0)).window.size();
  const double path_before = path(0, 0).window.size();
  fill(0);
  flow.on_lost(now, device(0), path(0, 0), FrameOp::read, now);
  ASSERT_LT(flow.shelf(device(0)).window.size(), before);
  flow.on_false_alarm(device(0), path(0, 0), ms(900));
  EXPECT_EQ(flow.shelf(device(0)).window.size(), before);
  EXPECT_EQ(path(0, 0).window.size(), path_before);
  EXPECT_GE(patience(0), ms(900));
}

TEST_F(Flow, TheWindowOfAPathIsItsOwn) {
  run(0, 400, ms(8));
  run(0, 40, ms(200));
  fill(0);
  const double other = path(0, 1).window.size();
  flow.on_lost(now, device(0), path(0, 0), FrameOp::read, now);
  EXPECT_EQ(path(0, 1).window.size(), other);
}

TEST_F(Flow, BelowOneFrameADevicePausesAfterAnAnswer) {
  run(0, 1, ms(5));
  run(0, 300, ms(60));
  ASSERT_LT(device(0).flow().delay.size(), 1);
  const FlowControl::Permission permission = flow.ask(now, device(0), {});
  ASSERT_EQ(permission.answer, Answer::pause);
  EXPECT_GT(permission.until, now);
  now = permission.until;
  EXPECT_EQ(ask(0), Answer::granted);
  fill(0);
  EXPECT_GT(stats.paced_sends, 0U);
}

TEST_F(Flow, AQuietDeviceMaySendOneFrameMoreAndAnother) {
  fill(0);
  ASSERT_EQ(ask(0), Answer::device_full);
  device(0).flow().flight.note_quiet();
  EXPECT_EQ(fill(0), 1U);
  device(0).flow().flight.note_quiet();
  EXPECT_EQ(fill(0), 1U);
}

TEST_F(Flow, TheBuffersOfTheTargetAreTheLimitOverAllPaths) {
  path(0, 0).window.set_limit(1);
  path(0, 1).window.set_limit(1);
  EXPECT_EQ(fill(0), 1U);
  EXPECT_EQ(ask(0), Answer::device_full);
}

TEST_F(Flow, WithoutAPathNothingIsGranted) {
  path(0, 0).state = PathState::down;
  path(0, 1).state = PathState::down;
  EXPECT_EQ(ask(0), Answer::no_path);
}

TEST_F(Flow, PatienceComesDownAsAnswersAreSeenButStaysAboveTheLongest) {
  EXPECT_EQ(patience(0), options.rtt.data_initial);
  run(0, 12'000, ms(4));
  EXPECT_EQ(patience(0), options.rtt.min);
  run(0, 1, ms(400));
  EXPECT_GE(patience(0), ms(499));
}

TEST_F(Flow, TheTimersOfAPathAreItsOwn) {
  const auto answers = [this](std::uint32_t number, Duration round_trip) {
    for (int i = 0; i < 200; ++i) {
      flow.on_answer(now, device(0), path(0, number), FrameOp::read, round_trip);
    }
  };
  fill(0);
  const auto quiet = [this](std::uint32_t number) {
    return flow.timing(device(0), path(0, number)).quiet;
  };
  EXPECT_EQ(quiet(0), options.rtt.initial);
  answers(1, ms(300));
  EXPECT_EQ(quiet(1), ms(301));
  EXPECT_EQ(quiet(0), quiet(1)) << "it has answered nothing yet";
  answers(0, ms(60));
  EXPECT_EQ(quiet(0), ms(61));
  EXPECT_EQ(quiet(1), ms(301));
  // What the disk may take is the same over both. Forgotten, it leaves what each path takes.
  EXPECT_EQ(patience(0, 0), patience(0, 1));
  device(0).flow().tail_bound = {};
  EXPECT_EQ(patience(0, 0), ms(61));
  EXPECT_EQ(patience(0, 1), ms(301));
}

TEST_F(Flow, AStoreThatCommitsManyWritesTogetherGetsManyHoweverLongThatTakes) {
  serve(0, false);
  run(0, 2000, ms(30), FrameOp::write);
  EXPECT_GT(device(0).flow().delay.size(), 32);
  const double before = device(0).flow().delay.size();
  fill(0);
  lose(0);
  run(0, 200, ms(30), FrameOp::write);
  EXPECT_GE(device(0).flow().delay.size(), before) << "chance";

  serve(1, true);
  run(1, 2000, ms(30), FrameOp::write);
  EXPECT_LT(device(1).flow().delay.size(), 4) << "behind a cache this is a queue";
  run(0, 2000, ms(30), FrameOp::read);
  EXPECT_LT(device(0).flow().delay.size(), 4) << "reads are not committed";
}

TEST_F(Flow, AClosedDeviceLeavesItsShelf) {
  fill(0);
  fill(1);
  ASSERT_EQ(ask(2), Answer::shelf_full);
  while (device(0).flow().in_flight > 0) {
    flow.on_left(device(0), path(0, path(0, 0).in_flight > 0 ? 0 : 1));
  }
  flow.close(device(0));
  EXPECT_EQ(device(0).flow().shelf, kNoIndex);
  EXPECT_EQ(ask(2), Answer::granted);
}

TEST_F(Flow, ASilenceStartsTheWindowsByLossesAgain) {
  run(0, 400, ms(8));
  ASSERT_GT(flow.shelf(device(0)).window.frames(), 4U);
  flow.on_silence(now, device(0));
  EXPECT_EQ(flow.shelf(device(0)).window.frames(), 4U);
  EXPECT_EQ(path(0, 0).window.frames(), 4U);
}

}  // namespace
}  // namespace aoe::initiator
