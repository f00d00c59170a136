#include "storage/group_commit_store.h"

#include "storage/op_kinds.h"

#include <array>

namespace aoe::storage {

GroupCommitStore::GroupCommitStore(std::unique_ptr<BlockStore> next)
    : FilterStore(std::move(next)), records_(info_.in_flight_max), done_(info_.in_flight_max) {
  AOE_CHECK(info_.in_flight_max >= 2, "a write and its flush are two operations");
  down_.reserve(info_.in_flight_max);
  waiting_.reserve(info_.in_flight_max);
  covered_.reserve(info_.in_flight_max);
  --info_.in_flight_max;
}

StoreStats GroupCommitStore::stats() const {
  StoreStats stats = next().stats();
  stats.errors += refused_;
  return stats;
}

void GroupCommitStore::submit(Instant now, std::span<const StoreOp> ops) {
  down_.clear();
  for (const StoreOp& op : ops) {
    const bool is_stable = changes_data(op.kind) && op.durability == Durability::stable;
    if ((is_stable || op.kind == StoreOpKind::flush) && is_failed_) {
      refuse(op.tag, op.offset_bytes);
      continue;
    }
    if (op.kind == StoreOpKind::flush) {
      waiting_.push_back({op.tag, op.offset_bytes});
      continue;
    }
    const SlotHandle handle = records_.acquire();
    records_.at(handle) = {
        .tag = op.tag, .offset_bytes = op.offset_bytes, .needs_flush = is_stable};
    StoreOp forwarded = op;
    forwarded.tag = StoreTag{handle.value};
    forwarded.durability = Durability::visible;
    down_.push_back(forwarded);
  }
  if (!down_.empty()) {
    next().submit(now, down_);
  }
  // An explicit flush need not wait for the next poll.
  (void)start_flush(now);
}

std::size_t GroupCommitStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  // A store that works inside submit has finished the flush at once, hence the second look.
  do {
    collect(now);
  } while (start_flush(now));
  return done_.take(out);
}

void GroupCommitStore::collect(Instant now) {
  std::array<StoreCompletion, 32> batch;
  std::size_t count = 0;
  do {
    count = next().poll_completions(now, batch);
    for (std::size_t i = 0; i < count; ++i) {
      take(batch[i]);
    }
  } while (count == batch.size());
}

void GroupCommitStore::take(const StoreCompletion& completion) {
  const SlotHandle handle{completion.tag.value};
  const Record record = records_.at(handle);
  records_.release(handle);
  if (record.is_our_flush) {
    finish_flush(completion.status);
  } else if (completion.status != StoreErrc::ok || !record.needs_flush) {
    done_.push({.tag = record.tag,
                .status = completion.status,
                .error_offset_bytes = completion.error_offset_bytes});
  } else if (is_failed_) {
    refuse(record.tag, record.offset_bytes);
  } else {
    waiting_.push_back({record.tag, record.offset_bytes});
  }
}

void GroupCommitStore::finish_flush(StoreErrc status) {
  is_flushing_ = false;
  if (status == StoreErrc::ok) {
    for (const Waiting& covered : covered_) {
      done_.push({.tag = covered.tag});
    }
    covered_.clear();
    return;
  }
  is_failed_ = true;
  for (const Waiting& covered : covered_) {
    refuse(covered.tag, covered.offset_bytes);
  }
  covered_.clear();
  for (const Waiting& waiting : waiting_) {
    refuse(waiting.tag, waiting.offset_bytes);
  }
  waiting_.clear();
}

void GroupCommitStore::refuse(StoreTag tag, std::uint64_t offset_bytes) {
  ++refused_;
  done_.push({.tag = tag, .status = StoreErrc::sync_failed, .error_offset_bytes = offset_bytes});
}

// True if a flush was submitted.
bool GroupCommitStore::start_flush(Instant now) {
  if (is_flushing_ || waiting_.empty()) {
    return false;
  }
  covered_.swap(waiting_);
  is_flushing_ = true;
  const SlotHandle handle = records_.acquire();
  records_.at(handle) = {.is_our_flush = true};
  const StoreOp flush{.tag = StoreTag{handle.value}, .kind = StoreOpKind::flush, .data = {}};
  next().submit(now, std::span(&flush, 1));
  return true;
}

}  // namespace aoe::storage
