// A store with a block cache of our own in front.
#pragma once

#include "storage/block_cache.h"
#include "storage/completion_queue.h"
#include "storage/filter_store.h"
#include "storage/lower_store.h"
#include "storage/read_ahead.h"
#include "storage/slot_table.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::storage {

// Reads that it holds are answered inside submit. Others fill whole blocks first, which the store
// below merges where they lie side by side; sequential readers find what follows already there.
//
// Writes go down at once and as they are, and are answered when the store below answers them: it
// stays the only place where data is. What was written is kept, too.
//
// Exact whatever overlaps: while a change is under way its sectors are not held, and reads of them
// go down; two changes that overlap leave nothing behind, because nobody knows which came last; and
// a block that was being read while one of its sectors changed keeps the others only.
//
//     sector held  --change submitted-->  not held  --change done, nothing else met it-->  held,
//     new
//
// Nobody else may write to what is below.
class CacheStore final : public FilterStore, private Prefetcher {
 public:
  // Errors: no_space (size_bytes are not to be had).
  [[nodiscard]] static Result<std::unique_ptr<CacheStore>> make(std::unique_ptr<BlockStore> next,
                                                                std::uint64_t size_bytes);

  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] StoreStats stats() const override;

  [[nodiscard]] const Prefetcher* prefetcher() const override { return this; }

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

  // Blocks are being fetched, for whomever.
  [[nodiscard]] bool is_working() const override {
    return fills_in_use_ != 0 || next().is_working();
  }

  void stop_working() override {
    may_read_ahead_ = false;
    next().stop_working();
  }

  // What lies behind a new end is forgotten.
  Result<std::uint64_t> refresh() override;
  std::uint64_t look_at_size() override;

 private:
  static constexpr std::uint32_t kNone = BlockCache::kNone;
  // Notes of operations below: a fill's index, or with this bit a request's handle index.
  static constexpr std::uint32_t kRequestNote = 0x80000000;
  static constexpr std::uint32_t kReadAheadFillsMax = 256;
  static constexpr std::uint8_t kAttemptsMax = 3;

  struct Request {
    StoreOp op;
    std::uint32_t next_waiter = kNone;  // for the same fill
    std::uint8_t attempts = 0;
    bool is_overlapped = false;  // a change that met another one
  };

  // A block that is being read.
  struct Fill {
    std::uint32_t place = kNone;
    std::uint32_t waiters = kNone;  // requests, by the index of their handles
    std::uint8_t sectors = 0;       // that are read: all but those behind the end
    std::uint8_t stale = 0;         // those that changed meanwhile
    bool is_read_ahead = false;
  };

  // A change that is under way.
  struct Change {
    std::uint64_t begin_bytes = 0;
    std::uint64_t end_bytes = 0;
    SlotHandle request;
  };

  CacheStore(std::unique_ptr<BlockStore> next, BlockCache cache, std::uint64_t size_bytes);

  void prefetch_way(const StoreOp& op) const override;
  void prefetch_data(const StoreOp& op) const override;
  [[nodiscard]] bool try_answer(const StoreOp& op);
  void begin_read(SlotHandle handle);
  void read_on(SlotHandle handle);
  [[nodiscard]] bool is_held(const StoreOp& op) const;
  [[nodiscard]] bool has_sectors(std::uint32_t place, std::uint8_t sectors) const;
  // Whether it is one more that asked for the blocks, or the one that brought them in.
  enum class Counts : bool { no, yes };
  void copy_out(const StoreOp& op, Counts counts);
  void begin_change(SlotHandle handle);
  void end_change(SlotHandle handle, const StoreCompletion& done);
  void keep(const StoreOp& op);
  void pass_down(SlotHandle handle);
  void finish(SlotHandle handle, StoreErrc status, std::uint64_t error_offset_bytes);

  [[nodiscard]] std::uint32_t start_fill(std::uint64_t block, bool is_read_ahead);
  void end_fill(std::uint32_t index, StoreErrc status);
  void read_ahead(const StoreOp& op);
  // No sector of [begin, end) is held any more, nor becomes so by what is being read now.
  void forget(std::uint64_t begin_bytes, std::uint64_t end_bytes);
  void forget_sectors(std::uint32_t place, std::uint8_t sectors);
  [[nodiscard]] std::uint8_t sectors_changing(std::uint64_t block) const;
  [[nodiscard]] bool is_changing(std::uint64_t begin_bytes, std::uint64_t end_bytes) const;
  void take_size(std::uint64_t before_bytes);

  LowerStore lower_;
  BlockCache cache_;
  std::uint64_t cache_bytes_;
  ReadAhead read_ahead_;
  SlotTable<Request> requests_;
  std::vector<SlotHandle> handles_;  // of requests, by the index in them
  std::vector<Fill> fills_;
  std::vector<std::uint32_t> free_fills_;
  std::vector<Change> changes_;
  std::vector<LowerDone> arrived_;
  std::size_t fills_in_use_ = 0;
  std::uint32_t read_ahead_fills_ = 0;
  bool may_read_ahead_ = true;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t read_ahead_blocks_ = 0;
  CompletionQueue done_;
};

}  // namespace aoe::storage
