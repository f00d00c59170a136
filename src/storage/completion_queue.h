// Finished operations that the submitter has not taken yet.
#pragma once

#include "base/check.h"
#include "base/ring_queue.h"
#include "base/store_op.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace aoe::storage {

// Bounded by the operations in flight: an operation is in flight until its completion was taken.
// Has memory for as many as ever waited at once: of thousands of stores most do little at a time.
class CompletionQueue {
 public:
  explicit CompletionQueue(std::size_t in_flight_max) : in_flight_max_(in_flight_max) {}

  void push(StoreCompletion completion) {
    if (queue_.full()) {
      make_room();
    }
    queue_.push(completion);
  }

  [[nodiscard]] std::size_t size() const { return queue_.size(); }

  // Moves the oldest into `out`; returns how many. What BlockStore::poll_completions promises.
  [[nodiscard]] std::size_t take(std::span<StoreCompletion> out) { return queue_.pop_to(out); }

  // The next push() comes soon.
  void prefetch() const { queue_.prefetch(); }

 private:
  static constexpr std::size_t kFirstRoom = 16;

  void make_room() {
    AOE_CHECK(queue_.capacity() < in_flight_max_, "an operation completes once");
    RingQueue<StoreCompletion> larger(
        std::min(in_flight_max_, std::max(kFirstRoom, queue_.capacity() * 2)));
    while (!queue_.empty()) {
      larger.push(queue_.pop());
    }
    queue_ = std::move(larger);
  }

  RingQueue<StoreCompletion> queue_{0};
  std::size_t in_flight_max_;
};

}  // namespace aoe::storage
