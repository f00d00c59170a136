#include "initiator/deadline_heap.h"

namespace aoe::initiator {
namespace {

constexpr std::uint32_t kAbsent = 0xFFFFFFFF;

}  // namespace

DeadlineHeap::DeadlineHeap(std::uint32_t capacity) : position_(capacity, kAbsent) {
  heap_.reserve(capacity);
}

void DeadlineHeap::place(std::size_t at, Node node) {
  heap_[at] = node;
  position_[node.id] = static_cast<std::uint32_t>(at);
}

void DeadlineHeap::sift_up(std::size_t at) {
  const Node node = heap_[at];
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (heap_[parent].deadline <= node.deadline) {
      break;
    }
    place(at, heap_[parent]);
    at = parent;
  }
  place(at, node);
}

void DeadlineHeap::sift_down(std::size_t at) {
  const Node node = heap_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) {
      break;
    }
    if (child + 1 < heap_.size() && heap_[child + 1].deadline < heap_[child].deadline) {
      ++child;
    }
    if (node.deadline <= heap_[child].deadline) {
      break;
    }
    place(at, heap_[child]);
    at = child;
  }
  place(at, node);
}

void DeadlineHeap::set(std::uint32_t id, Instant deadline) {
  if (position_[id] == kAbsent) {
    heap_.push_back({});
    place(heap_.size() - 1, {deadline, id});
  } else {
    heap_[position_[id]].deadline = deadline;
  }
  sift_up(position_[id]);
  sift_down(position_[id]);
}

void DeadlineHeap::clear(std::uint32_t id) {
  const std::uint32_t at = position_[id];
  if (at == kAbsent) {
    return;
  }
  position_[id] = kAbsent;
  const Node last = heap_.back();
  heap_.pop_back();
  if (last.id != id) {
    place(at, last);
    sift_up(at);
    sift_down(position_[last.id]);
  }
}

std::optional<Instant> DeadlineHeap::earliest() const {
  if (heap_.empty()) {
    return std::nullopt;
  }
  return heap_.front().deadline;
}

std::optional<Instant> DeadlineHeap::deadline(std::uint32_t id) const {
  if (position_[id] == kAbsent) {
    return std::nullopt;
  }
  return heap_[position_[id]].deadline;
}

std::optional<std::uint32_t> DeadlineHeap::pop_due(Instant now) {
  if (heap_.empty() || heap_.front().deadline > now) {
    return std::nullopt;
  }
  const std::uint32_t id = heap_.front().id;
  clear(id);
  return id;
}

}  // namespace aoe::initiator
