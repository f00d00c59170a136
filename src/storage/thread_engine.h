// The engine for hosts that forbid io_uring: a few threads that make blocking calls.
#pragma once

#include "os/event_fd.h"
#include "storage/io_engine.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace aoe::storage {

// Operations run in the order they were submitted, as many at a time as there are threads. A
// backend that hangs holds its thread; when it holds all of them, the other stores of this engine
// wait too. io_uring has no such limit, which is why it is the first choice.
class ThreadEngine final : public IoEngine {
 public:
  // threads: 1..64.
  static Result<std::unique_ptr<ThreadEngine>> open(std::uint32_t threads);
  ~ThreadEngine() override;
  ThreadEngine(const ThreadEngine&) = delete;
  ThreadEngine& operator=(const ThreadEngine&) = delete;

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] int wait_fd() const override { return wake_.fd(); }

 private:
  struct Job {
    std::uint64_t user_data = 0;
    IoOp op;
  };

  struct Done {
    std::uint64_t user_data = 0;
    std::int64_t result = 0;
  };

  explicit ThreadEngine(os::EventFd wake) : wake_(std::move(wake)) {}

  void start(std::uint64_t user_data, const IoOp& op, int held_file) override;
  void kick() override;
  void collect() override;
  void run();

  os::EventFd wake_;
  std::vector<Job> started_;   // of the batch being submitted; our thread only
  std::vector<Done> arrived_;  // being handed out; our thread only

  std::mutex mutex_;  // guards the three below
  std::deque<Job> jobs_;
  std::vector<Done> done_;
  bool is_stopping_ = false;

  std::condition_variable has_jobs_;
  std::vector<std::thread> threads_;
};

}  // namespace aoe::storage
