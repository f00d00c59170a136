// Records of operations in flight, named by handles that go stale when the record is released.
#pragma once

#include "base/check.h"
#include "base/prefetch.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::storage {

// Index in the low half, generation in the high half: a completion that comes twice, or after its
// record was given to another operation, finds nothing.
struct SlotHandle {
  std::uint32_t value = 0;
};

// A bounded number of T. Memory for them is taken as more are used at once than ever before, and
// kept: stores are made for far more operations than most of them ever see, and there may be
// thousands. A record stays where it is. The most recently released one is used first.
template <class T>
class SlotTable {
 public:
  // capacity: 1..65535.
  explicit SlotTable(std::size_t capacity) : capacity_(capacity) {
    AOE_CHECK(capacity > 0 && capacity <= 0xFFFFU, "slot indices have 16 bits");
  }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  [[nodiscard]] std::size_t used() const { return made_ - free_.size(); }

  // A record as it was released; the caller fills it. There must be a free one.
  [[nodiscard]] SlotHandle acquire() {
    if (free_.empty()) {
      make_more();
    }
    const std::uint16_t index = free_.back();
    free_.pop_back();
    Slot& slot = slot_at(index);
    slot.is_used = true;
    return {std::uint32_t{slot.generation} << 16U | index};
  }

  // Null for a stale or made-up handle.
  [[nodiscard]] T* find(SlotHandle handle) {
    const std::size_t index = handle.value & 0xFFFFU;
    if (index >= made_) {
      return nullptr;
    }
    Slot& slot = slot_at(index);
    return slot.is_used && slot.generation == handle.value >> 16U ? &slot.value : nullptr;
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
    Slot& slot = slot_at(index);
    ++slot.generation;
    slot.is_used = false;
    free_.push_back(index);
  }

 private:
  struct Slot {
    T value{};
    std::uint16_t generation = 0;
    bool is_used = false;
  };

  static constexpr std::size_t kChunkSlots = 16;

  // Shares no line of the cache with another shard's.
  struct alignas(kCacheLineBytes) Chunk {
    std::array<Slot, kChunkSlots> slots;
  };

  [[nodiscard]] Slot& slot_at(std::size_t index) {
    return chunks_[index / kChunkSlots]->slots[index % kChunkSlots];
  }

  void make_more() {
    AOE_CHECK(made_ < capacity_, "the number of operations in flight is bounded by the submitter");
    chunks_.push_back(std::make_unique<Chunk>());
    const std::size_t first = made_;
    made_ = std::min(capacity_, first + kChunkSlots);
    for (std::size_t i = made_; i > first; --i) {
      free_.push_back(static_cast<std::uint16_t>(i - 1));
    }
  }

  std::size_t capacity_;
  std::size_t made_ = 0;  // slots in chunks_
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint16_t> free_;
};

}  // namespace aoe::storage
