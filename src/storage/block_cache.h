// Blocks of a disk in memory: which are there, and which make room.
#pragma once

#include "base/bytes.h"
#include "base/prefetch.h"
#include "base/result.h"
#include "os/mapped_memory.h"

#include <algorithm>
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
  // system as blocks are first used. Errors: no_space, above kBlocksMax too.
  static constexpr std::uint64_t kBlocksMin = 64;
  static constexpr std::uint64_t kBlocksMax = std::uint64_t{1} << 31U;  // 8 TiB
  [[nodiscard]] static Result<BlockCache> make(std::uint64_t size_bytes, const std::string& owner);

  // The place of a block, or kNone. Does not count as asking.
  [[nodiscard]] std::uint32_t find(std::uint64_t block) const {
    const std::uint32_t print = print_of(block);
    for (std::size_t at = print & mask_;; at = (at + 1) & mask_) {
      const Bucket& bucket = buckets_[at];
      if (bucket.place == kNone ||
          (bucket.print == print && places_[bucket.place].block == block)) {
        return bucket.place;
      }
    }
  }

  // These make what follows soon quick: the second is called a while after the first, because it
  // looks at what that one fetches. It is for [in_block_bytes, + length_bytes) of the block.
  void prefetch_bucket(std::uint64_t block) const {
    prefetch_line(&buckets_[print_of(block) & mask_]);
  }

  void prefetch_block(std::uint64_t block, std::uint64_t in_block_bytes,
                      std::uint64_t length_bytes) const {
    const std::uint32_t place = find_likely(block);
    if (place != kNone) {
      prefetch_line(&places_[place]);
      prefetch_bytes(memory_.bytes(), place * kBlockBytes + in_block_bytes, length_bytes);
    }
  }

  // Somebody asked for the block in this place.
  void touch(std::uint32_t place) {
    if (std::uint8_t& uses = places_[place].uses; uses < kUsesMax) {
      ++uses;
    }
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

  enum class Queue : std::uint8_t { free, small, main };

  // In one line of the processor's caches.
  struct alignas(32) Place {
    std::uint64_t block = 0;
    std::uint32_t next_free = kNone;  // of the free places
    std::uint32_t newer = kNone;      // in its queue
    std::uint32_t older = kNone;
    std::uint32_t pin = kNone;
    std::uint8_t valid = 0;
    std::uint8_t uses = 0;
    Queue in = Queue::free;
  };

  // A hash table with open addressing: a block is in the bucket of its print, or in the first one
  // behind it that was free. The print is here so that looking on does not touch the place.
  struct Bucket {
    std::uint32_t place = kNone;
    std::uint32_t print = 0;
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

  [[nodiscard]] static std::uint32_t print_of(std::uint64_t block) {
    return static_cast<std::uint32_t>(mix(block));
  }

  // The same as find(), nearly always: of two blocks with one print it may be the other.
  [[nodiscard]] std::uint32_t find_likely(std::uint64_t block) const {
    const std::uint32_t print = print_of(block);
    std::size_t at = print & mask_;
    while (buckets_[at].place != kNone && buckets_[at].print != print) {
      at = (at + 1) & mask_;
    }
    return buckets_[at].place;
  }

  void link(std::uint32_t place);
  void unlink(std::uint32_t place);
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
  std::vector<Bucket> buckets_;
  std::size_t mask_ = 0;  // of their number, a power of two
  std::vector<Ghost> ghosts_;
  Fifo small_;
  Fifo main_;
  std::uint32_t free_ = kNone;
  std::uint32_t used_ = 0;
  std::uint32_t ghost_clock_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace aoe::storage
