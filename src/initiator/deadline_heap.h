// One deadline each for the numbers 0..n-1, the earliest first.
#pragma once

#include "base/fixed_array.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::initiator {

// A binary heap that knows where each number is, so that a deadline can be moved or cleared in
// O(log n). Equal deadlines come out in the order of the heap, which is the same in every run.
class DeadlineHeap {
 public:
  explicit DeadlineHeap(std::uint32_t capacity);

  // Sets or moves the deadline of `id`.
  void set(std::uint32_t id, Instant deadline);
  // Does nothing when there is none.
  void clear(std::uint32_t id);

  [[nodiscard]] std::optional<Instant> earliest() const;
  [[nodiscard]] std::optional<Instant> deadline(std::uint32_t id) const;

  // Takes the earliest number whose deadline is not after `now`, and clears its deadline.
  [[nodiscard]] std::optional<std::uint32_t> pop_due(Instant now);

 private:
  struct Node {
    Instant deadline;
    std::uint32_t id = 0;
  };

  void place(std::size_t at, Node node);
  void sift_up(std::size_t at);
  void sift_down(std::size_t at);

  std::vector<Node> heap_;
  FixedArray<std::uint32_t> position_;  // in heap_, or kAbsent
};

}  // namespace aoe::initiator
