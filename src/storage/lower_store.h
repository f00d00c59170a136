// A store as another one uses it: who gets which completion, and never more at once than it takes.
#pragma once

#include "base/store_op.h"
#include "storage/block_store.h"
#include "storage/slot_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace aoe::storage {

// A completion and the note that its operation was submitted with.
struct LowerDone {
  StoreCompletion completion;
  std::uint32_t note = 0;
};

// Operations beyond the store's bound wait here. Does not own the store.
class LowerStore {
 public:
  explicit LowerStore(BlockStore& store) : store_(&store), notes_(store.info().in_flight_max) {}

  // Owns it.
  explicit LowerStore(std::unique_ptr<BlockStore> store) : LowerStore(*store) {
    owned_ = std::move(store);
  }

  [[nodiscard]] BlockStore& store() { return *store_; }

  [[nodiscard]] const BlockStore& store() const { return *store_; }

  [[nodiscard]] std::unique_ptr<BlockStore> release() { return std::move(owned_); }

  // The tag of `op` is replaced; the note comes back with the completion. Leaves with flush().
  void add(StoreOp op, std::uint32_t note) { queue_.push_back({op, note}); }

  // True if something was submitted.
  bool flush(Instant now) {
    batch_.clear();
    while (next_ < queue_.size() && notes_.used() < notes_.capacity()) {
      const SlotHandle handle = notes_.acquire();
      notes_.at(handle) = queue_[next_].note;
      batch_.push_back(queue_[next_].op);
      batch_.back().tag = StoreTag{handle.value};
      ++next_;
    }
    // Its memory stays: nearly always all of it has left.
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
    if (batch_.empty()) {
      return false;
    }
    store_->submit(now, batch_);
    return true;
  }

  // Appends what has finished.
  void collect(Instant now, std::vector<LowerDone>& out) {
    std::array<StoreCompletion, 32> batch;
    std::size_t count = 0;
    do {
      count = store_->poll_completions(now, batch);
      for (std::size_t i = 0; i < count; ++i) {
        const SlotHandle handle{batch[i].tag.value};
        out.push_back({batch[i], notes_.at(handle)});
        notes_.release(handle);
      }
    } while (count == batch.size());
  }

  // Under way in the store.
  [[nodiscard]] std::size_t submitted() const { return notes_.used(); }

  // Hands what waits here and was not submitted to take(op, note), in order.
  template <class Function>
  void take_waiting(Function take) {
    for (const Queued& queued : std::exchange(queue_, {})) {
      take(queued.op, queued.note);
    }
  }

  // Submitted or waiting here.
  [[nodiscard]] std::size_t outstanding() const { return notes_.used() + queue_.size(); }

 private:
  struct Queued {
    StoreOp op;
    std::uint32_t note = 0;
  };

  BlockStore* store_;
  std::unique_ptr<BlockStore> owned_;
  SlotTable<std::uint32_t> notes_;
  std::vector<Queued> queue_;
  std::size_t next_ = 0;  // of the queue, to be submitted
  std::vector<StoreOp> batch_;
};

}  // namespace aoe::storage
