// Events on their way to the edge that writes them down.
#pragma once

#include "base/ring_queue.h"
#include "target/target_types.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

namespace aoe::target {

// Holds a bounded number; when nobody takes them the newest are lost and counted, because the first
// events of a burst say what began it. What others wait for, that an export serves or is gone, is
// never lost: there are no more of those than changes of exports. Keeps the order. Single thread.
class EventLog {
 public:
  explicit EventLog(std::size_t capacity = kCapacity) : queue_(capacity) {}

  void add(const TargetEvent& event) {
    if (beyond_.empty() && !queue_.full()) {
      queue_.push(event);
    } else if (is_waited_for(event.kind)) {
      beyond_.push_back(event);
    } else {
      ++lost_;
    }
  }

  [[nodiscard]] bool empty() const { return queue_.empty() && beyond_.empty(); }

  // The oldest one, if there is any.
  [[nodiscard]] std::optional<TargetEvent> next() {
    TargetEvent event;
    return poll({&event, 1}) == 1 ? std::optional(event) : std::nullopt;
  }

  // Fills `out` from the front with the oldest, and returns how many there were for it.
  [[nodiscard]] std::size_t poll(std::span<TargetEvent> out) {
    std::size_t count = queue_.pop_to(out);
    for (; count < out.size() && !beyond_.empty(); ++count) {
      out[count] = beyond_.front();
      beyond_.pop_front();
    }
    return count;
  }

  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  static constexpr std::size_t kCapacity = 256;

  static constexpr bool is_waited_for(EventKind kind) {
    return kind == EventKind::export_ready || kind == EventKind::address_conflict ||
           kind == EventKind::export_removed;
  }

  RingQueue<TargetEvent> queue_;
  std::deque<TargetEvent> beyond_;  // when queue_ is full; younger than all of it
  std::uint64_t lost_ = 0;
};

}  // namespace aoe::target
