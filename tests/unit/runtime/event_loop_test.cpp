#include "runtime/event_loop.h"

#include "os/clock.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace aoe::runtime {
namespace {

class EventLoopTest : public ::testing::Test {
 protected:
  static std::unique_ptr<EventLoop> make_loop(Duration busy_poll = {}) {
    auto loop = EventLoop::create({.busy_poll = busy_poll});
    EXPECT_TRUE(loop);
    return *std::move(loop);
  }

  static os::Fd make_event(unsigned value) { return os::Fd(::eventfd(value, EFD_NONBLOCK)); }
};

TEST_F(EventLoopTest, CallsBackWithTheEventsOfAReadyDescriptor) {
  auto loop = make_loop();
  const os::Fd ready = make_event(1);
  std::uint32_t seen = 0;
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t events) { seen = events; }));
  loop->run_once(std::nullopt);
  EXPECT_EQ(seen, std::uint32_t{EPOLLIN});
}

TEST_F(EventLoopTest, ReturnsAtTheDeadlineWhenNothingHappens) {
  auto loop = make_loop();
  const Instant start = os::monotonic_now();
  const Instant deadline = start + Duration::milliseconds(5);
  loop->run_once(deadline);
  EXPECT_GE(os::monotonic_now(), deadline);
}

TEST_F(EventLoopTest, PassedDeadlineStillServesWhatIsReady) {
  auto loop = make_loop();
  const os::Fd ready = make_event(1);
  int calls = 0;
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t) { ++calls; }));
  loop->run_once(os::monotonic_now() - Duration::seconds(1));
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, RemovedDescriptorIsNotCalledEvenWithinTheSameTurn) {
  auto loop = make_loop();
  const os::Fd first = make_event(1);
  const os::Fd second = make_event(1);
  int calls = 0;
  const auto remove_both = [&](std::uint32_t) {
    ++calls;
    loop->remove_fd(first.get());
    loop->remove_fd(second.get());
  };
  ASSERT_TRUE(loop->add_fd(first.get(), EPOLLIN, remove_both));
  ASSERT_TRUE(loop->add_fd(second.get(), EPOLLIN, remove_both));
  loop->run_once(std::nullopt);
  loop->run_once(os::monotonic_now());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, DescriptorCanBeRegisteredAgainFromItsOwnCallback) {
  auto loop = make_loop();
  const os::Fd ready = make_event(1);
  int second_calls = 0;
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t) {
    loop->remove_fd(ready.get());
    EXPECT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t) { ++second_calls; }));
  }));
  loop->run_once(std::nullopt);
  loop->run_once(std::nullopt);
  EXPECT_EQ(second_calls, 1);
}

TEST_F(EventLoopTest, SameDescriptorTwiceIsAnError) {
  auto loop = make_loop();
  const os::Fd ready = make_event(0);
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [](std::uint32_t) {}));
  auto again = loop->add_fd(ready.get(), EPOLLIN, [](std::uint32_t) {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::already_exists);
}

TEST_F(EventLoopTest, ModifiedEventsTakeEffect) {
  auto loop = make_loop();
  const os::Fd ready = make_event(1);
  std::uint32_t seen = 0;
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t events) { seen = events; }));
  ASSERT_TRUE(loop->modify_fd(ready.get(), EPOLLOUT));
  loop->run_once(std::nullopt);
  EXPECT_EQ(seen, std::uint32_t{EPOLLOUT});
  EXPECT_FALSE(loop->modify_fd(9999, EPOLLIN));
}

TEST_F(EventLoopTest, StopEndsTheWaitingForGood) {
  auto loop = make_loop();
  const os::Fd ready = make_event(1);
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN | EPOLLET, [&](std::uint32_t) { loop->stop(); }));
  loop->run_once(std::nullopt);
  EXPECT_TRUE(loop->stopped());
  loop->run_once(std::nullopt);  // would wait for ever
}

TEST_F(EventLoopTest, PollersAreSpunUntilOneFindsWork) {
  auto loop = make_loop(Duration::seconds(3600));
  int rounds = 0;
  loop->add_poller([&] { return ++rounds == 100; });
  loop->run_once(std::nullopt);
  EXPECT_EQ(rounds, 100);
}

TEST_F(EventLoopTest, SpinningStillServesDescriptors) {
  auto loop = make_loop(Duration::seconds(3600));
  const os::Fd late = make_event(0);
  int rounds = 0;
  loop->add_poller([&] {
    if (++rounds == 50) {
      EXPECT_EQ(::eventfd_write(late.get(), 1), 0);
    }
    return false;
  });
  int calls = 0;
  ASSERT_TRUE(loop->add_fd(late.get(), EPOLLIN, [&](std::uint32_t) { ++calls; }));
  loop->run_once(std::nullopt);
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, SpinEndsAtItsBudgetAndThenSleepsUntilTheDeadline) {
  auto loop = make_loop(Duration::microseconds(50));
  loop->add_poller([] { return false; });
  const Instant deadline = os::monotonic_now() + Duration::milliseconds(5);
  loop->run_once(deadline);
  EXPECT_GE(os::monotonic_now(), deadline);
}

TEST_F(EventLoopTest, BusyPollersDoNotStarveDescriptors) {
  auto loop = make_loop(Duration::seconds(3600));
  loop->add_poller([] { return true; });
  const os::Fd ready = make_event(1);
  int calls = 0;
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t) { ++calls; }));
  for (int turn = 0; turn < 64; ++turn) {
    loop->run_once(std::nullopt);
  }
  EXPECT_GE(calls, 2);
}

TEST_F(EventLoopTest, SleepsAreTold) {
  auto loop = make_loop();
  std::string told;
  loop->set_sleep_hooks([&] { told += "before "; }, [&] { told += "after "; });
  const os::Fd ready = make_event(1);
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t) { told += "callback "; }));
  loop->run_once(std::nullopt);
  EXPECT_EQ(told, "before after callback ");
}

TEST_F(EventLoopTest, TurnThatDoesNotSleepTellsNothing) {
  auto loop = make_loop();
  int told = 0;
  loop->set_sleep_hooks([&] { ++told; }, [&] { ++told; });
  loop->run_once(Instant{});
  loop->run_once(os::monotonic_now() - Duration::seconds(1));
  EXPECT_EQ(told, 0);
}

TEST_F(EventLoopTest, DescriptorRemovedDuringASleepIsNotCalled) {
  auto loop = make_loop();
  const os::Fd ready = make_event(1);
  int calls = 0;
  // Between the events that were gathered and their callbacks.
  loop->set_sleep_hooks([] {}, [&] { loop->remove_fd(ready.get()); });
  ASSERT_TRUE(loop->add_fd(ready.get(), EPOLLIN, [&](std::uint32_t) { ++calls; }));
  loop->run_once(std::nullopt);
  EXPECT_EQ(calls, 0);
}

class AdaptiveLoop : public EventLoopTest {
 protected:
  // Sleeps for at least five milliseconds, and nothing comes.
  static Duration spin_after(EventLoop& loop, int sleeps) {
    for (int i = 0; i < sleeps; ++i) {
      loop.run_once(os::monotonic_now() + Duration::milliseconds(5));
    }
    return loop.spin_time();
  }

  static std::unique_ptr<EventLoop> make_adaptive(Duration most) {
    auto loop = EventLoop::create({.busy_poll = most, .is_adaptive = true});
    EXPECT_TRUE(loop);
    (*loop)->add_poller([] { return false; });
    return *std::move(loop);
  }

  void SetUp() override {
    if (std::thread::hardware_concurrency() < 2) {
      GTEST_SKIP() << "spins on no machine with one processor";
    }
  }
};

TEST_F(AdaptiveLoop, BeginsWithoutSpinning) {
  EXPECT_EQ(make_adaptive(Duration::seconds(1))->spin_time(), Duration{});
}

TEST_F(AdaptiveLoop, ShortSleepsMakeItSpinLongerUpToItsBudget) {
  auto loop = make_adaptive(Duration::seconds(3600));
  const Duration once = spin_after(*loop, 1);
  EXPECT_GT(once, Duration{});
  EXPECT_EQ(spin_after(*loop, 1), once * 2);
  EXPECT_EQ(spin_after(*loop, 2), once * 8);
}

TEST_F(AdaptiveLoop, LongSleepsEndTheSpinning) {
  auto loop = make_adaptive(Duration::milliseconds(1));
  EXPECT_EQ(spin_after(*loop, 3), Duration{}) << "an idle loop costs nothing";
}

TEST_F(AdaptiveLoop, NeverSpinsLongerThanToldOverall) {
  auto loop = make_adaptive(Duration::microseconds(100));
  int rounds = 0;
  loop->add_poller([&] {
    ++rounds;
    return false;
  });
  (void)spin_after(*loop, 1);
  EXPECT_LE(rounds, 2) << "nothing was learned yet: it looks once and sleeps";
}

}  // namespace
}  // namespace aoe::runtime
