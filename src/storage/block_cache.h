// Blocks of a disk in memory: which are there, and which make room.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "os/mapped_memory.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aoe::storage {

// A fixed number of 4 KiB places. A block is valid sector by sector, so that a short write needs no
// read first.
//
// What makes room is decided as by S3-FIFO (Yang et al., SOSP 2023): a new block waits in a small
// queue, a tenth of the places; if nobody asked for it again by the time it comes out, it goes and
// only its number is remembered. One whose number is still remembered, or that was asked for while
// it waited, goes into the main queue, from which it goes only after it came out unasked. A scan
// of the whole disk therefore passes through the small queue and leaves the rest as it was.
//
// Knows nothing of I/O: pinned places are somebody's business and stay. Allocates in make() only.
// Single thread.
class BlockCache {
 public:
  static constexpr std::uint64_t kBlockBytes = 4096;
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  static constexpr std::uint8_t kAllSectors = 0xFF;

  // size_bytes: rounded down to whole blocks, at least kBlocksMin of them. Memory is taken from the
  // system as blocks are first used. Errors: no_space.
  static constexpr std::uint64_t kBlocksMin = 64;
  [[nodiscard]] static Result<BlockCache> make(std::uint64_t size_bytes, const std::string& owner);

  // The place of a block, or kNone. Does not count as asking.
  [[nodiscard]] std::uint32_t find(std::uint64_t block) const {
    std::uint32_t place = buckets_[mix(block) & (buckets_.size() - 1)];
    while (place != kNone && places_[place].block != block) {
      place = places_[place].chain;
    }
    return place;
  }

  // Both make find() quick that follows soon; the second one a while after the first.
  void prefetch_bucket(std::uint64_t block) const {
    __builtin_prefetch(&buckets_[mix(block) & (buckets_.size() - 1)]);
  }

  void prefetch_place(std::uint64_t block) const {
    const std::uint32_t place = buckets_[mix(block) & (buckets_.size() - 1)];
    if (place != kNone) {
      __builtin_prefetch(&places_[place]);
      const std::byte* const data = memory_.bytes().data() + place * kBlockBytes;
      for (std::size_t line = 0; line < kPrefetchLines; ++line) {
        __builtin_prefetch(data + line * kLineBytes);
      }
    }
  }

  // Somebody asked for the block in this place.
  void touch(std::uint32_t place) {
    std::uint8_t& uses = places_[place].uses;
    uses = uses < kUsesMax ? static_cast<std::uint8_t>(uses + 1) : uses;
  }

  // A place for a block that has none, with no sector valid; kNone when all that could go are
  // pinned.
  [[nodiscard]] std::uint32_t insert(std::uint64_t block);

  // The block goes, and with it its place; it may not be pinned.
  void remove(std::uint32_t place);

  [[nodiscard]] ByteSpan bytes(std::uint32_t place) {
    return memory_.bytes().subspan(place * kBlockBytes, kBlockBytes);
  }

  // One bit a sector, the first is the lowest.
  [[nodiscard]] std::uint8_t valid(std::uint32_t place) const { return places_[place].valid; }

  void set_valid(std::uint32_t place, std::uint8_t sectors) { places_[place].valid = sectors; }

  // Whose business the block in this place is, a number of the caller's; kNone: nobody's.
  [[nodiscard]] std::uint32_t pin(std::uint32_t place) const { return places_[place].pin; }

  void set_pin(std::uint32_t place, std::uint32_t pin) { places_[place].pin = pin; }

  // Places are numbered from 0; those without a block say so.
  [[nodiscard]] std::uint32_t places() const { return static_cast<std::uint32_t>(places_.size()); }

  [[nodiscard]] bool has_block(std::uint32_t place) const {
    return places_[place].in != Queue::free;
  }

  [[nodiscard]] std::uint64_t block(std::uint32_t place) const { return places_[place].block; }

  [[nodiscard]] std::uint32_t used() const { return used_; }

  // Blocks that had to go for others, since the start.
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

 private:
  static constexpr std::uint8_t kUsesMax = 3;
  static constexpr std::size_t kLineBytes = 64;
  static constexpr std::size_t kPrefetchLines = 8;

  enum class Queue : std::uint8_t { free, small, main };

  struct Place {
    std::uint64_t block = 0;
    std::uint32_t chain = kNone;  // next of the same bucket, or of the free places
    std::uint32_t newer = kNone;  // in its queue
    std::uint32_t older = kNone;
    std::uint32_t pin = kNone;
    std::uint8_t valid = 0;
    std::uint8_t uses = 0;
    Queue in = Queue::free;
  };

  struct Fifo {
    std::uint32_t newest = kNone;
    std::uint32_t oldest = kNone;
    std::uint32_t count = 0;
  };

  // Numbers of blocks that went from the small queue. A place in the table may be taken by another
  // number: then that one is forgotten early, which costs a read and nothing else.
  struct Ghost {
    std::uint32_t print = 0;
    std::uint32_t when = 0;
  };

  BlockCache() = default;

  [[nodiscard]] static std::uint64_t mix(std::uint64_t block) {
    const std::uint64_t mixed = block * 0x9E3779B97F4A7C15ULL;
    return mixed ^ mixed >> 32U;
  }

  void append(Fifo& fifo, Queue which, std::uint32_t place);
  void take_out(Fifo& fifo, std::uint32_t place);

  [[nodiscard]] Fifo& fifo_of(Queue which) { return which == Queue::small ? small_ : main_; }

  [[nodiscard]] std::uint32_t make_room();
  [[nodiscard]] std::uint32_t evict_small();
  [[nodiscard]] std::uint32_t evict_main();
  void free_place(std::uint32_t place);
  void remember(std::uint64_t block);
  [[nodiscard]] bool is_remembered(std::uint64_t block) const;

  os::MappedMemory memory_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> buckets_;
  std::vector<Ghost> ghosts_;
  Fifo small_;
  Fifo main_;
  std::uint32_t free_ = kNone;
  std::uint32_t used_ = 0;
  std::uint32_t ghost_clock_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace aoe::storage
