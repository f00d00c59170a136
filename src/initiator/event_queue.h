// What happened, until somebody asks.
#pragma once

#include "base/ring_queue.h"
#include "initiator/io_request.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace aoe::initiator {

// The oldest events are kept when it is full; that some were lost is told as an event.
class EventQueue {
 public:
  explicit EventQueue(std::uint32_t events_max) : events_(std::max<std::uint32_t>(events_max, 1)) {}

  void emit(const Event& event) {
    if (events_.full()) {
      lost_ = true;
      return;
    }
    events_.push(event);
  }

  [[nodiscard]] std::size_t size() const { return events_.size(); }

  [[nodiscard]] std::size_t poll(std::span<Event> out) {
    std::size_t count = events_.pop_to(out);
    if (lost_ && count < out.size()) {
      lost_ = false;
      out[count++] = {.kind = EventKind::events_lost};
    }
    return count;
  }

 private:
  RingQueue<Event> events_;
  bool lost_ = false;
};

}  // namespace aoe::initiator
