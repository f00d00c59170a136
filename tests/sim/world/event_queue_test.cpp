#include "sim/world/event_queue.h"

#include "base/prng.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace aoe::sim {
namespace {

class Recorder final : public EventHandler {
 public:
  void handle_event(Instant now, std::uint32_t what, std::uint64_t value) override {
    seen.emplace_back(now.ns, what);
    values.push_back(value);
  }

  std::vector<std::pair<std::int64_t, std::uint32_t>> seen;
  std::vector<std::uint64_t> values;
};

TEST(EventQueue, HandlesInTheOrderOfTimeAndThenOfScheduling) {
  EventQueue queue;
  Recorder recorder;
  Prng prng(1);
  const Instant start = queue.now();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    queue.schedule(start + Duration::nanoseconds(static_cast<std::int64_t>(prng.below(50))),
                   recorder, i, i);
  }
  queue.run_until(start + Duration::nanoseconds(100));
  ASSERT_EQ(recorder.seen.size(), 1000U);
  for (std::size_t i = 1; i < recorder.seen.size(); ++i) {
    EXPECT_LT(recorder.seen[i - 1], recorder.seen[i]);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, MovesTheTimeToTheEndOfARun) {
  EventQueue queue;
  Recorder recorder;
  const Instant start = queue.now();
  queue.schedule(start + Duration::seconds(5), recorder, 1, 0);
  queue.run_until(start + Duration::seconds(2));
  EXPECT_EQ(queue.now(), start + Duration::seconds(2));
  EXPECT_TRUE(recorder.seen.empty());
  EXPECT_TRUE(queue.run_next());
  EXPECT_EQ(queue.now(), start + Duration::seconds(5));
}

TEST(EventQueue, TakesThePastAsNow) {
  EventQueue queue;
  Recorder recorder;
  queue.run_until(queue.now() + Duration::seconds(1));
  const Instant now = queue.now();
  queue.schedule(now - Duration::seconds(1), recorder, 7, 3);
  EXPECT_TRUE(queue.run_next());
  EXPECT_EQ(recorder.seen.front().first, now.ns);
  EXPECT_EQ(recorder.values.front(), 3U);
  EXPECT_FALSE(queue.run_next());
}

}  // namespace
}  // namespace aoe::sim
