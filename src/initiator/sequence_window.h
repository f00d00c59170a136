// The sequences of one session with a target that remembers what it executed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::initiator {

// Sequences are handed out in order and finished in any order. `low` is the lowest one that is not
// finished: it travels in every frame and tells the target what it may forget, so the target's
// memory is bounded by the window and nothing is forgotten while a copy could still be executed.
//
// Numbers are on a circle of 2^32; 0 means "none" on the wire and is skipped (its place counts).
class SequenceWindow {
 public:
  // At most `capacity` (rounded up to a power of two) may be open at once. All memory is allocated
  // here.
  explicit SequenceWindow(std::uint32_t capacity, std::uint32_t first = 1);

  // What the target grants: sequences below low + `granted`. The capacity is a limit too.
  void set_limit(std::uint32_t granted);

  [[nodiscard]] bool has_room() const { return next_ - low_ < limit_; }

  // Whether an open sequence lies inside the window. Always, unless the limit went down.
  [[nodiscard]] bool may_send(std::uint32_t sequence) const { return sequence - low_ < limit_; }

  // Nullopt when the window is used up: wait for the oldest one.
  [[nodiscard]] std::optional<std::uint32_t> acquire();

  // Answered, or given up. Only for an open sequence.
  void finish(std::uint32_t sequence);

  // The lowest open sequence, or the next one when none is open. Never 0.
  [[nodiscard]] std::uint32_t low() const { return low_; }

  // The sequence that acquire() gives next. Never 0.
  [[nodiscard]] std::uint32_t next() const { return next_; }

 private:
  [[nodiscard]] std::size_t place(std::uint32_t sequence) const {
    return sequence & (open_.size() - 1);
  }

  std::vector<bool> open_;  // by the low bits of the sequence
  std::uint32_t limit_;
  std::uint32_t low_;
  std::uint32_t next_;
};

}  // namespace aoe::initiator
