// A last-in first-out list of fixed capacity, allocated once.
#pragma once

#include "base/check.h"
#include "base/fixed_array.h"

#include <cstddef>

namespace aoe {

// Which places of a table are free: the one that was used last, and lies in the cache, comes first.
template <class T>
class FixedStack {
 public:
  explicit FixedStack(std::size_t capacity) : cells_(capacity) {}

  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] std::size_t size() const { return size_; }

  // It must not be full.
  void push(T value) { cells_[size_++] = value; }

  // It must not be empty.
  [[nodiscard]] T pop() {
    AOE_CHECK(size_ > 0, "pop of an empty stack");
    return cells_[--size_];
  }

 private:
  FixedArray<T> cells_;
  std::size_t size_ = 0;
};

}  // namespace aoe
