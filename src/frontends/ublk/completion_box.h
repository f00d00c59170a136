// Ends of requests on their way from the disk's thread to that of a queue.
#pragma once

#include "base/result.h"
#include "frontends/ublk/queue.h"
#include "os/event_fd.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace aoe::ublk {

// Has room for one end a tag from the start: nothing is allocated while requests are served.
class CompletionBox final : public RequestSink {
 public:
  struct End {
    std::uint16_t tag = 0;
    int error = 0;
  };

  CompletionBox(os::EventFd event, std::size_t tags) : event_(std::move(event)) {
    arrived_.reserve(tags);
    taken_.reserve(tags);
  }

  // Any thread.
  void complete(std::uint16_t tag, int error) override {
    const std::lock_guard lock(mutex_);
    arrived_.push_back({tag, error});
    if (arrived_.size() == 1) {
      event_.signal();
    }
  }

  // The queue's thread: what came since the last call; good until the next.
  [[nodiscard]] const std::vector<End>& take() {
    taken_.clear();
    const std::lock_guard lock(mutex_);
    event_.drain();
    taken_.swap(arrived_);
    return taken_;
  }

  // Readable while there is something to take.
  [[nodiscard]] int wait_fd() const { return event_.fd(); }

 private:
  os::EventFd event_;
  std::mutex mutex_;
  std::vector<End> arrived_;
  std::vector<End> taken_;
};

}  // namespace aoe::ublk
