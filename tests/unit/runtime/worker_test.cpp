#include "runtime/worker.h"

#include "runtime/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>

#include <csignal>
#include <thread>
#include <vector>

namespace aoe::runtime {
namespace {

class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto worker = Worker::start();
    ASSERT_TRUE(worker) << worker.error().message;
    worker_ = *std::move(worker);
  }

  void wait() const {
    pollfd ready{worker_->wait_fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 5000), 1);
  }

  void drain_all() {
    while (worker_->outstanding() > 0) {
      wait();
      worker_->drain();
    }
  }

  std::unique_ptr<Worker> worker_;
};

TEST_F(WorkerTest, JobsRunElsewhereAndCompletionsHereInOrder) {
  const auto here = std::this_thread::get_id();
  std::vector<int> jobs;
  std::vector<int> completions;
  for (int i = 0; i < 100; ++i) {
    worker_->post(
        [&jobs, i, here] {
          EXPECT_NE(std::this_thread::get_id(), here);
          jobs.push_back(i);
        },
        [&completions, i, here] {
          EXPECT_EQ(std::this_thread::get_id(), here);
          completions.push_back(i);
        });
  }
  drain_all();
  ASSERT_EQ(completions.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(completions[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(jobs[static_cast<std::size_t>(i)], i);
  }
}

TEST_F(WorkerTest, CompletionMayPostAgain) {
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds < 3) {
      worker_->post([] {}, again);
    }
  };
  worker_->post([] {}, again);
  drain_all();
  EXPECT_EQ(rounds, 3);
}

TEST_F(WorkerTest, FinishRunsEverythingQueuedAndKeepsTheCompletions) {
  int jobs = 0;
  int completions = 0;
  for (int i = 0; i < 10; ++i) {
    worker_->post([&] { ++jobs; }, [&] { ++completions; });
  }
  worker_->finish();
  EXPECT_EQ(jobs, 10);
  EXPECT_EQ(completions, 0);
  EXPECT_EQ(worker_->drain(), 10U);
  EXPECT_EQ(completions, 10);
  worker_->finish();
}

TEST_F(WorkerTest, DestructionRunsJobsButNoCompletions) {
  int jobs = 0;
  int completions = 0;
  worker_->post([&] { ++jobs; }, [&] { ++completions; });
  worker_.reset();
  EXPECT_EQ(jobs, 1);
  EXPECT_EQ(completions, 0);
}

TEST_F(WorkerTest, EmptyCompletionIsAllowed) {
  worker_->post([] {}, nullptr);
  drain_all();
  EXPECT_EQ(worker_->outstanding(), 0U);
}

TEST_F(WorkerTest, DrainedWorkerIsNotReadable) {
  worker_->post([] {}, nullptr);
  drain_all();
  pollfd ready{worker_->wait_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
}

TEST_F(WorkerTest, SignalsAreBlockedInItsThread) {
  bool blocked = false;
  worker_->post(
      [&] {
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        blocked = sigismember(&mask, SIGTERM) == 1;
      },
      nullptr);
  drain_all();
  EXPECT_TRUE(blocked);
  sigset_t own;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

TEST_F(WorkerTest, WakesALoop) {
  auto loop = EventLoop::create({});
  ASSERT_TRUE(loop);
  ASSERT_TRUE((*loop)->add_fd(worker_->wait_fd(), EPOLLIN, [&](std::uint32_t) {
    worker_->drain();
    (*loop)->stop();
  }));
  int completions = 0;
  worker_->post([] {}, [&] { ++completions; });
  (*loop)->run_once(std::nullopt);
  EXPECT_EQ(completions, 1);
}

}  // namespace
}  // namespace aoe::runtime
