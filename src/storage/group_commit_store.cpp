#include "storage/group_commit_store.h"

#include "storage/op_kinds.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::storage {

GroupCommitStore::GroupCommitStore(std::unique_ptr<BlockStore> next)
    : FilterStore(std::move(next)),
      records_(info_.in_flight_max),
      flushes_max_(std::min({info_.flushes_at_once, kFlushesMax, info_.in_flight_max / 4})),
      done_(info_.in_flight_max) {
  AOE_CHECK(info_.in_flight_max >= 2, "a write and its flush are two operations");
  flushes_max_ = std::max(flushes_max_, 1U);
  info_.in_flight_max -= flushes_max_;
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
    const SlotHandle handle = records_.acquire();
    records_.at(handle) = {
        .tag = op.tag, .offset_bytes = op.offset_bytes, .needs_flush = is_stable};
    if (op.kind == StoreOpKind::flush) {
      wait_for_flush(handle);
      continue;
    }
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
  if (completion.status == StoreErrc::ok && record.needs_flush && !is_failed_) {
    wait_for_flush(handle);
    return;
  }
  if (record.is_our_flush) {
    finish_flush(handle, completion.status);
    return;
  }
  records_.release(handle);
  if (completion.status != StoreErrc::ok || !record.needs_flush) {
    done_.push({.tag = record.tag,
                .status = completion.status,
                .error_offset_bytes = completion.error_offset_bytes});
  } else {
    refuse(record.tag, record.offset_bytes);
  }
}

void GroupCommitStore::append(SlotHandle& first, SlotHandle& last, SlotHandle handle) {
  (last.value == kNone.value ? first : records_.at(last).next) = handle;
  last = handle;
}

void GroupCommitStore::finish_flush(SlotHandle handle, StoreErrc status) {
  Record& flush = records_.at(handle);
  flush.has_ended = true;
  if (status != StoreErrc::ok) {
    is_failed_ = true;
  }
  if (is_failed_) {
    // Bad news need not wait for their turn.
    finish_list(std::exchange(flush.covered, kNone), StoreErrc::sync_failed);
    finish_list(first_waiting_, StoreErrc::sync_failed);
    first_waiting_ = last_waiting_ = kNone;
  }
  while (first_flush_.value != kNone.value && records_.at(first_flush_).has_ended) {
    const Record oldest = records_.at(first_flush_);
    records_.release(first_flush_);
    --flushes_;
    first_flush_ = oldest.next;
    last_flush_ = first_flush_.value == kNone.value ? kNone : last_flush_;
    finish_list(oldest.covered, is_failed_ ? StoreErrc::sync_failed : StoreErrc::ok);
  }
}

void GroupCommitStore::finish_list(SlotHandle first, StoreErrc status) {
  while (first.value != kNone.value) {
    const Record record = records_.at(first);
    records_.release(first);
    first = record.next;
    if (status == StoreErrc::ok) {
      done_.push({.tag = record.tag});
    } else {
      refuse(record.tag, record.offset_bytes);
    }
  }
}

void GroupCommitStore::refuse(StoreTag tag, std::uint64_t offset_bytes) {
  ++refused_;
  done_.push({.tag = tag, .status = StoreErrc::sync_failed, .error_offset_bytes = offset_bytes});
}

// True if a flush was submitted.
bool GroupCommitStore::start_flush(Instant now) {
  if (first_waiting_.value == kNone.value || flushes_ == flushes_max_) {
    return false;
  }
  ++flushes_;
  const SlotHandle handle = records_.acquire();
  records_.at(handle) = {.covered = first_waiting_, .is_our_flush = true};
  append(first_flush_, last_flush_, handle);
  first_waiting_ = last_waiting_ = kNone;
  const StoreOp flush{.tag = StoreTag{handle.value}, .kind = StoreOpKind::flush, .data = {}};
  next().submit(now, std::span(&flush, 1));
  return true;
}

}  // namespace aoe::storage
