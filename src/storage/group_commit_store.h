// Durable writes at the price of one flush for many.
#pragma once

#include "storage/completion_queue.h"
#include "storage/filter_store.h"
#include "storage/slot_table.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::storage {

// Gives Durability::stable over a volatile store. A stable operation goes down as a visible one;
// when it has completed it joins those that wait for a flush, and completes with them when that
// flush has:
//
//     write down -> completed -> waiting -> covered by the flush in flight -> done
//                                   ^ explicit flushes start here
//
// One flush is in flight at a time, and it covers what waited when it was submitted: what completes
// while it runs waits for the next one. A busy disk thus serves ever more writes with each flush.
//
// A flush that fails fails all it covers with sync_failed, and the store stays that way: the kernel
// reports lost pages once and then forgets them, so a later flush that succeeds proves nothing
// about them. Every stable operation and every flush completes as sync_failed from then on, until
// the store is opened anew. Reads and visible writes still pass.
class GroupCommitStore final : public FilterStore {
 public:
  // next->info().in_flight_max must be at least 2: one place is for the flush.
  explicit GroupCommitStore(std::unique_ptr<BlockStore> next);

  // Counts the operations that were refused or taken back here as errors too.
  [[nodiscard]] StoreStats stats() const override;
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

  // A flush has failed: nothing can be made durable any more.
  [[nodiscard]] bool is_failed() const { return is_failed_; }

 private:
  struct Record {
    StoreTag tag{};
    std::uint64_t offset_bytes = 0;
    bool needs_flush = false;
    bool is_our_flush = false;
  };

  void collect(Instant now);
  void take(const StoreCompletion& completion);
  void finish_flush(StoreErrc status);
  void refuse(StoreTag tag, std::uint64_t offset_bytes);
  [[nodiscard]] bool start_flush(Instant now);

  struct Waiting {
    StoreTag tag{};
    std::uint64_t offset_bytes = 0;
  };

  SlotTable<Record> records_;  // what is in flight below
  std::vector<StoreOp> down_;
  std::vector<Waiting> waiting_;  // for a flush that has not been submitted
  std::vector<Waiting> covered_;  // by the flush in flight
  CompletionQueue done_;
  std::uint64_t refused_ = 0;
  bool is_flushing_ = false;
  bool is_failed_ = false;
};

}  // namespace aoe::storage
