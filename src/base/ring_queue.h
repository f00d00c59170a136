// A first-in first-out queue of fixed capacity, allocated once.
#pragma once

#include "base/check.h"
#include "base/fixed_array.h"
#include "base/prefetch.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace aoe {

template <class T>
class RingQueue {
 public:
  // Holds at most `capacity` elements; T must be default constructible, and give up what it owns
  // when it is moved from: that is what empty cells hold.
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
    append() = std::move(value);
    return true;
  }

  void push(T&& value) { append() = std::move(value); }

  void push(const T& value) { append() = value; }

  // The oldest element; the queue must not be empty.
  [[nodiscard]] T& front() {
    AOE_CHECK(size_ > 0, "front of an empty queue");
    return cells_[head_];
  }

  T pop() {
    AOE_CHECK(size_ > 0, "pop of an empty queue");
    T value = std::move(cells_[head_]);
    --size_;
    // A queue that is emptied all the time uses the same few cells, which are in the cache.
    head_ = size_ == 0 ? 0 : wrap(head_ + 1);
    return value;
  }

  // Fills `out` from the front with the oldest elements, and returns how many there were for it.
  [[nodiscard]] std::size_t pop_to(std::span<T> out) {
    const std::size_t count = std::min(out.size(), size_);
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = std::move(cells_[wrap(head_ + i)]);
    }
    size_ -= count;
    head_ = size_ == 0 ? 0 : wrap(head_ + count);
    return count;
  }

  // An empty queue is filled soon.
  void prefetch() const { prefetch_line(cells_.data()); }

  // The element `index` places behind the front.
  [[nodiscard]] T& at(std::size_t index) {
    AOE_CHECK(index < size_, "an element of this queue");
    return cells_[wrap(head_ + index)];
  }

 private:
  T& append() {
    AOE_CHECK(!full(), "the bound of this queue was computed");
    T& cell = cells_[wrap(head_ + size_)];
    ++size_;
    return cell;
  }

  [[nodiscard]] std::size_t wrap(std::size_t index) const {
    return index >= cells_.size() ? index - cells_.size() : index;
  }

  FixedArray<T> cells_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace aoe
