// Records of operations in flight, named by handles that go stale when the record is released.
#pragma once

#include "base/check.h"
#include "base/fixed_array.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::storage {

// Index in the low half, generation in the high half: a completion that comes twice, or after its
// record was given to another operation, finds nothing.
struct SlotHandle {
  std::uint32_t value = 0;
};

// A fixed number of T, allocated once. The most recently released record is used first.
template <class T>
class SlotTable {
 public:
  // capacity: 1..65535.
  explicit SlotTable(std::size_t capacity) : slots_(capacity) {
    AOE_CHECK(capacity > 0 && capacity <= 0xFFFFU, "slot indices have 16 bits");
    free_.reserve(capacity);
    for (std::size_t i = capacity; i > 0; --i) {
      free_.push_back(static_cast<std::uint16_t>(i - 1));
    }
  }

  [[nodiscard]] std::size_t capacity() const { return slots_.size(); }

  [[nodiscard]] std::size_t used() const { return slots_.size() - free_.size(); }

  // A record as it was released; the caller fills it. There must be a free one.
  [[nodiscard]] SlotHandle acquire() {
    AOE_CHECK(!free_.empty(), "the number of operations in flight is bounded by the submitter");
    const std::uint16_t index = free_.back();
    free_.pop_back();
    slots_[index].is_used = true;
    return handle_of(index);
  }

  // Null for a stale or made-up handle.
  [[nodiscard]] T* find(SlotHandle handle) {
    const std::size_t index = handle.value & 0xFFFFU;
    if (index >= slots_.size() || !slots_[index].is_used ||
        slots_[index].generation != handle.value >> 16U) {
      return nullptr;
    }
    return &slots_[index].value;
  }

  // The record of a handle that is known to be alive.
  [[nodiscard]] T& at(SlotHandle handle) {
    T* value = find(handle);
    AOE_CHECK(value != nullptr, "a handle of this table that was not released");
    return *value;
  }

  void release(SlotHandle handle) {
    AOE_CHECK(find(handle) != nullptr, "a record is released once");
    const auto index = static_cast<std::uint16_t>(handle.value & 0xFFFFU);
    ++slots_[index].generation;
    slots_[index].is_used = false;
    free_.push_back(index);
  }

 private:
  struct Slot {
    T value{};
    std::uint16_t generation = 0;
    bool is_used = false;
  };

  [[nodiscard]] SlotHandle handle_of(std::uint16_t index) const {
    return {std::uint32_t{slots_[index].generation} << 16U | index};
  }

  FixedArray<Slot> slots_;
  std::vector<std::uint16_t> free_;
};

}  // namespace aoe::storage
