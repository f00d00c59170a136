#include "sim/world/event_queue.h"

#include <algorithm>

namespace aoe::sim {

EventQueue::EventQueue() : now_(Instant{} + Duration::seconds(1)) {
  heap_.reserve(4096);
}

void EventQueue::schedule(Instant at, EventHandler& handler, std::uint32_t what,
                          std::uint64_t value) {
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {.at = std::max(at, now_),
                             .sequence = next_sequence_++,
                             .handler = &handler,
                             .value = value,
                             .what = what});
}

void EventQueue::sift_up(std::size_t hole, const Entry& entry) {
  while (hole > 0) {
    const std::size_t parent = (hole - 1) / kArity;
    if (!is_before(entry, heap_[parent])) {
      break;
    }
    heap_[hole] = heap_[parent];
    hole = parent;
  }
  heap_[hole] = entry;
}

void EventQueue::sift_down(const Entry& entry) {
  const std::size_t size = heap_.size();
  std::size_t hole = 0;
  while (true) {
    const std::size_t first = hole * kArity + 1;
    if (first >= size) {
      break;
    }
    const std::size_t end = std::min(first + kArity, size);
    std::size_t best = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (is_before(heap_[child], heap_[best])) {
        best = child;
      }
    }
    if (!is_before(heap_[best], entry)) {
      break;
    }
    heap_[hole] = heap_[best];
    hole = best;
  }
  heap_[hole] = entry;
}

bool EventQueue::run_next() {
  if (heap_.empty()) {
    return false;
  }
  const Entry entry = heap_.front();
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) {
    sift_down(last);
  }
  now_ = entry.at;
  ++handled_;
  entry.handler->handle_event(now_, entry.what, entry.value);
  return true;
}

void EventQueue::run_until(Instant end) {
  while (!heap_.empty() && heap_.front().at <= end) {
    run_next();
  }
  now_ = std::max(now_, end);
}

}  // namespace aoe::sim
