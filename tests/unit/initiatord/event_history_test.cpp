#include "initiatord/event_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace aoe::initiatord {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::uint64_t> numbers(const nlohmann::json& events) {
  std::vector<std::uint64_t> all;
  for (const auto& event : events) {
    all.push_back(event["seq"]);
  }
  return all;
}

TEST(EventHistory, NumbersEventsAndForgetsTheOldest) {
  EventHistory history(3);
  EXPECT_THAT(history.after(0), IsEmpty());
  EXPECT_EQ(history.last_seq(), 0U);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(history.add({{"type", "x"}}, 1000 + i)["seq"], i);
  }
  EXPECT_EQ(history.last_seq(), 5U);
  EXPECT_THAT(numbers(history.after(0)), ElementsAre(3, 4, 5));
  EXPECT_THAT(numbers(history.after(3)), ElementsAre(4, 5));
  EXPECT_THAT(numbers(history.after(5)), IsEmpty());
  EXPECT_THAT(numbers(history.after(99)), IsEmpty());
  EXPECT_EQ(history.after(4)[0]["time_ms"], 1005);
}

}  // namespace
}  // namespace aoe::initiatord
