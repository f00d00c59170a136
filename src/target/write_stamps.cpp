#include "target/write_stamps.h"

#include "base/check.h"
#include "target/tag_clock.h"

#include <algorithm>
#include <bit>

namespace aoe::target {

WriteStamps::WriteStamps(std::uint32_t chunks_max, Duration lifetime)
    : lifetime_(lifetime),
      chunks_max_(chunks_max),
      chunks_(std::make_unique_for_overwrite<Chunk[]>(chunks_max)),
      buckets_(std::bit_ceil(std::size_t{chunks_max} * 2), kNil) {
  AOE_CHECK(lifetime.ns > 0, "stamps live for a while");
}

std::uint32_t WriteStamps::sectors_in(const SectorRange& range, std::uint64_t chunk) {
  const std::uint64_t base = chunk << kChunkShift;
  const std::uint64_t begin = std::max(range.begin, base) - base;
  const std::uint64_t end = std::min(range.end, base + kChunkSectors) - base;
  return static_cast<std::uint32_t>((std::uint64_t{1} << end) - (std::uint64_t{1} << begin));
}

std::size_t WriteStamps::bucket_of(std::uint32_t host, std::uint32_t space,
                                   std::uint64_t chunk) const {
  const std::uint64_t key = chunk ^ std::uint64_t{space} << 43U ^ std::uint64_t{host} << 32U;
  return (key * 0x9E3779B97F4A7C15ULL >> 32U) & (buckets_.size() - 1);
}

std::uint32_t WriteStamps::find(std::uint32_t host, std::uint32_t space,
                                std::uint64_t chunk) const {
  std::uint32_t place = buckets_[bucket_of(host, space, chunk)];
  while (place != kNil && (chunks_[place].number != chunk || chunks_[place].space != space ||
                           chunks_[place].host != host)) {
    place = chunks_[place].next;
  }
  return place;
}

std::uint32_t WriteStamps::stamped_in(const Chunk& chunk, std::uint32_t epoch) {
  const std::uint32_t passed = epoch - chunk.epoch;
  return (passed <= 1 ? chunk.fresh : 0) | (passed == 0 ? chunk.old : 0);
}

bool WriteStamps::is_dead(std::uint32_t place, std::uint32_t epoch) const {
  return epoch - chunks_[place].epoch >= 2;
}

void WriteStamps::age(Chunk& chunk, std::uint32_t epoch) const {
  const std::uint32_t passed = epoch - chunk.epoch;
  if (passed != 0) {
    chunk.old = passed == 1 ? chunk.fresh : 0;
    chunk.fresh = 0;
    chunk.epoch = epoch;
  }
}

void WriteStamps::link_newest(std::uint32_t place) {
  chunks_[place].older = newest_;
  chunks_[place].newer = kNil;
  (newest_ == kNil ? oldest_ : chunks_[newest_].newer) = place;
  newest_ = place;
}

void WriteStamps::unlink(std::uint32_t place) {
  const Chunk& chunk = chunks_[place];
  (chunk.older == kNil ? oldest_ : chunks_[chunk.older].newer) = chunk.newer;
  (chunk.newer == kNil ? newest_ : chunks_[chunk.newer].older) = chunk.older;
}

void WriteStamps::touch(std::uint32_t place, std::uint32_t epoch) {
  age(chunks_[place], epoch);
  if (place != newest_) {
    unlink(place);
    link_newest(place);
  }
}

void WriteStamps::remove_from_bucket(std::uint32_t place) {
  const Chunk& chunk = chunks_[place];
  std::uint32_t* link = &buckets_[bucket_of(chunk.host, chunk.space, chunk.number)];
  while (*link != place) {
    link = &chunks_[*link].next;
  }
  *link = chunk.next;
}

std::uint32_t WriteStamps::free_place(std::uint32_t epoch) {
  // Places that are dead already come first, so that memory stays as small as it can.
  if (oldest_ != kNil && is_dead(oldest_, epoch)) {
    const std::uint32_t place = oldest_;
    unlink(place);
    remove_from_bucket(place);
    return place;
  }
  if (touched_ == chunks_max_) {
    return kNil;
  }
  ++in_use_;
  return touched_++;
}

std::uint32_t WriteStamps::make(std::uint32_t host, std::uint32_t space, std::uint64_t chunk,
                                std::uint32_t epoch) {
  const std::uint32_t place = free_place(epoch);
  if (place == kNil) {
    return kNil;
  }
  std::uint32_t& bucket = buckets_[bucket_of(host, space, chunk)];
  Chunk& made = chunks_[place];
  made.number = chunk;
  made.space = space;
  made.host = host;
  made.next = bucket;
  made.epoch = epoch;
  made.fresh = 0;
  made.old = 0;
  bucket = place;
  link_newest(place);
  return place;
}

bool WriteStamps::has_room(std::uint64_t chunks, std::uint32_t host, const SectorRange& range,
                           std::uint32_t epoch) const {
  std::uint64_t room = chunks_max_ - touched_;
  for (std::uint32_t place = oldest_; room < chunks && place != kNil && is_dead(place, epoch);
       place = chunks_[place].newer) {
    const Chunk& chunk = chunks_[place];
    const bool is_of_range = chunk.host == host && chunk.space == range.space &&
                             chunk.number >= range.begin >> kChunkShift &&
                             chunk.number <= (range.end - 1) >> kChunkShift;
    room += is_of_range ? 0U : 1U;
  }
  return room >= chunks;
}

WriteStamps::Put WriteStamps::put(Instant now, std::uint32_t host, const SectorRange& range,
                                  Tag stamp) {
  const auto epoch = static_cast<std::uint32_t>(now.ns / lifetime_.ns);
  const std::uint64_t first = range.begin >> kChunkShift;
  const std::uint64_t last = (range.end - 1) >> kChunkShift;
  std::uint64_t missing = 0;
  for (std::uint64_t number = first; number <= last; ++number) {
    const std::uint32_t place = find(host, range.space, number);
    if (place == kNil) {
      ++missing;
      continue;
    }
    const Chunk& chunk = chunks_[place];
    std::uint32_t stamped = sectors_in(range, number) & stamped_in(chunk, epoch);
    for (; stamped != 0; stamped &= stamped - 1) {
      if (!is_sent_after(stamp, Tag{chunk.stamps[std::countr_zero(stamped)]})) {
        return Put::stale;
      }
    }
  }
  if (missing != 0) {
    // A write that has to wait is sent again and again: it must not keep its places from becoming
    // free, or several such writes wait for each other for ever.
    if (!has_room(missing, host, range, epoch)) {
      return Put::full;
    }
    for (std::uint64_t number = first; number <= last; ++number) {
      if (const std::uint32_t place = find(host, range.space, number); place != kNil) {
        touch(place, epoch);
      }
    }
  }
  for (std::uint64_t number = first; number <= last; ++number) {
    std::uint32_t place = find(host, range.space, number);
    if (place == kNil) {
      place = make(host, range.space, number, epoch);
      AOE_CHECK(place != kNil, "there is room for what is missing");
    }
    touch(place, epoch);
    Chunk& chunk = chunks_[place];
    const std::uint32_t mask = sectors_in(range, number);
    chunk.fresh |= mask;
    chunk.old &= ~mask;
    for (std::uint32_t left = mask; left != 0; left &= left - 1) {
      chunk.stamps[std::countr_zero(left)] = stamp.value;
    }
  }
  return Put::newest;
}

void WriteStamps::for_each(Instant now, std::uint32_t space,
                           const std::function<void(std::uint32_t host, const SectorRange& range,
                                                    Tag stamp)>& take) const {
  const auto epoch = static_cast<std::uint32_t>(now.ns / lifetime_.ns);
  for (std::uint32_t place = oldest_; place != kNil; place = chunks_[place].newer) {
    Chunk chunk = chunks_[place];
    if (chunk.space != space) {
      continue;
    }
    age(chunk, epoch);
    const std::uint32_t stamped = chunk.fresh | chunk.old;
    const auto is_stamped = [stamped](std::uint32_t sector) {
      return sector < kChunkSectors && (stamped >> sector & 1U) != 0;
    };
    for (std::uint32_t begin = 0; begin < kChunkSectors;) {
      if (!is_stamped(begin)) {
        ++begin;
        continue;
      }
      std::uint32_t end = begin + 1;
      while (is_stamped(end) && chunk.stamps[end] == chunk.stamps[begin]) {
        ++end;
      }
      const std::uint64_t base = chunk.number << kChunkShift;
      take(chunk.host, {space, base + begin, base + end}, Tag{chunk.stamps[begin]});
      begin = end;
    }
  }
}

}  // namespace aoe::target
