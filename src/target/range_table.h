// Keeps overlapping operations in the order they arrived in.
//
// AoE gives no order between requests, but an initiator may have two overlapping ones outstanding,
// or its retransmission may cross a newer write. Executing overlapping operations in arrival order
// makes the outcome the one the wire order suggests, and makes every 512-byte sector change as a
// whole.
#pragma once

#include "base/fixed_array.h"
#include "base/ids.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::target {

enum class RangeUse : std::uint8_t { shared, exclusive };  // reads share, everything else excludes

struct SectorRange {
  std::uint32_t space = 0;  // whose sectors: ranges of different spaces never overlap
  std::uint64_t begin = 0;  // first sector
  std::uint64_t end = 0;    // one past the last, > begin
};

// Every request in flight holds a range from arrival to completion; a request that overlaps an
// earlier one (unless both are shared) waits for it. Requests are named by a slot index below
// `slots_max`. Look-ups cost a few hashed list nodes: ranges of up to 256 sectors, which is all
// that reads and writes can be, never meet ranges elsewhere on the disk; longer ones (TRIM, READ
// VERIFY) are compared with every slot.
//
// Fixed memory, single thread.
class RangeTable {
 public:
  explicit RangeTable(std::uint16_t slots_max);

  // True when the slot may run now, false when it has to wait until remove() names it.
  [[nodiscard]] bool add(std::uint16_t slot, const SectorRange& range, RangeUse use);

  // The slot is done. Slots that waited for it alone are appended to `runnable`, in arrival order.
  void remove(std::uint16_t slot, std::vector<std::uint16_t>& runnable);

 private:
  static constexpr std::uint16_t kNil = 0xFFFF;
  static constexpr unsigned kChunkShift = 8;  // chunks of 256 sectors: two cover any read or write
  static constexpr std::size_t kLinks = 2;

  struct Link {
    std::uint64_t chunk = 0;
    std::uint16_t next = kNil;  // link numbers: slot * 2 + which
    std::uint16_t previous = kNil;
    bool is_linked = false;
  };

  struct Entry {
    SectorRange range;
    std::uint64_t sequence = 0;
    std::uint32_t blockers = 0;
    RangeUse use = RangeUse::shared;
    bool is_active = false;
    bool is_wide = false;
    Link links[kLinks];
  };

  [[nodiscard]] static bool conflict(const Entry& a, const Entry& b);
  [[nodiscard]] std::size_t bucket_of(std::uint32_t space, std::uint64_t chunk) const;
  // Calls visit(slot, entry) once for every other active entry that could overlap.
  template <class Visit>
  void for_each_neighbour(std::uint16_t slot, Visit visit);

  [[nodiscard]] Link& link_of(std::uint16_t number) {
    return entries_[number / kLinks].links[number % kLinks];
  }

  void link(std::uint16_t number, std::uint32_t space, std::uint64_t chunk);
  void unlink(Link& gone, std::uint32_t space);

  FixedArray<Entry> entries_;
  FixedArray<std::uint16_t> buckets_;
  std::vector<std::uint16_t> wide_;    // slots with ranges longer than two chunks
  std::uint32_t exclusive_count_ = 0;  // active, running or not
  std::uint32_t blocked_count_ = 0;    // that wait for others
  std::uint64_t next_sequence_ = 1;
};

}  // namespace aoe::target
