// Memory in whole lines of the processor's cache.
#pragma once

#include "base/prefetch.h"

#include <cstddef>
#include <memory>
#include <new>

namespace aoe {

// Gives back what make_in_lines() made.
template <class T>
class LineDeleter {
 public:
  LineDeleter() = default;

  explicit LineDeleter(std::size_t count) : count_(count) {}

  [[nodiscard]] std::size_t count() const { return count_; }

  void operator()(T* first) const noexcept {
    std::destroy_n(first, count_);
    ::operator delete (first, std::align_val_t{kCacheLineBytes});
  }

 private:
  std::size_t count_ = 0;
};

template <class T>
using LineArray = std::unique_ptr<T[], LineDeleter<T>>;

// `count` elements as T{} makes them. They begin with a line, and nothing else has a part in their
// last one: what another thread has beside them in memory does not slow either down.
template <class T>
[[nodiscard]] LineArray<T> make_in_lines(std::size_t count) {
  static_assert(alignof(T) <= kCacheLineBytes);
  const std::size_t lines = (count * sizeof(T) + kCacheLineBytes - 1) / kCacheLineBytes;
  void* const memory = ::operator new (lines* kCacheLineBytes, std::align_val_t{kCacheLineBytes});
  T* const first = static_cast<T*>(memory);
  std::uninitialized_value_construct_n(first, count);
  return LineArray<T>(first, LineDeleter<T>(count));
}

}  // namespace aoe
