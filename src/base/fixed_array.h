// An array whose size is chosen once, at run time.
#pragma once

#include "base/check.h"
#include "base/line_memory.h"

#include <algorithm>
#include <cstddef>

namespace aoe {

// What std::vector is for tables that never grow, with every index checked in two instructions: a
// vector divides to know its size, and the tables of a request are looked at dozens of times. In
// lines of the cache of its own.
template <class T>
class FixedArray {
 public:
  // Each element as T{} makes it.
  explicit FixedArray(std::size_t size) : cells_(make_in_lines<T>(size)) {}

  FixedArray(std::size_t size, const T& value) : FixedArray(size) {
    std::fill(begin(), end(), value);
  }

  [[nodiscard]] std::size_t size() const { return cells_.get_deleter().count(); }

  [[nodiscard]] T& operator[](std::size_t index) {
    AOE_CHECK(index < size(), "an element of this array");
    return cells_.get()[index];
  }

  [[nodiscard]] const T& operator[](std::size_t index) const {
    AOE_CHECK(index < size(), "an element of this array");
    return cells_.get()[index];
  }

  [[nodiscard]] T* data() { return cells_.get(); }

  [[nodiscard]] const T* data() const { return cells_.get(); }

  [[nodiscard]] T* begin() { return cells_.get(); }

  [[nodiscard]] T* end() { return cells_.get() + size(); }

  [[nodiscard]] const T* begin() const { return cells_.get(); }

  [[nodiscard]] const T* end() const { return cells_.get() + size(); }

 private:
  LineArray<T> cells_;
};

}  // namespace aoe
