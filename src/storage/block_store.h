// The contract of every place that holds blocks: files, memory, nothing, and filters over them.
#pragma once

#include "base/prefetch.h"
#include "base/result.h"
#include "base/store_op.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace aoe::storage {

// What a store is and can do. Fixed at open, except size_bytes (see BlockStore::refresh).
struct StoreInfo {
  std::uint64_t size_bytes = 0;              // a multiple of 512
  std::uint32_t physical_block_bytes = 512;  // power of two >= 512: below this, a write reads first
  bool is_read_only = false;
  bool can_discard = false;
  bool discard_reads_zero = false;  // a discarded range reads as zeros, always
  bool can_write_zeroes = false;
  bool is_volatile = false;  // a completed write needs a flush (or Durability::stable) to survive
  bool outlives_process =
      false;  // a completed write survives the end of the process, flushed or not
  bool is_rotational = false;
  // Reads and visible writes complete in the turn that submits them: whatever they use is free
  // soon.
  bool answers_at_once = false;
  // Flushes in flight together of which each tells of every write that it could not make durable.
  // Of more than these one may hear of it in place of another.
  std::uint32_t flushes_at_once = 1;
  std::uint32_t in_flight_max = 0;  // operations it takes at once; the submitter keeps to it
};

// Counters since open; only ever grow.
struct StoreStats {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t flushes = 0;
  std::uint64_t discards = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
  std::uint64_t errors = 0;
  // Of a cache of ours (cache_store.h). The counters above then tell what reached the disk.
  std::uint64_t cache_hits = 0;    // reads of which every sector was there
  std::uint64_t cache_misses = 0;  // reads of which some was not
  std::uint64_t cache_read_ahead_blocks = 0;
  std::uint64_t cache_evictions = 0;   // blocks that made room
  std::uint64_t cache_used_bytes = 0;  // now

  // An operation that ended; bytes that were not moved do not count.
  void count(StoreOpKind kind, std::uint64_t length_bytes, StoreErrc status = StoreErrc::ok) {
    const std::uint64_t moved_bytes = status == StoreErrc::ok ? length_bytes : 0;
    errors += status == StoreErrc::ok ? 0U : 1U;
    switch (kind) {
      case StoreOpKind::read:
        ++reads;
        read_bytes += moved_bytes;
        return;
      case StoreOpKind::write:
        ++writes;
        write_bytes += moved_bytes;
        return;
      case StoreOpKind::flush:
        ++flushes;
        return;
      case StoreOpKind::discard:
      case StoreOpKind::write_zeroes:
        ++discards;
        return;
    }
  }
};

// Takes hints that an operation is submitted soon, so that what it touches comes nearer to the
// processor meanwhile. Both return at once and change nothing.
class Prefetcher {
 public:
  // First what tells where the data are, and a while later the data.
  virtual void prefetch_way(const StoreOp& op) const = 0;
  virtual void prefetch_data(const StoreOp& op) const = 0;
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

 protected:
  Prefetcher() = default;
  ~Prefetcher() = default;  // by who knows the whole store
};

// Asynchronous, batch by batch, single thread. Calls never block on the medium.
//
// Ordering: operations in flight together may execute in any order; who needs an order waits for a
// completion. Every submitted operation completes exactly once. A filter is a BlockStore that owns
// the next one and forwards to it. Shares no line of the cache with another shard's.
class alignas(kCacheLineBytes) BlockStore {
 public:
  virtual ~BlockStore() = default;
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  // "file:/srv/a.img (direct)": for people.
  [[nodiscard]] virtual std::string describe() const = 0;
  [[nodiscard]] virtual const StoreInfo& info() const = 0;
  [[nodiscard]] virtual StoreStats stats() const = 0;

  // Takes all `ops`; the span itself may go after the call, the data it points to may not. The
  // caller has checked range, alignment and capability (no write to a read-only store, no discard
  // where can_discard is false) and keeps at most info().in_flight_max operations in flight.
  virtual void submit(Instant now, std::span<const StoreOp> ops) = 0;

  // Of this store or one below it; nullptr where that would be no use. Lives as long as this store.
  [[nodiscard]] virtual const Prefetcher* prefetcher() const { return nullptr; }

  // Hands out finished operations, at most out.size(); returns how many. Less than out.size() means
  // that no more have finished yet. A store may finish operations inside submit.
  [[nodiscard]] virtual std::size_t poll_completions(Instant now,
                                                     std::span<StoreCompletion> out) = 0;

  // When poll_completions has to be called even if nothing else happens (delays, timers), if ever.
  [[nodiscard]] virtual std::optional<Instant> poll_timeout() const { return std::nullopt; }

  // Work of the store's own goes on: poll_completions has to be called although nothing of the
  // caller's is in flight, and the store may not be destroyed.
  [[nodiscard]] virtual bool is_working() const { return false; }

  // Operations wait, or soon will, for who keeps volumes over the store: for the file of a layer,
  // or for him to go on.
  [[nodiscard]] virtual bool wants_help() const { return false; }

  // Begins nothing of its own any more; is_working() ends when what is under way has ended.
  virtual void stop_working() {}

  // Looks at the backing's size again (it may have grown); updates info().size_bytes and returns
  // it. Waits for the backing: for when somebody asked and wants the answer.
  virtual Result<std::uint64_t> refresh() = 0;

  // The same without waiting, for every second: starts a look, unless one is under way, and returns
  // what the last one found, which info().size_bytes now says, too. A backing that hangs or fails
  // leaves the size as it was.
  virtual std::uint64_t look_at_size() { return info().size_bytes; }

 protected:
  BlockStore() = default;
};

}  // namespace aoe::storage
