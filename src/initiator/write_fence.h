// Keeps new writes away from ranges that an old copy of a write may still reach.
#pragma once

#include "base/ids.h"
#include "base/time.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::initiator {

// A half-open range of sectors of one device.
struct SectorRange {
  Lba lba{};
  std::uint64_t sectors = 0;

  [[nodiscard]] constexpr bool overlaps(const SectorRange& other) const {
    return lba.value < other.lba.value + other.sectors && other.lba.value < lba.value + sectors;
  }
};

// When a write was sent more than once and its first answer came, the other copies may still be in
// the network: one that arrives after a newer write to the same sectors was executed would bring
// the old data back, acknowledged or not. So the range is fenced until every copy has been
// answered, or until no copy can exist any more.
//
// Against a target that filters duplicates this is not needed; every plain target needs it. What it
// cannot see is a copy that the network itself made: counting an answer twice that the network
// duplicated lifts the fence early, as a duplicated request passes it altogether.
//
// Keyed by shelf.slot, not by the open device: closing and opening again must not lift a fence.
class WriteFence {
 public:
  explicit WriteFence(std::uint32_t capacity);

  struct Copies {
    Tag tag;
    std::uint32_t unanswered = 0;  // 1..
    Instant gone;                  // last transmission + maximum frame life
  };

  // False when the table was full: then every write of every device waits until `copies.gone`.
  bool raise(DeviceAddress address, const SectorRange& range, const Copies& copies);

  // An answer to a tag that is no longer in use came in. True when it lifted a fence.
  bool on_late_answer(DeviceAddress address, Tag tag);

  // Lifts what is over. True when there was something.
  bool expire(Instant now);

  [[nodiscard]] bool blocks(DeviceAddress address, const SectorRange& range) const;

  [[nodiscard]] std::optional<Instant> next_expiry() const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    DeviceAddress address;
    SectorRange range;
    Copies copies;
  };

  void remove(std::size_t index);

  std::size_t capacity_;
  std::vector<Entry> entries_;  // unordered; reserved once
  Instant overflow_until_{};    // zero: no overflow
};

}  // namespace aoe::initiator
