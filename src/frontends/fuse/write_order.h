// Which writes to one file may be under way together.
#pragma once

#include "frontends/fuse/slot_pool.h"

#include <cstdint>
#include <optional>

namespace aoe::fuse {

// A write of whole sectors needs no order: what overlaps, the core orders. A write of a part of a
// sector reads the sector, changes it and writes it back, and what others wrote to it in between
// would be lost: it goes alone. First come, first served.
class WriteOrder {
 public:
  // True: the write may start now. Otherwise it waits, and next() hands it out later.
  [[nodiscard]] bool enter(SlotPool& slots, std::uint32_t slot) {
    if (first_waiting_ == kNoSlot && may_start(slots.at(slot))) {
      start(slots.at(slot));
      return true;
    }
    if (first_waiting_ == kNoSlot) {
      first_waiting_ = slot;
    } else {
      slots.at(last_waiting_).next = slot;
    }
    last_waiting_ = slot;
    return false;
  }

  // The write has ended.
  void leave(const PooledRequest& slot) {
    --under_way_;
    alone_ = alone_ && !slot.holds_sectors;
  }

  // A write that waited and may start now. Call it after leave() until there is none.
  [[nodiscard]] std::optional<std::uint32_t> next(SlotPool& slots) {
    if (first_waiting_ == kNoSlot || !may_start(slots.at(first_waiting_))) {
      return std::nullopt;
    }
    const std::uint32_t slot = first_waiting_;
    first_waiting_ = slots.at(slot).next;
    slots.at(slot).next = kNoSlot;
    start(slots.at(slot));
    return slot;
  }

 private:
  [[nodiscard]] bool may_start(const PooledRequest& slot) const {
    return !alone_ && (!slot.holds_sectors || under_way_ == 0);
  }

  void start(const PooledRequest& slot) {
    ++under_way_;
    alone_ = slot.holds_sectors;
  }

  std::uint32_t under_way_ = 0;
  bool alone_ = false;
  std::uint32_t first_waiting_ = kNoSlot;
  std::uint32_t last_waiting_ = kNoSlot;
};

}  // namespace aoe::fuse
