#include "storage/overlay_store.h"

#include "base/check.h"
#include "storage/op_kinds.h"
#include "storage/readonly_store.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::storage {

namespace {

// A layered store keeps two operations for itself.
constexpr std::uint32_t kLayerPort = OverlayStore::kPerInitiator + 2;

std::unique_ptr<BlockStore> never_written(std::unique_ptr<BlockStore> base) {
  if (base->info().is_read_only) {
    return base;
  }
  return std::make_unique<ReadonlyStore>(std::move(base));
}

}  // namespace

OverlayStore::OverlayStore(std::unique_ptr<BlockStore> base, std::uint32_t in_flight_max)
    : info_(base->info()),
      shared_(SharedStore::make(never_written(std::move(base)))),
      base_port_(shared_->open_port(in_flight_max)),
      base_(*base_port_),
      records_(in_flight_max),
      done_(in_flight_max) {
  info_.in_flight_max = in_flight_max;
  info_.is_read_only = false;
  info_.answers_at_once = false;
  info_.can_discard = true;
  info_.discard_reads_zero = true;
  info_.can_write_zeroes = true;
  info_.is_volatile = true;
  info_.outlives_process = true;
}

std::string OverlayStore::describe() const {
  return shared_->store().describe() + " + overlays";
}

// ---- operations

void OverlayStore::submit(Instant now, std::span<const StoreOp> ops) {
  now_ = now;
  for (const StoreOp& op : ops) {
    const SlotHandle handle = records_.acquire();
    records_.at(handle) = op;
    stats_.count(op.kind, op.length_bytes);
    begin(handle);
  }
  (void)base_.flush(now);
  for (Slot* slot : busy_) {
    if (slot->lower != nullptr) {
      (void)slot->lower->flush(now);
    }
  }
}

void OverlayStore::begin(SlotHandle handle) {
  if (is_held_) {
    held_.push_back(handle);
    return;
  }
  const StoreOp& op = records_.at(handle);
  auto found = slots_.find(op.initiator);
  if (found == slots_.end()) {
    if (op.kind == StoreOpKind::flush) {
      complete(handle, StoreErrc::ok, 0);  // it has written nothing
      return;
    }
    if (op.kind == StoreOpKind::read) {
      base_.add(op, handle.value);
      return;
    }
    found = slots_.try_emplace(op.initiator).first;
    found->second.phase = OverlayPhase::wanted;
    found->second.is_new = true;
    wanted_.push_back(op.initiator);
  }
  found->second.last_used = now_;
  begin_in(found->second, handle);
}

void OverlayStore::begin_in(Slot& slot, SlotHandle handle) {
  const StoreOp& op = records_.at(handle);
  switch (slot.phase) {
    case OverlayPhase::expected:
      slot.phase = OverlayPhase::wanted;
      slot.is_new = false;
      wanted_.push_back(op.initiator);
      slot.waiting.push_back(handle);
      return;
    case OverlayPhase::wanted:
    case OverlayPhase::closing:
    case OverlayPhase::closed:
      slot.waiting.push_back(handle);
      return;
    case OverlayPhase::open:
      slot.lower->add(op, handle.value);
      mark_busy(slot);
      return;
    case OverlayPhase::refused:
      complete(handle, slot.error, op.offset_bytes);
      return;
  }
}

void OverlayStore::complete(SlotHandle handle, StoreErrc status, std::uint64_t error_offset_bytes) {
  const StoreTag tag = records_.at(handle).tag;
  records_.release(handle);
  stats_.errors += status == StoreErrc::ok ? 0U : 1U;
  done_.push({.tag = tag, .status = status, .error_offset_bytes = error_offset_bytes});
}

void OverlayStore::take(Slot* slot, const LowerDone& done) {
  StoreErrc status = done.completion.status;
  if (slot != nullptr && status == StoreErrc::no_space) {
    slot->is_full = true;
  }
  if (slot != nullptr && status == StoreErrc::sync_failed) {
    // The other layers are sound: this must not look as if the export had failed as a whole. The
    // layer itself refuses all that comes from now on.
    slot->error = StoreErrc::sync_failed;
    status = StoreErrc::io;
  }
  complete(SlotHandle{done.note}, status, done.completion.error_offset_bytes);
}

void OverlayStore::mark_busy(Slot& slot) {
  if (!slot.is_busy) {
    slot.is_busy = true;
    busy_.push_back(&slot);
  }
}

bool OverlayStore::move(Slot& slot) {
  if (slot.lower == nullptr) {
    return false;
  }
  finished_.clear();
  slot.lower->collect(now_, finished_);
  const bool any = !finished_.empty();
  for (const LowerDone& done : finished_) {
    take(&slot, done);
  }
  if (slot.phase == OverlayPhase::closing && slot.lower->outstanding() == 0 &&
      !slot.layered->is_working()) {
    slot.lower.reset();
    slot.layered.reset();
    slot.phase = OverlayPhase::closed;
    return true;
  }
  return slot.lower->flush(now_) || any;
}

std::size_t OverlayStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  now_ = now;
  bool progress = true;
  while (progress) {
    finished_.clear();
    base_.collect(now, finished_);
    progress = !finished_.empty();
    for (const LowerDone& done : finished_) {
      take(nullptr, done);
    }
    progress = base_.flush(now) || progress;
    for (Slot* slot : busy_) {
      progress = move(*slot) || progress;
    }
    if (committer_ != nullptr) {
      std::array<StoreCompletion, 1> none;
      (void)committer_->poll_completions(now, none);
    }
  }
  for (std::size_t i = 0; i < busy_.size();) {
    Slot& slot = *busy_[i];
    if (slot.lower != nullptr && (slot.lower->outstanding() > 0 || slot.layered->is_working())) {
      ++i;
      continue;
    }
    slot.is_busy = false;
    busy_[i] = busy_.back();
    busy_.pop_back();
  }
  return done_.take(out);
}

std::optional<Instant> OverlayStore::poll_timeout() const {
  std::optional<Instant> next = shared_->store().poll_timeout();
  const auto consider = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) {
      next = other;
    }
  };
  for (const Slot* slot : busy_) {
    if (slot->layered != nullptr) {
      consider(slot->layered->poll_timeout());
    }
  }
  if (committer_ != nullptr) {
    consider(committer_->poll_timeout());
  }
  return next;
}

bool OverlayStore::is_working() const {
  return base_.outstanding() > 0 || shared_->store().is_working() ||
         (committer_ != nullptr && committer_->is_working()) ||
         std::any_of(busy_.begin(), busy_.end(), [](const Slot* slot) {
           return slot->lower != nullptr &&
                  (slot->lower->outstanding() > 0 || slot->layered->is_working());
         });
}

void OverlayStore::stop_working() {
  shared_->store().stop_working();
  for (auto& [initiator, slot] : slots_) {
    if (slot.layered != nullptr) {
      slot.layered->stop_working();
    }
  }
  if (committer_ != nullptr) {
    committer_->stop_working();
  }
}

// ---- layers

void OverlayStore::expect(const MacAddress& initiator) {
  (void)slots_.try_emplace(initiator);
}

std::optional<OverlayStore::Wanted> OverlayStore::next_wanted() {
  while (!wanted_.empty()) {
    const MacAddress initiator = wanted_.front();
    wanted_.pop_front();
    const auto found = slots_.find(initiator);
    if (found != slots_.end() && found->second.phase == OverlayPhase::wanted) {
      return Wanted{initiator, found->second.is_new};
    }
  }
  return std::nullopt;
}

void OverlayStore::put(const MacAddress& initiator, OpenedLayer layer) {
  const auto found = slots_.find(initiator);
  AOE_CHECK(found != slots_.end() && found->second.layered == nullptr,
            "a layer is put where one is missing");
  Slot& slot = found->second;
  slot.layered = std::make_unique<LayeredStore>(shared_->open_port(kLayerPort),
                                                LayeredOptions{.when_full = WhenFull::refuse});
  slot.lower = std::make_unique<LowerStore>(*slot.layered);
  slot.layered->attach(std::move(layer));
  slot.phase = OverlayPhase::open;
  slot.error = StoreErrc::ok;
  slot.is_full = false;
  mark_busy(slot);
  restart(slot.waiting);
}

void OverlayStore::refuse(const MacAddress& initiator, StoreErrc status) {
  const auto found = slots_.find(initiator);
  AOE_CHECK(found != slots_.end() && found->second.layered == nullptr,
            "a layer is refused that is not there");
  Slot& slot = found->second;
  std::deque<SlotHandle> waiting;
  waiting.swap(slot.waiting);
  if (slot.phase != OverlayPhase::wanted || !slot.is_new) {
    slot.phase = OverlayPhase::refused;
    slot.error = status;
    restart(waiting);
    return;
  }
  slots_.erase(found);
  std::deque<SlotHandle> others;
  for (const SlotHandle handle : waiting) {
    if (changes_data(records_.at(handle).kind)) {
      complete(handle, status, records_.at(handle).offset_bytes);
    } else {
      others.push_back(handle);
    }
  }
  restart(others);
}

void OverlayStore::close(const MacAddress& initiator) {
  const auto found = slots_.find(initiator);
  if (found == slots_.end()) {
    return;
  }
  Slot& slot = found->second;
  if (slot.phase == OverlayPhase::open) {
    slot.phase = OverlayPhase::closing;
    mark_busy(slot);
  } else if (slot.phase == OverlayPhase::expected || slot.phase == OverlayPhase::refused) {
    slot.phase = OverlayPhase::closed;
  }
}

void OverlayStore::forget(const MacAddress& initiator) {
  const auto found = slots_.find(initiator);
  if (found == slots_.end()) {
    return;
  }
  AOE_CHECK(found->second.layered == nullptr, "a layer that is open is closed first");
  std::deque<SlotHandle> waiting;
  waiting.swap(found->second.waiting);
  std::erase(busy_, &found->second);
  slots_.erase(found);
  restart(waiting);
}

void OverlayStore::restart(std::deque<SlotHandle>& waiting) {
  std::deque<SlotHandle> again;
  again.swap(waiting);
  for (const SlotHandle handle : again) {
    begin(handle);
  }
}

std::optional<OverlayStatus> OverlayStore::status(const MacAddress& initiator) const {
  const auto found = slots_.find(initiator);
  if (found == slots_.end()) {
    return std::nullopt;
  }
  const Slot& slot = found->second;
  OverlayStatus status{.phase = slot.phase,
                       .error = slot.error,
                       .is_full = slot.is_full,
                       .last_used = slot.last_used};
  if (slot.layered != nullptr) {
    const LayerStatus layer = slot.layered->status();
    status.layer_sectors = layer.layer_sectors;
    status.error = layer.layer_error != StoreErrc::ok ? layer.layer_error : slot.error;
  }
  return status;
}

std::vector<MacAddress> OverlayStore::initiators() const {
  std::vector<MacAddress> all;
  all.reserve(slots_.size());
  for (const auto& [initiator, slot] : slots_) {
    all.push_back(initiator);
  }
  return all;
}

// ---- commit

bool OverlayStore::is_quiet() const {
  return base_.outstanding() == 0 &&
         std::all_of(slots_.begin(), slots_.end(), [](const auto& entry) {
           const Slot& slot = entry.second;
           return slot.lower == nullptr ||
                  (slot.lower->outstanding() == 0 && !slot.layered->is_working());
         });
}

void OverlayStore::resume() {
  is_held_ = false;
  restart(held_);
}

}  // namespace aoe::storage
