#include "target/range_table.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace aoe::target {

RangeTable::RangeTable(std::uint16_t slots_max)
    : entries_(slots_max), buckets_(std::bit_ceil(std::size_t{slots_max} * 4), kNil) {
  AOE_CHECK(slots_max < kNil / kLinks, "link numbers are 16 bits");
  wide_.reserve(slots_max);
}

bool RangeTable::conflict(const Entry& a, const Entry& b) {
  return a.range.space == b.range.space && a.range.begin < b.range.end &&
         b.range.begin < a.range.end &&
         (a.use == RangeUse::exclusive || b.use == RangeUse::exclusive);
}

std::size_t RangeTable::bucket_of(std::uint32_t space, std::uint64_t chunk) const {
  const std::uint64_t mixed = (chunk + (std::uint64_t{space} << 40U)) * 0x9E3779B97F4A7C15ULL;
  return (mixed >> 32U) & (buckets_.size() - 1);
}

template <class Visit>
void RangeTable::for_each_neighbour(std::uint16_t slot, Visit visit) {
  Entry& self = entries_[slot];
  if (self.is_wide) {
    for (std::size_t other = 0; other < entries_.size(); ++other) {
      if (other != slot && entries_[other].is_active) {
        visit(static_cast<std::uint16_t>(other), entries_[other]);
      }
    }
    return;
  }
  for (const std::uint16_t other : wide_) {
    visit(other, entries_[other]);
  }
  const std::uint64_t first_chunk = self.range.begin >> kChunkShift;
  const std::uint64_t last_chunk = (self.range.end - 1) >> kChunkShift;
  for (std::uint64_t chunk = first_chunk; chunk <= last_chunk; ++chunk) {
    for (std::uint16_t n = buckets_[bucket_of(self.range.space, chunk)]; n != kNil;) {
      const auto other = static_cast<std::uint16_t>(n / kLinks);
      Entry& entry = entries_[other];
      const Link& at = entry.links[n % kLinks];
      // Two ranges may share both chunks: they meet in the first one they have in common.
      const std::uint64_t meeting = std::max(first_chunk, entry.range.begin >> kChunkShift);
      if (other != slot && at.chunk == chunk && chunk == meeting) {
        visit(other, entry);
      }
      n = at.next;
    }
  }
}

bool RangeTable::add(std::uint16_t slot, const SectorRange& range, RangeUse use) {
  Entry& self = entries_[slot];
  AOE_CHECK(!self.is_active && range.begin < range.end, "a slot holds one range, not empty");
  const std::uint64_t first_chunk = range.begin >> kChunkShift;
  const std::uint64_t last_chunk = (range.end - 1) >> kChunkShift;
  self.range = range;
  self.use = use;
  self.sequence = next_sequence_++;
  self.blockers = 0;
  self.is_active = true;
  self.is_wide = last_chunk - first_chunk >= kLinks;
  // Reads among reads stand in nobody's way.
  if (use == RangeUse::exclusive || exclusive_count_ != 0) {
    for_each_neighbour(slot, [&self](std::uint16_t, const Entry& other) {
      self.blockers += conflict(self, other) ? 1U : 0U;
    });
  }
  exclusive_count_ += use == RangeUse::exclusive ? 1U : 0U;
  blocked_count_ += self.blockers != 0 ? 1U : 0U;
  if (self.is_wide) {
    wide_.push_back(slot);
  } else {
    const auto number = static_cast<std::uint16_t>(slot * kLinks);
    link(number, range.space, first_chunk);
    if (last_chunk != first_chunk) {
      link(static_cast<std::uint16_t>(number + 1), range.space, last_chunk);
    }
  }
  return self.blockers == 0;
}

void RangeTable::remove(std::uint16_t slot, std::vector<std::uint16_t>& runnable) {
  Entry& self = entries_[slot];
  AOE_CHECK(self.is_active && self.blockers == 0, "only a running slot completes");
  exclusive_count_ -= self.use == RangeUse::exclusive ? 1U : 0U;
  if (blocked_count_ != 0) {
    const std::size_t before = runnable.size();
    for_each_neighbour(slot, [&](std::uint16_t other, Entry& entry) {
      if (entry.sequence > self.sequence && conflict(self, entry) && --entry.blockers == 0) {
        runnable.push_back(other);
        --blocked_count_;
      }
    });
    std::sort(runnable.begin() + static_cast<std::ptrdiff_t>(before), runnable.end(),
              [this](std::uint16_t a, std::uint16_t b) {
                return entries_[a].sequence < entries_[b].sequence;
              });
  }
  if (self.is_wide) {
    wide_.erase(std::find(wide_.begin(), wide_.end(), slot));
  } else {
    for (Link& link : self.links) {
      unlink(link, self.range.space);
    }
  }
  self.is_active = false;
}

void RangeTable::link(std::uint16_t number, std::uint32_t space, std::uint64_t chunk) {
  std::uint16_t& head = buckets_[bucket_of(space, chunk)];
  link_of(number) = {.chunk = chunk, .next = head, .previous = kNil, .is_linked = true};
  if (head != kNil) {
    link_of(head).previous = number;
  }
  head = number;
}

void RangeTable::unlink(Link& gone, std::uint32_t space) {
  if (!gone.is_linked) {
    return;
  }
  if (gone.next != kNil) {
    link_of(gone.next).previous = gone.previous;
  }
  if (gone.previous != kNil) {
    link_of(gone.previous).next = gone.next;
  } else {
    buckets_[bucket_of(space, gone.chunk)] = gone.next;
  }
  gone.is_linked = false;
}

}  // namespace aoe::target
