// The events of a core, waiting to be taken by the edge that writes them down.
#pragma once

#include "base/ring_queue.h"
#include "target/target_types.h"

#include <cstddef>
#include <span>

namespace aoe::target {

// Holds a bounded number; when nobody takes them the newest are lost and counted, because the first
// events of a burst say what began it.
class EventLog {
 public:
  EventLog() : queue_(kCapacity) {}

  void add(const TargetEvent& event) {
    if (!queue_.try_push(TargetEvent(event))) {
      ++lost_;
    }
  }

  [[nodiscard]] std::size_t poll(std::span<TargetEvent> out) { return queue_.pop_to(out); }

  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  static constexpr std::size_t kCapacity = 256;
  RingQueue<TargetEvent> queue_;
  std::uint64_t lost_ = 0;
};

}  // namespace aoe::target
