// A first-in first-out queue of fixed capacity, allocated once.
#pragma once

#include "base/check.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace aoe {

template <class T>
class RingQueue {
 public:
  // Holds at most `capacity` elements; T must be default constructible (empty cells hold one).
  explicit RingQueue(std::size_t capacity) : cells_(capacity) {}

  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] bool full() const { return size_ == cells_.size(); }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::size_t capacity() const { return cells_.size(); }

  // False, and `value` untouched, when full.
  [[nodiscard]] bool try_push(T&& value) {
    if (full()) {
      return false;
    }
    cells_[wrap(head_ + size_)] = std::move(value);
    ++size_;
    return true;
  }

  void push(T value) {
    AOE_CHECK(try_push(std::move(value)), "the bound of this queue was computed");
  }

  // The oldest element; the queue must not be empty.
  [[nodiscard]] T& front() {
    AOE_CHECK(size_ > 0, "front of an empty queue");
    return cells_[head_];
  }

  T pop() {
    AOE_CHECK(size_ > 0, "pop of an empty queue");
    T value = std::exchange(cells_[head_], T{});
    head_ = wrap(head_ + 1);
    --size_;
    return value;
  }

  // The element `index` places behind the front.
  [[nodiscard]] T& at(std::size_t index) {
    AOE_CHECK(index < size_, "an element of this queue");
    return cells_[wrap(head_ + index)];
  }

 private:
  [[nodiscard]] std::size_t wrap(std::size_t index) const {
    return index >= cells_.size() ? index - cells_.size() : index;
  }

  std::vector<T> cells_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace aoe
