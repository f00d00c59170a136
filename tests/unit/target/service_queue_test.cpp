// The service queue before stores that exist in virtual time only.
#include "target/service_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace aoe::target {
namespace {

constexpr MacAddress kA{{0x02, 0, 0, 0, 0, 0x0a}};
constexpr MacAddress kB{{0x02, 0, 0, 0, 0, 0x0b}};
constexpr std::uint16_t kRequestsMax = 256;
constexpr std::uint32_t kWindowMax = 256;

// A store that does `at_once` operations at a time, each in `latency`, in the order they come.
struct StoreModel {
  std::uint32_t at_once = 4;
  Duration latency = Duration::milliseconds(4);
};

// An initiator that always has `depth` requests of one size under way.
struct Load {
  MacAddress mac;
  std::uint32_t depth = 32;
  std::uint64_t size_bytes = 4096;
  ExportId export_id{1};
};

struct Served {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  Duration waited_longest;
};

class World {
 public:
  explicit World(const StoreModel& store) : store_(store) {
    for (std::uint16_t i = kRequestsMax; i > 0; --i) {
      free_.push_back(static_cast<std::uint16_t>(i - 1));
    }
  }

  void add(const Load& load) {
    loads_.push_back(load);
    for (std::uint32_t i = 0; i < load.depth; ++i) {
      submit(loads_.size() - 1);
    }
  }

  void run(Duration time) {
    const Instant end = now_ + time;
    for (;;) {
      std::optional<Instant> next = queue_.poll_timeout();
      if (!running_.empty() && (!next || running_.begin()->first < *next)) {
        next = running_.begin()->first;
      }
      if (!next || *next > end) {
        now_ = end;
        return;
      }
      now_ = std::max(now_, *next);
      while (!running_.empty() && running_.begin()->first <= now_) {
        const std::uint16_t slot = running_.begin()->second;
        running_.erase(running_.begin());
        finish(slot);
      }
      serve_waiting();
    }
  }

  Served& of(const MacAddress& mac) { return served_[to_string(mac)]; }

  void forget() { served_.clear(); }

  ServiceSettings settings;
  ServiceState state;
  ServiceQueue queue_{kRequestsMax};

 private:
  void submit(std::size_t load) {
    const std::uint16_t slot = free_.back();
    free_.pop_back();
    owner_[slot] = load;
    came_[slot] = now_;
    const ServiceQueue::Owner owner{.export_id = loads_[load].export_id,
                                    .settings = &settings,
                                    .state = &state,
                                    .initiator = loads_[load].mac,
                                    .window_max = kWindowMax};
    if (queue_.begin(now_, slot, owner, loads_[load].size_bytes)) {
      start(slot);
    }
  }

  void start(std::uint16_t slot) {
    waited_[slot] = now_ - came_[slot];
    if (busy_until_.size() < store_.at_once) {
      busy_until_.push_back(now_);
    }
    const auto first = std::min_element(busy_until_.begin(), busy_until_.end());
    *first = std::max(*first, now_) + store_.latency;
    running_.emplace(*first, slot);
  }

  void finish(std::uint16_t slot) {
    const std::size_t load = owner_.at(slot);
    queue_.ended(now_, slot);
    Served& served = of(loads_[load].mac);
    ++served.requests;
    served.bytes += loads_[load].size_bytes;
    served.waited_longest = std::max(served.waited_longest, waited_[slot]);
    free_.push_back(slot);
    submit(load);
  }

  void serve_waiting() {
    while (const auto slot = queue_.next(now_)) {
      start(*slot);
    }
  }

  StoreModel store_;
  Instant now_{1'000'000'000};
  std::vector<Load> loads_;
  std::vector<std::uint16_t> free_;
  std::map<std::uint16_t, std::size_t> owner_;
  std::map<std::uint16_t, Instant> came_;
  std::map<std::uint16_t, Duration> waited_;
  std::vector<Instant> busy_until_;
  std::multimap<Instant, std::uint16_t> running_;
  std::map<std::string, Served> served_;
};

double ratio(std::uint64_t a, std::uint64_t b) {
  return static_cast<double>(a) / static_cast<double>(std::max<std::uint64_t>(b, 1));
}

TEST(ServiceQueue, OneInitiatorPassesAtOnceAndKeepsTheStoreBusy) {
  World world({});
  world.add({.mac = kA});
  world.run(Duration::seconds(2));
  EXPECT_EQ(world.state.held_back, 0U);
  EXPECT_NEAR(static_cast<double>(world.of(kA).requests), 2000, 20);
}

TEST(ServiceQueue, InitiatorsThatCompeteGetTheirWeights) {
  for (const std::uint32_t weight : {1U, 3U, 8U}) {
    World world({});
    world.settings.weights = {{kA, weight}};
    world.add({.mac = kA, .depth = 64});
    world.add({.mac = kB, .depth = 64});
    world.run(Duration::seconds(2));  // until the store is known
    world.forget();
    world.run(Duration::seconds(10));
    EXPECT_NEAR(ratio(world.of(kA).requests, world.of(kB).requests), weight, weight * 0.1);
    EXPECT_NEAR(static_cast<double>(world.of(kA).requests + world.of(kB).requests), 10000, 100)
        << "the store is kept busy";
  }
}

TEST(ServiceQueue, ManySmallRequestsDoNotCrowdOutFewLargeOnes) {
  World world({});
  world.add({.mac = kA, .depth = 128, .size_bytes = 512});
  world.add({.mac = kB, .depth = 32, .size_bytes = 8192});
  world.run(Duration::seconds(2));
  world.forget();
  world.run(Duration::seconds(10));
  const auto cost = [](const Served& served) { return served.bytes + served.requests * 4096; };
  EXPECT_NEAR(ratio(cost(world.of(kA)), cost(world.of(kB))), 1, 0.1);
}

TEST(ServiceQueue, WhoAsksForLittleDoesNotWaitForWhoAsksForMuch) {
  World world({});
  world.add({.mac = kA, .depth = 128});
  world.add({.mac = kB, .depth = 1});
  world.run(Duration::seconds(2));
  world.forget();
  world.run(Duration::seconds(5));
  EXPECT_LE(world.of(kB).waited_longest, Duration::milliseconds(10));
  EXPECT_GE(world.of(kA).waited_longest, Duration::milliseconds(50));
}

TEST(ServiceQueue, CapsHoldForTheExportAndForEach) {
  World world({.at_once = 64, .latency = Duration::milliseconds(1)});
  world.settings.all = {.requests_per_second = 1000, .bytes_per_second = 0};
  world.settings.each = {.requests_per_second = 0, .bytes_per_second = 4096 * 300};
  world.add({.mac = kA, .depth = 16});
  world.run(Duration::seconds(10));
  EXPECT_NEAR(static_cast<double>(world.of(kA).requests), 3000, 150) << "its own cap";
  world.add({.mac = kB, .depth = 16, .size_bytes = 512});
  world.forget();
  world.run(Duration::seconds(10));
  EXPECT_NEAR(static_cast<double>(world.of(kA).requests + world.of(kB).requests), 10000, 500);
  EXPECT_NEAR(static_cast<double>(world.of(kA).requests), 3000, 300);
}

TEST(ServiceQueue, ACapOutlivesTheRequestsOfAnInitiator) {
  World world({.at_once = 64, .latency = Duration::microseconds(10)});
  world.settings.each = {.requests_per_second = 100, .bytes_per_second = 0};
  world.add({.mac = kA, .depth = 1});
  world.run(Duration::seconds(10));
  EXPECT_NEAR(static_cast<double>(world.of(kA).requests), 1000, 20)
      << "at depth 1 nothing is left of it between two requests";
}

TEST(ServiceQueue, SharesOfTheRoomFollowTheWeights) {
  World world({});
  world.settings.weights = {{kA, 3}};
  world.add({.mac = kA, .depth = 8});
  world.add({.mac = kB, .depth = 8});
  const auto share = [&world](const MacAddress& mac) {
    return world.queue_.share_of({.export_id = ExportId{1},
                                  .settings = &world.settings,
                                  .state = &world.state,
                                  .initiator = mac,
                                  .window_max = kWindowMax},
                                 100);
  };
  EXPECT_EQ(share(kA).allowed, 75U);
  EXPECT_EQ(share(kA).outstanding, 8U);
  EXPECT_EQ(share(kB).allowed, 25U);
  EXPECT_EQ(share(MacAddress{{2, 0, 0, 0, 0, 1}}).allowed, 20U) << "one more of weight 1";
}

TEST(ServiceRate, ASlowStoreTakesFewerRequestsAndAFastOneAll) {
  World slow({.at_once = 1, .latency = Duration::milliseconds(20)});
  slow.add({.mac = kA, .depth = 64});
  slow.run(Duration::seconds(10));
  EXPECT_EQ(slow.state.rate.window(kWindowMax), kWindowMax) << "alone";
  EXPECT_NEAR(slow.state.rate.served_within(Duration::milliseconds(500), kWindowMax), 25, 5);
  slow.add({.mac = kB, .depth = 64});
  slow.run(Duration::seconds(10));
  EXPECT_EQ(slow.state.rate.window(kWindowMax), ServiceRate::kWindowMin);
  World fast({.at_once = 1, .latency = Duration::microseconds(20)});
  fast.add({.mac = kA, .depth = 64});
  fast.add({.mac = kB, .depth = 64});
  fast.run(Duration::milliseconds(1200));
  EXPECT_EQ(fast.state.rate.window(kWindowMax), kWindowMax);
  EXPECT_EQ(fast.state.rate.served_within(Duration::milliseconds(500), kWindowMax), kWindowMax);
}

// A store far away needs many under way, and gets them.
TEST(ServiceRate, AStoreThatDoesMuchAtOnceIsKeptBusy) {
  World world({.at_once = 64, .latency = Duration::milliseconds(20)});
  world.add({.mac = kA, .depth = 100});
  world.add({.mac = kB, .depth = 100});
  world.run(Duration::seconds(5));
  world.forget();
  world.run(Duration::seconds(30));
  EXPECT_GE(world.of(kA).requests + world.of(kB).requests, 96'000U * 96 / 100);
  EXPECT_NEAR(ratio(world.of(kA).requests, world.of(kB).requests), 1, 0.1);
}

}  // namespace
}  // namespace aoe::target
