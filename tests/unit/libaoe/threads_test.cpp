// Several threads on one handle, with and without a thread of the library.
#include "unit/libaoe/handle_fixture.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <future>
#include <thread>

namespace aoe::libaoe {
namespace {

using initiator::Bytes;
using initiator::pattern;
using initiator::Sent;

constexpr unsigned kThreads = 8;
constexpr unsigned kRounds = 100;

class ThreadsTest : public HandleTest {
 protected:
  // Every thread writes and reads back a region of its own, which shares sectors with its
  // neighbours'.
  void write_and_read_back() {
    constexpr std::size_t kRegionBytes = 1300;
    std::atomic<unsigned> failures = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (unsigned round = 0; round < kRounds; ++round) {
          const Bytes data = pattern(kRegionBytes, t * kRounds + round);
          Bytes back(kRegionBytes);
          const std::uint64_t offset = std::uint64_t{t} * kRegionBytes;
          if (aoe_pwrite(handle, data.data(), data.size(), offset, 0) != 0 ||
              aoe_pread(handle, back.data(), back.size(), offset, 0) != 0 || back != data) {
            ++failures;
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(failures, 0U);
  }
};

TEST_F(ThreadsTest, DriveForEachOther) {
  open();
  write_and_read_back();
}

TEST_F(ThreadsTest, AreServedByTheLibrarysThread) {
  open();
  ASSERT_EQ(aoe_start_thread(handle), 0) << aoe_get_error();
  ASSERT_EQ(aoe_start_thread(handle), 0) << aoe_get_error();
  EXPECT_TRUE(failed_with(aoe_process(handle), EINVAL, "a thread of its own"));
  EXPECT_TRUE(failed_with(aoe_poll(handle, 0), EINVAL, "a thread of its own"));
  write_and_read_back();
}

TEST_F(ThreadsTest, TheLibrarysThreadCanStartWhileAnotherWaits) {
  open();
  std::atomic<bool> answer = false;
  std::atomic<bool> asked = false;
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    if (sent.is_data()) {
      asked = true;
    }
    return answer ? target.answer(sent) : std::nullopt;
  };
  Bytes block(512);
  auto waits =
      std::async(std::launch::async, [&] { return aoe_pread(handle, block.data(), 512, 0, 0); });
  while (!asked) {
    std::this_thread::yield();
  }
  ASSERT_EQ(aoe_start_thread(handle), 0);
  answer = true;
  EXPECT_EQ(waits.get(), 0);
  EXPECT_EQ(aoe_pread(handle, block.data(), 512, 0, 0), 0);
}

TEST_F(ThreadsTest, CallbacksRunInTheLibrarysThreadWithSignalsBlocked) {
  open();
  ASSERT_EQ(aoe_start_thread(handle), 0);

  struct Seen {
    std::thread::id thread;
    int blocked = -1;
  };

  std::promise<Seen> seen;
  const auto look = [](void* data, int) {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    static_cast<std::promise<Seen>*>(data)->set_value(
        {std::this_thread::get_id(), sigismember(&mask, SIGTERM)});
  };
  ASSERT_EQ(aoe_aio_flush(handle, 0, look, &seen), 0);
  const Seen was = seen.get_future().get();
  EXPECT_NE(was.thread, std::this_thread::get_id());
  EXPECT_EQ(was.blocked, 1);
  EXPECT_EQ(aoe_drain(handle), 0);
}

TEST_F(ThreadsTest, AsynchronousRequestsOfManyThreadsComplete) {
  open();
  ASSERT_EQ(aoe_start_thread(handle), 0);
  std::atomic<unsigned> completed = 0;
  const auto count = [](void* data, int error) {
    if (error == 0) {
      ++*static_cast<std::atomic<unsigned>*>(data);
    }
  };
  std::vector<std::thread> threads;
  std::array<Bytes, kThreads> memory;
  for (Bytes& block : memory) {
    block.resize(512);
    threads.emplace_back([&] {
      for (unsigned round = 0; round < kRounds; ++round) {
        while (aoe_aio_pread(handle, block.data(), 512, 0, 0, count, &completed) != 0) {
          EXPECT_EQ(aoe_get_errno(), EAGAIN);
          std::this_thread::yield();
        }
      }
      EXPECT_EQ(aoe_drain(handle), 0);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(completed, kThreads * kRounds);
}

TEST_F(ThreadsTest, CloseWaitsForACallbackThatRuns) {
  open();
  ASSERT_EQ(aoe_start_thread(handle), 0);

  struct State {
    std::promise<void> entered;
    std::promise<void> leave;
    std::atomic<bool> left = false;
  } state;

  const auto stay = [](void* data, int) {
    auto& s = *static_cast<State*>(data);
    s.entered.set_value();
    s.leave.get_future().wait();
    s.left = true;
  };
  ASSERT_EQ(aoe_aio_flush(handle, 0, stay, &state), 0);
  state.entered.get_future().wait();
  std::thread releases([&] { state.leave.set_value(); });
  ASSERT_EQ(aoe_close(handle), 0);
  EXPECT_TRUE(state.left);
  releases.join();
  handle = nullptr;
}

TEST_F(ThreadsTest, ProcessLeavesTheWorkToWhoIsDriving) {
  open();
  std::atomic<bool> answer = false;
  std::atomic<bool> asked = false;
  hook = [&](const Sent& sent) -> std::optional<Bytes> {
    if (sent.is_data()) {
      asked = true;
    }
    return answer ? target.answer(sent) : std::nullopt;
  };
  Bytes block(512);
  auto waits =
      std::async(std::launch::async, [&] { return aoe_pread(handle, block.data(), 512, 0, 0); });
  while (!asked) {
    std::this_thread::yield();
  }
  answer = true;
  Outcome outcome;
  ASSERT_EQ(aoe_aio_flush(handle, 0, note, &outcome), 0);
  while (outcome.calls == 0) {
    ASSERT_GE(aoe_poll(handle, -1), 0) << aoe_get_error();
  }
  EXPECT_EQ(waits.get(), 0);
}

}  // namespace
}  // namespace aoe::libaoe
