// An array whose size is chosen once, at run time.
#pragma once

#include "base/check.h"

#include <algorithm>
#include <cstddef>
#include <memory>

namespace aoe {

// What std::vector is for tables that never grow, with every index checked in two instructions: a
// vector divides to know its size, and the tables of a request are looked at dozens of times.
template <class T>
class FixedArray {
 public:
  // Each element as T{} makes it.
  explicit FixedArray(std::size_t size) : cells_(std::make_unique<T[]>(size)), size_(size) {}

  FixedArray(std::size_t size, const T& value) : FixedArray(size) {
    std::fill(begin(), end(), value);
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] T& operator[](std::size_t index) {
    AOE_CHECK(index < size_, "an element of this array");
    return cells_.get()[index];
  }

  [[nodiscard]] const T& operator[](std::size_t index) const {
    AOE_CHECK(index < size_, "an element of this array");
    return cells_.get()[index];
  }

  [[nodiscard]] T* data() { return cells_.get(); }

  [[nodiscard]] const T* data() const { return cells_.get(); }

  [[nodiscard]] T* begin() { return cells_.get(); }

  [[nodiscard]] T* end() { return cells_.get() + size_; }

  [[nodiscard]] const T* begin() const { return cells_.get(); }

  [[nodiscard]] const T* end() const { return cells_.get() + size_; }

 private:
  std::unique_ptr<T[]> cells_;
  std::size_t size_ = 0;
};

}  // namespace aoe
