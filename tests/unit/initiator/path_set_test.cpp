#include "initiator/path_set.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

constexpr RttLimits kLimits{};

class PathChoice : public testing::Test {
 protected:
  void SetUp() override {
    for (std::uint8_t i = 0; i < 3; ++i) {
      const auto index = paths.add(PortId{i}, MacAddress{{2, 0, 0, 0, 0, i}}, kLimits);
      Path& path = paths.at(*index);
      path.state = PathState::live;
      path.is_identified = true;
      path.peer = Peer::plain;
      path.payload.set_allowed(2);
    }
  }

  // Sends a frame the chosen way.
  std::uint32_t send(const PathSet::Wish& wish) {
    const std::optional<std::uint32_t> path = paths.choose(wish);
    EXPECT_TRUE(path.has_value());
    ++paths.at(path.value_or(0)).in_flight;
    return path.value_or(0);
  }

  void measure(std::uint32_t path, Duration round_trip) { paths.at(path).rtt.sample(round_trip); }

  PathSet paths{3};
};

TEST_F(PathChoice, TheFastestIsWhereTheAnswerIsExpectedFirst) {
  measure(0, Duration::milliseconds(3));
  measure(1, Duration::milliseconds(1));
  measure(2, Duration::milliseconds(3));
  EXPECT_EQ(send({}), 1U);
  EXPECT_EQ(send({}), 1U);
  // Two are under way on it: the next ones take longer there than on an idle one that is slower.
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(send({}));
  }
  EXPECT_EQ(paths.at(0).in_flight, 1U);
  EXPECT_EQ(paths.at(1).in_flight, 4U);
  EXPECT_EQ(paths.at(2).in_flight, 1U);
}

TEST_F(PathChoice, AnUnmeasuredPathIsMeasured) {
  measure(0, Duration::milliseconds(1));
  measure(1, Duration::milliseconds(1));
  EXPECT_EQ(send({}), 2U);
}

TEST_F(PathChoice, APathThatLosesFramesCountsAsASlowOne) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    measure(i, Duration::milliseconds(1));
  }
  for (int i = 0; i < 30; ++i) {
    paths.at(0).note_outcome(1);
    paths.at(1).note_outcome(1);
  }
  EXPECT_EQ(send({}), 2U);
}

TEST_F(PathChoice, RoundRobinTakesEachInTurnHoweverSlow) {
  measure(1, Duration::seconds(1));
  const PathSet::Wish wish{.policy = PathPolicy::round_robin};
  const std::uint32_t first = send(wish);
  for (std::uint32_t i = 1; i < 9; ++i) {
    EXPECT_EQ(send(wish), (first + i) % 3);
  }
}

TEST_F(PathChoice, RoundRobinPassesWhatIsFullOrGone) {
  const PathSet::Wish wish{.policy = PathPolicy::round_robin};
  paths.at(1).state = PathState::down;
  paths.at(2).in_flight = paths.at(2).window.frames();
  EXPECT_EQ(send(wish), 0U);
  EXPECT_EQ(send(wish), 0U);
}

TEST_F(PathChoice, ActivePassiveStaysOnTheFirstPort) {
  const PathSet::Wish wish{.avoid = 0, .policy = PathPolicy::active_passive};
  measure(0, Duration::seconds(1));
  measure(1, Duration::microseconds(100));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(send(wish), 0U);
  }
  // A full path is no lost one.
  EXPECT_FALSE(paths.choose(wish).has_value());
  paths.at(0).state = PathState::suspect;
  EXPECT_EQ(send(wish), 1U);
}

TEST_F(PathChoice, ALostFrameGoesAnotherWayIfThereIsOne) {
  measure(0, Duration::milliseconds(1));
  measure(1, Duration::seconds(1));
  measure(2, Duration::seconds(1));
  EXPECT_NE(send({.avoid = 0}), 0U);
  paths.at(1).state = PathState::down;
  paths.at(2).state = PathState::down;
  EXPECT_EQ(send({.avoid = 0}), 0U);
}

TEST_F(PathChoice, SuspectPathsOnlyWhenNoneIsLive) {
  paths.at(0).state = PathState::suspect;
  paths.at(1).state = PathState::suspect;
  measure(2, Duration::seconds(1));
  EXPECT_EQ(send({}), 2U);
  paths.at(2).state = PathState::suspect;
  EXPECT_NE(send({}), 2U);
}

TEST_F(PathChoice, LossesInARowAreNoChanceWhereLossesAreRare) {
  Path& path = paths.at(0);
  EXPECT_FALSE(path.is_no_chance(2));
  EXPECT_TRUE(path.is_no_chance(3));
  for (int i = 0; i < 200; ++i) {
    path.note_outcome(i % 2);
  }
  EXPECT_FALSE(path.is_no_chance(5));
  EXPECT_TRUE(path.is_no_chance(30));
}

TEST_F(PathChoice, TheBuffersOfTheTargetAreTheLargestWindowLimitOfAnyPath) {
  paths.at(0).window.set_limit(7);
  paths.at(1).window.set_limit(9);
  paths.at(2).window.set_limit(90);
  paths.at(2).state = PathState::down;
  EXPECT_EQ(paths.target_buffers(), 9U);
}

}  // namespace
}  // namespace aoe::initiator
