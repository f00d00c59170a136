// Remembers for every sector that was written lately when the write was sent.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "target/range_table.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

namespace aoe::target {

// Times are tags of the Linux driver (tag_clock.h), and are compared only with those of the same
// host. A stamp stays for one lifetime at least and for two at most: as long as a copy of an older
// write can still arrive.
//
// Sectors are kept by chunks of 32, found by a hash, in a fixed number of places; a place is free
// again two lifetimes after its last write. When all are taken nothing is forgotten early: put()
// says so, and the write has to wait. Memory of places that were never used is not touched. Single
// thread.
class WriteStamps {
 public:
  // `lifetime` > 0.
  WriteStamps(std::uint32_t chunks_max, Duration lifetime);

  enum class Put : std::uint8_t {
    newest,  // later than every stamp in the range, which has this one now
    stale,   // some sector has the same stamp or a later one; nothing changed
    full,    // no place; nothing changed
  };

  // `host` tells the hosts apart. The range has at most 65536 sectors.
  [[nodiscard]] Put put(Instant now, std::uint32_t host, const SectorRange& range, Tag stamp);

  // What is remembered of one space: runs of sectors with one stamp, as put() takes them.
  void for_each(Instant now, std::uint32_t space,
                const std::function<void(std::uint32_t host, const SectorRange& range, Tag stamp)>&
                    take) const;

  // Places in use, those that could be freed included.
  [[nodiscard]] std::uint32_t in_use() const { return in_use_; }

 private:
  static constexpr std::uint32_t kNil = 0xFFFFFFFF;
  static constexpr unsigned kChunkShift = 5;
  static constexpr std::uint32_t kChunkSectors = 1U << kChunkShift;

  // Without initialisers, so that unused places stay untouched.
  struct Chunk {
    std::uint64_t number;
    std::uint32_t space;
    std::uint32_t host;
    std::uint32_t next;   // in its bucket, or in the list of free places
    std::uint32_t older;  // neighbours in the order of last use
    std::uint32_t newer;
    std::uint32_t epoch;  // of last use
    std::uint32_t fresh;  // bit n: sector n was stamped in `epoch`
    std::uint32_t old;    // bit n: in the one before
    std::uint32_t stamps[kChunkSectors];
  };

  static_assert(std::is_trivially_default_constructible_v<Chunk>);

  // The sectors of the range in that chunk, as bits.
  [[nodiscard]] static std::uint32_t sectors_in(const SectorRange& range, std::uint64_t chunk);
  [[nodiscard]] std::size_t bucket_of(std::uint32_t host, std::uint32_t space,
                                      std::uint64_t chunk) const;
  [[nodiscard]] std::uint32_t find(std::uint32_t host, std::uint32_t space,
                                   std::uint64_t chunk) const;
  [[nodiscard]] std::uint32_t make(std::uint32_t host, std::uint32_t space, std::uint64_t chunk,
                                   std::uint32_t epoch);
  [[nodiscard]] std::uint32_t free_place(std::uint32_t epoch);
  // Sectors of a chunk whose stamps still count, as bits.
  [[nodiscard]] static std::uint32_t stamped_in(const Chunk& chunk, std::uint32_t epoch);
  // Whether so many chunks more find a place, without those that the range has.
  [[nodiscard]] bool has_room(std::uint64_t chunks, std::uint32_t host, const SectorRange& range,
                              std::uint32_t epoch) const;
  // Whether nothing of it counts any more.
  [[nodiscard]] bool is_dead(std::uint32_t place, std::uint32_t epoch) const;
  void age(Chunk& chunk, std::uint32_t epoch) const;
  void touch(std::uint32_t place, std::uint32_t epoch);
  void link_newest(std::uint32_t place);
  void unlink(std::uint32_t place);
  void remove_from_bucket(std::uint32_t place);

  Duration lifetime_;
  std::uint32_t chunks_max_;
  std::unique_ptr<Chunk[]> chunks_;
  std::vector<std::uint32_t> buckets_;
  std::uint32_t touched_ = 0;  // places that were ever used
  std::uint32_t in_use_ = 0;
  std::uint32_t oldest_ = kNil;
  std::uint32_t newest_ = kNil;
};

}  // namespace aoe::target
