// Finished operations that the submitter has not taken yet.
#pragma once

#include "base/ring_queue.h"
#include "base/store_op.h"

#include <cstddef>
#include <span>

namespace aoe::storage {

// Bounded by the operations in flight: an operation is in flight until its completion was taken.
class CompletionQueue {
 public:
  explicit CompletionQueue(std::size_t in_flight_max) : queue_(in_flight_max) {}

  void push(StoreCompletion completion) { queue_.push(completion); }

  [[nodiscard]] std::size_t size() const { return queue_.size(); }

  // Moves the oldest into `out`; returns how many. What BlockStore::poll_completions promises.
  [[nodiscard]] std::size_t take(std::span<StoreCompletion> out) { return queue_.pop_to(out); }

 private:
  RingQueue<StoreCompletion> queue_;
};

}  // namespace aoe::storage
