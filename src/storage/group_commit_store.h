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
//     write down -> completed -> waiting -> covered by a flush in flight -> done
//                                   ^ explicit flushes start here
//
// A flush covers what waited when it was submitted. As many are in flight together as the store
// below allows, at most kFlushesMax: the writes of one reach the disk while another waits for the
// disk's cache, and nobody waits for a flush that came too early. When all are in flight, what
// completes waits for the next one to be free: a busy disk serves ever more writes with each.
//
// What they cover completes in the order in which they began, whichever ends first: an initiator
// takes an answer that others have overtaken for lost, and sends its request again.
//
// A flush that fails fails all it covers with sync_failed, and the store stays that way: the kernel
// reports lost pages once and then forgets them, so a later flush that succeeds proves nothing
// about them. Every stable operation and every flush completes as sync_failed from then on, until
// the store is opened anew. That goes for what a flush covers that was in flight then, too. Reads
// and visible writes still pass.
class GroupCommitStore final : public FilterStore {
 public:
  // next->info().in_flight_max must be at least 2. Flushes have one place in four of them, at least
  // one and at most kFlushesMax.
  explicit GroupCommitStore(std::unique_ptr<BlockStore> next);

  // Counts the operations that were refused or taken back here as errors too.
  [[nodiscard]] StoreStats stats() const override;
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

  // A flush has failed: nothing can be made durable any more.
  [[nodiscard]] bool is_failed() const { return is_failed_; }

 private:
  static constexpr std::uint32_t kFlushesMax = 4;
  static constexpr SlotHandle kNone{0xFFFFFFFF};

  struct Record {
    StoreTag tag{};
    std::uint64_t offset_bytes = 0;
    SlotHandle next = kNone;     // of a list
    SlotHandle covered = kNone;  // of our own flush: the first that it covers
    bool needs_flush = false;
    bool is_our_flush = false;
    bool has_ended = false;  // our own flush, but not one that began before it
  };

  void collect(Instant now);
  void take(const StoreCompletion& completion);
  void append(SlotHandle& first, SlotHandle& last, SlotHandle handle);

  void wait_for_flush(SlotHandle handle) { append(first_waiting_, last_waiting_, handle); }

  void finish_flush(SlotHandle handle, StoreErrc status);
  void finish_list(SlotHandle first, StoreErrc status);
  void refuse(StoreTag tag, std::uint64_t offset_bytes);
  [[nodiscard]] bool start_flush(Instant now);

  SlotTable<Record> records_;  // what is in flight below, or waits for a flush
  std::vector<StoreOp> down_;
  SlotHandle first_waiting_ = kNone;  // for a flush that has not been submitted
  SlotHandle last_waiting_ = kNone;
  SlotHandle first_flush_ = kNone;  // of ours, in the order in which they began
  SlotHandle last_flush_ = kNone;
  std::uint32_t flushes_max_;
  std::uint32_t flushes_ = 0;  // in that list
  CompletionQueue done_;
  std::uint64_t refused_ = 0;
  bool is_failed_ = false;
};

}  // namespace aoe::storage
