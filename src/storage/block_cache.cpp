#include "storage/block_cache.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace aoe::storage {

namespace {

constexpr std::uint32_t kSmallShare = 10;  // one in ten places

}  // namespace

Result<BlockCache> BlockCache::make(std::uint64_t size_bytes, const std::string& owner) {
  const std::uint64_t count = std::max(size_bytes / kBlockBytes, kBlocksMin);
  if (count > kBlocksMax) {
    return fail_with(
        Errc::no_space, 0,
        fmt::format("{}: cache: {} bytes are more than {} blocks", owner, size_bytes, kBlocksMax));
  }
  BlockCache cache;
  AOE_TRY_ASSIGN(cache.memory_, os::MappedMemory::allocate(count * kBlockBytes, owner));
  // Places are taken in order, so that a large page is full before the next one is begun.
  cache.memory_.prefer_large_pages();
  cache.places_.resize(count);
  // At most two in three are taken, or looking for a free one would take long.
  cache.buckets_.resize(std::bit_ceil(count + count / 2));
  cache.mask_ = cache.buckets_.size() - 1;
  cache.ghosts_.resize(std::bit_ceil(count));
  for (auto place = static_cast<std::uint32_t>(count); place > 0; --place) {
    cache.places_[place - 1].next_free = cache.free_;
    cache.free_ = place - 1;
  }
  return cache;
}

std::uint32_t BlockCache::insert(std::uint64_t block) {
  AOE_CHECK(find(block) == kNone, "a block has one place");
  const std::uint32_t place = make_room();
  if (place == kNone) {
    return kNone;
  }
  places_[place] = {.block = block};
  link(place);
  ++used_;
  if (is_remembered(block)) {
    append(main_, Queue::main, place);
  } else {
    append(small_, Queue::small, place);
  }
  return place;
}

void BlockCache::remove(std::uint32_t place) {
  Place& gone = places_[place];
  AOE_CHECK(gone.in != Queue::free && gone.pin == kNone, "what goes is there and nobody's");
  take_out(fifo_of(gone.in), place);
  free_place(place);
}

// The place is in no queue any more.
void BlockCache::free_place(std::uint32_t place) {
  Place& gone = places_[place];
  unlink(place);
  gone.in = Queue::free;
  gone.valid = 0;
  gone.next_free = free_;
  free_ = place;
  --used_;
}

void BlockCache::link(std::uint32_t place) {
  const std::uint32_t print = print_of(places_[place].block);
  std::size_t at = print & mask_;
  while (buckets_[at].place != kNone) {
    at = (at + 1) & mask_;
  }
  buckets_[at] = {.place = place, .print = print};
}

// What stands behind it moves up, as far as its own bucket, so that no search ends too early.
void BlockCache::unlink(std::uint32_t place) {
  std::size_t hole = print_of(places_[place].block) & mask_;
  while (buckets_[hole].place != place) {
    hole = (hole + 1) & mask_;
  }
  for (std::size_t at = (hole + 1) & mask_; buckets_[at].place != kNone; at = (at + 1) & mask_) {
    const std::size_t from_own = (at - buckets_[at].print) & mask_;
    if (from_own >= ((at - hole) & mask_)) {
      buckets_[hole] = buckets_[at];
      hole = at;
    }
  }
  buckets_[hole] = {};
}

void BlockCache::append(Fifo& fifo, Queue which, std::uint32_t place) {
  Place& added = places_[place];
  added.in = which;
  added.newer = kNone;
  added.older = fifo.newest;
  if (fifo.newest != kNone) {
    places_[fifo.newest].newer = place;
  } else {
    fifo.oldest = place;
  }
  fifo.newest = place;
  ++fifo.count;
}

void BlockCache::take_out(Fifo& fifo, std::uint32_t place) {
  Place& gone = places_[place];
  if (gone.newer != kNone) {
    places_[gone.newer].older = gone.older;
  } else {
    fifo.newest = gone.older;
  }
  if (gone.older != kNone) {
    places_[gone.older].newer = gone.newer;
  } else {
    fifo.oldest = gone.newer;
  }
  --fifo.count;
}

std::uint32_t BlockCache::make_room() {
  if (free_ == kNone) {
    const bool is_small_full = small_.count >= places_.size() / kSmallShare;
    std::uint32_t evicted = is_small_full ? evict_small() : evict_main();
    if (evicted == kNone) {
      evicted = is_small_full ? evict_main() : evict_small();
    }
    if (evicted == kNone) {
      return kNone;
    }
    ++evictions_;
    free_place(evicted);
  }
  const std::uint32_t place = free_;
  free_ = places_[place].next_free;
  return place;
}

// Takes the block out of the small queue that has to go, moving those that were asked for to the
// main queue on its way; kNone when none is left.
std::uint32_t BlockCache::evict_small() {
  for (std::uint32_t looked = small_.count; looked > 0; --looked) {
    const std::uint32_t place = small_.oldest;
    Place& oldest = places_[place];
    take_out(small_, place);
    if (oldest.pin != kNone) {
      append(small_, Queue::small, place);
    } else if (oldest.uses > 0) {
      oldest.uses = 0;
      append(main_, Queue::main, place);
    } else {
      remember(oldest.block);
      return place;
    }
  }
  return kNone;
}

std::uint32_t BlockCache::evict_main() {
  // Each round costs every block a use: the bound is never reached but for pinned ones.
  for (std::uint64_t looked = std::uint64_t{main_.count} * (kUsesMax + 1); looked > 0; --looked) {
    const std::uint32_t place = main_.oldest;
    Place& oldest = places_[place];
    take_out(main_, place);
    if (oldest.pin == kNone && oldest.uses == 0) {
      return place;
    }
    oldest.uses = oldest.uses > 0 ? static_cast<std::uint8_t>(oldest.uses - 1) : oldest.uses;
    append(main_, Queue::main, place);
  }
  return kNone;
}

void BlockCache::remember(std::uint64_t block) {
  const std::uint64_t mixed = mix(block);
  ghosts_[mixed & (ghosts_.size() - 1)] = {static_cast<std::uint32_t>(mixed >> 32U),
                                           ++ghost_clock_};
}

bool BlockCache::is_remembered(std::uint64_t block) const {
  const std::uint64_t mixed = mix(block);
  const Ghost& ghost = ghosts_[mixed & (ghosts_.size() - 1)];
  // As many as the main queue may hold.
  return ghost.when != 0 && ghost.print == static_cast<std::uint32_t>(mixed >> 32U) &&
         ghost_clock_ - ghost.when < places_.size();
}

}  // namespace aoe::storage
