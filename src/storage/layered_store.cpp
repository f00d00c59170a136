#include "storage/layered_store.h"

#include "base/check.h"
#include "base/ids.h"
#include "storage/op_kinds.h"

#include <algorithm>

namespace aoe::storage {

namespace {

// The base below takes the merge's flush and copy besides what we let in.
constexpr std::uint32_t kOwnOperations = 2;

constexpr SectorExtent extent_of(const StoreOp& op) {
  return {op.offset_bytes / kSectorBytes, op.length_bytes / kSectorBytes};
}

constexpr bool overlap(const SectorExtent& a, const SectorExtent& b) {
  return a.first < b.end() && b.first < a.end();
}

constexpr std::uint32_t kOwnerShift = 24;

}  // namespace

LayeredStore::LayeredStore(std::unique_ptr<BlockStore> base, const LayeredOptions& options)
    : FilterStore(std::move(base)),
      options_(options),
      base_(next()),
      done_(info_.in_flight_max - kOwnOperations) {
  AOE_CHECK(info_.in_flight_max > kOwnOperations && info_.in_flight_max <= 0xFFFFU,
            "a layered store needs some operations for itself");
  info_.in_flight_max -= kOwnOperations;
}

void LayeredStore::make_records() {
  if (requests_.empty()) {
    requests_.resize(info_.in_flight_max);
    for (std::size_t i = requests_.size(); i > 0; --i) {
      free_.push_back(static_cast<std::uint16_t>(i - 1));
    }
  }
}

std::string LayeredStore::describe() const {
  return next().describe() + (has_layer() ? " + " + layer_->store().describe() : "");
}

Result<std::uint64_t> LayeredStore::refresh() {
  return has_layer() ? Result<std::uint64_t>(info_.size_bytes) : FilterStore::refresh();
}

std::uint64_t LayeredStore::look_at_size() {
  return has_layer() ? info_.size_bytes : FilterStore::look_at_size();
}

LayerStatus LayeredStore::status() const {
  // A flush that came in the last moment may still be under way in a layer that is empty.
  const bool is_quiet =
      phase_ != LayerPhase::merged ||
      (unsafe_.empty() && commit_step_ == CommitStep::idle && layer_->outstanding() == 0);
  return {.phase = is_quiet ? phase_ : LayerPhase::merging,
          .layer_sectors = map_.mapped_sectors(),
          .merge_total_sectors = merge_total_sectors_,
          .merge_position = header_.merged_until,
          .is_full = is_full_,
          .merge_error = merge_error_,
          .layer_error = layer_error_,
          .attach_error = attach_error_};
}

// ---- the turn

// Whether operations go straight to the base. Its completions then carry tags of the submitter's:
// none of ours may be among them.
bool LayeredStore::passes() const {
  return phase_ == LayerPhase::none && base_.outstanding() == 0 && waiting_.empty();
}

// The last layer has come off, and what was begun under it has ended.
void LayeredStore::pass_waiting(Instant now) {
  std::vector<StoreOp> ops;
  for (const std::uint16_t slot : waiting_) {
    ops.push_back(requests_[slot].op);
    free_.push_back(slot);
  }
  waiting_.clear();
  passed_ += static_cast<std::uint32_t>(ops.size());
  next().submit(now, ops);
}

std::size_t LayeredStore::poll_passed(Instant now, std::span<StoreCompletion> out) {
  const std::size_t count = next().poll_completions(now, out);
  AOE_CHECK(count <= passed_, "the base completes what it was given, once");
  passed_ -= static_cast<std::uint32_t>(count);
  return count;
}

void LayeredStore::submit(Instant now, std::span<const StoreOp> ops) {
  now_ = now;
  info_.answers_at_once = next().info().answers_at_once && !has_layer();
  if (is_plain_ || passes()) {
    passed_ += static_cast<std::uint32_t>(ops.size());
    next().submit(now, ops);
    return;
  }
  for (const StoreOp& op : ops) {
    AOE_CHECK(!free_.empty(), "the number of operations in flight is bounded by the submitter");
    const std::uint16_t slot = free_.back();
    free_.pop_back();
    requests_[slot] = {.op = op};
    begin(slot);
  }
  (void)base_.flush(now);
  if (has_layer()) {
    (void)layer_->flush(now);
  }
}

std::size_t LayeredStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  now_ = now;
  if (is_plain_) {
    return poll_passed(now, out);
  }
  // What had no room the last time, also when the layer has gone since.
  std::size_t count = done_.take(out);
  if (passed_ > 0 || passes()) {
    count += poll_passed(now, out.subspan(count));
    // A layer that comes meanwhile settles only when all of those have ended.
    if (passed_ > 0 || phase_ == LayerPhase::none) {
      is_plain_ = passes() && done_.size() == 0 && !has_work_of_its_own();
      return count;
    }
  }
  bool progress = true;
  while (progress) {
    finished_.clear();
    base_.collect(now, finished_);
    progress = !finished_.empty();
    for (const LowerDone& done : finished_) {
      take(base_, done);
    }
    if (has_layer()) {
      finished_.clear();
      layer_->collect(now, finished_);
      progress = progress || !finished_.empty();
      for (const LowerDone& done : finished_) {
        take(*layer_, done);
      }
    }
    progress = step_settle() || progress;
    progress = step_commit() || progress;
    progress = step_merge(now) || progress;
    progress = base_.flush(now) || progress;
    progress = (has_layer() && layer_->flush(now)) || progress;
  }
  count += done_.take(out.subspan(count));
  if (phase_ == LayerPhase::none && base_.outstanding() == 0 && !waiting_.empty()) {
    pass_waiting(now);
    count += poll_passed(now, out.subspan(count));
  }
  return count;
}

std::optional<Instant> LayeredStore::poll_timeout() const {
  std::optional<Instant> next_look = next().poll_timeout();
  if (is_plain_) {
    return next_look;
  }
  const auto consider = [&next_look](std::optional<Instant> other) {
    if (other && (!next_look || *other < *next_look)) {
      next_look = other;
    }
  };
  if (has_layer()) {
    consider(layer_->store().poll_timeout());
  }
  // What is due already waits for a completion from below, which wakes us anyway.
  if (can_merge() && merge_step_ == MergeStep::idle && merge_next_ > now_) {
    consider(merge_next_);
  }
  return next_look;
}

bool LayeredStore::is_working() const {
  return passed_ > 0 || FilterStore::is_working() || (!is_plain_ && has_work_of_its_own());
}

bool LayeredStore::has_work_of_its_own() const {
  return settle_step_ != SettleStep::idle || header_step_ != HeaderStep::idle ||
         commit_step_ != CommitStep::idle || merge_step_ != MergeStep::idle || wants_merge_ ||
         can_merge() || base_.outstanding() > 0 || (has_layer() && layer_->outstanding() > 0);
}

bool LayeredStore::can_merge() const {
  return phase_ == LayerPhase::merging && layer_error_ == StoreErrc::ok && !is_stopped_;
}

void LayeredStore::take(LowerStore& lower, const LowerDone& done) {
  const auto owner = static_cast<Owner>(done.note >> kOwnerShift);
  const StoreErrc status = done.completion.status;
  switch (owner) {
    case Owner::request:
      end_part(static_cast<std::uint16_t>(done.note), done.completion,
               &lower == &base_ ? 0 : kLayerDataOffsetBytes);
      return;
    case Owner::settle:
      end_settle(status);
      return;
    case Owner::header:
      end_header_step(status);
      return;
    case Owner::commit:
      end_commit_step(status);
      return;
    case Owner::merge:
      end_merge_part(status);
      return;
    case Owner::punch:
      return;  // space that does not come back now comes back with the file
  }
}

void LayeredStore::submit_layer(StoreOpKind kind, std::uint64_t offset_bytes, ByteSpan data,
                                Owner owner) {
  layer_->add(
      {.kind = kind, .offset_bytes = offset_bytes, .length_bytes = data.size(), .data = data},
      static_cast<std::uint32_t>(owner) << kOwnerShift);
}

// ---- requests

bool LayeredStore::must_wait(const StoreOp& op) const {
  if (settle_step_ != SettleStep::idle || phase_ == LayerPhase::none) {
    return true;
  }
  return merge_step_ != MergeStep::idle && merge_step_ != MergeStep::finishing &&
         op.kind != StoreOpKind::flush && overlap(extent_of(op), window_);
}

void LayeredStore::begin(std::uint16_t slot) {
  Request& request = requests_[slot];
  if (must_wait(request.op)) {
    waiting_.push_back(slot);
    return;
  }
  request.is_started = true;
  request.touches_layer = false;
  request.was_active = phase_ == LayerPhase::active;
  request.status = StoreErrc::ok;
  request.parts_left = 1;  // ours, until all parts are added
  ++started_;
  switch (request.op.kind) {
    case StoreOpKind::read:
      begin_read(slot);
      break;
    case StoreOpKind::flush:
      begin_flush(slot);
      break;
    case StoreOpKind::write:
    case StoreOpKind::discard:
    case StoreOpKind::write_zeroes:
      begin_change(slot);
      break;
  }
  end_part(slot, {}, 0);
}

void LayeredStore::begin_read(std::uint16_t slot) {
  const SectorExtent all = extent_of(requests_[slot].op);
  if (!has_layer()) {
    add_part(slot, base_, all);
    return;
  }
  for (std::uint64_t at = all.first; at < all.end();) {
    const LayerMap::Run run = map_.run_at({at, all.end() - at});
    add_part(slot, run.is_mapped ? *layer_ : base_, run.extent);
    at = run.extent.end();
  }
}

void LayeredStore::begin_change(std::uint16_t slot) {
  Request& request = requests_[slot];
  const SectorExtent all = extent_of(request.op);
  if (!has_layer()) {
    add_part(slot, base_, all);
  } else if (layer_error_ != StoreErrc::ok) {
    request.status = layer_error_;
    request.error_offset_bytes = request.op.offset_bytes;
  } else if (phase_ == LayerPhase::active) {
    request.touches_layer = true;
    add_part(slot, *layer_, all);
  } else {
    for (std::uint64_t at = all.first; at < all.end();) {
      const LayerMap::Run run = map_.run_at({at, all.end() - at});
      request.touches_layer = request.touches_layer || run.is_mapped;
      add_part(slot, run.is_mapped ? *layer_ : base_, run.extent);
      at = run.extent.end();
    }
  }
}

void LayeredStore::begin_flush(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.touches_layer = has_layer() && phase_ != LayerPhase::merged;
  if (layer_error_ != StoreErrc::ok) {
    request.status = layer_error_;
  } else if (phase_ != LayerPhase::active) {
    add_part(slot, base_, {});
  }
}

void LayeredStore::add_part(std::uint16_t slot, LowerStore& lower, const SectorExtent& extent) {
  Request& request = requests_[slot];
  StoreOp part = request.op;
  const bool is_layer = &lower != &base_;
  if (part.kind != StoreOpKind::flush) {
    const std::uint64_t offset_bytes = extent.first * kSectorBytes;
    if (moves_data(part.kind)) {
      part.data = part.data.subspan(offset_bytes - part.offset_bytes, extent.count * kSectorBytes);
    }
    part.offset_bytes = offset_bytes + (is_layer ? kLayerDataOffsetBytes : 0);
    part.length_bytes = extent.count * kSectorBytes;
  }
  if (is_layer) {
    part.durability = Durability::visible;
    // In a layer, a discarded sector has to read as zeros: it hides what the base has.
    if (part.kind == StoreOpKind::discard && !lower.store().info().discard_reads_zero) {
      part.kind = StoreOpKind::write_zeroes;
    }
  }
  ++request.parts_left;
  lower.add(part, slot);
}

void LayeredStore::end_part(std::uint16_t slot, const StoreCompletion& done,
                            std::uint64_t shift_bytes) {
  Request& request = requests_[slot];
  if (done.status != StoreErrc::ok && request.status == StoreErrc::ok) {
    request.status = done.status;
    request.error_offset_bytes =
        std::max(request.op.offset_bytes,
                 done.error_offset_bytes - std::min(done.error_offset_bytes, shift_bytes));
  }
  if (--request.parts_left == 0) {
    end_parts(slot);
  }
}

void LayeredStore::end_parts(std::uint16_t slot) {
  Request& request = requests_[slot];
  request.is_started = false;
  --started_;
  const bool changes = changes_data(request.op.kind);
  if (request.status == StoreErrc::no_space && changes && request.was_active &&
      options_.when_full == WhenFull::merge) {
    // Nobody has been told anything yet: once the base takes writes, it takes this one.
    is_full_ = true;
    wants_merge_ = true;
    waiting_.push_back(slot);
    return;
  }
  if (request.status != StoreErrc::ok) {
    complete(slot, request.status, request.error_offset_bytes);
    return;
  }
  // The map has to be there before anybody knows of a write, also of one that need not be stable:
  // otherwise the end of this process would lose it, and a power cut could leave a hole.
  bool needs_commit =
      request.touches_layer && (request.op.kind == StoreOpKind::flush ||
                                (changes && request.op.durability == Durability::stable));
  if (changes && request.touches_layer && request.was_active && request.op.length_bytes > 0) {
    const SectorExtent extent = extent_of(request.op);
    const LayerMap::Run run = map_.run_at(extent);
    if (!run.is_mapped || run.extent.count != extent.count) {
      map_.set(extent);
      dirty_.push_back(extent);
      needs_commit = true;
    }
  }
  if (needs_commit && layer_error_ != StoreErrc::ok) {
    complete(slot, layer_error_, request.op.offset_bytes);
  } else if (needs_commit) {
    unsafe_.push_back(slot);
  } else {
    complete(slot, StoreErrc::ok, 0);
  }
}

void LayeredStore::complete(std::uint16_t slot, StoreErrc status,
                            std::uint64_t error_offset_bytes) {
  done_.push(
      {.tag = requests_[slot].op.tag, .status = status, .error_offset_bytes = error_offset_bytes});
  free_.push_back(slot);
}

void LayeredStore::restart_waiting() {
  std::deque<std::uint16_t> again;
  again.swap(waiting_);
  for (const std::uint16_t slot : again) {
    begin(slot);
  }
}

}  // namespace aoe::storage
