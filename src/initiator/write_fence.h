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

// When a write ended and copies of it may still be in the network, one that arrives after a newer
// write to the same sectors would bring the old data back, acknowledged or not. So the range is
// fenced until no copy can exist any more, or until every copy is known to have arrived.
//
// Against a target that remembers what it executed this is not needed; every plain target needs it.
// Copies look all the same, so an answer proves that a certain copy arrived only where one copy
// went over the path that the answer came by: two answers over one path may be one that the network
// duplicated. (A request that the network itself duplicated passes any fence.)
//
// Keyed by shelf.slot, not by the open device: closing and opening again must not lift a fence.
class WriteFence {
 public:
  explicit WriteFence(std::uint32_t capacity);

  struct Copies {
    Tag tag{};
    std::uint32_t open_paths = 0;  // bits of paths that one copy went over, and no answer came by
    bool can_settle = false;       // false: answers prove nothing, only time does
    Instant gone{};                // last transmission + maximum frame life
  };

  // False when the table was full: then every write of every device waits until `copies.gone`.
  bool raise(DeviceAddress address, const SectorRange& range, const Copies& copies);

  // An answer to a tag that is no longer in use came in over a path. True when it lifted a fence.
  bool on_late_answer(DeviceAddress address, Tag tag, std::uint32_t path);

  // The device is closed: the numbers of its paths mean nothing any more, so only time lifts its
  // fences.
  void forget_paths(DeviceAddress address);

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
