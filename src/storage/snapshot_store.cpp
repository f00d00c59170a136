#include "storage/snapshot_store.h"

#include "base/check.h"
#include "storage/readonly_store.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::storage {

namespace {

// A layered store keeps two operations for itself.
constexpr std::uint32_t kLayerPort = SnapshotStore::kPerLayer + 2;

}  // namespace

// What lies below a layer, until that changes.
class SnapshotStore::View final : public FilterStore {
 public:
  View(std::unique_ptr<BlockStore> port, std::shared_ptr<const bool> is_lost)
      : FilterStore(std::move(port)), is_lost_(std::move(is_lost)), refused_(info_.in_flight_max) {}

  void submit(Instant now, std::span<const StoreOp> ops) override {
    if (!*is_lost_) {
      next().submit(now, ops);
      return;
    }
    for (const StoreOp& op : ops) {
      refused_.push(
          {.tag = op.tag, .status = StoreErrc::io, .error_offset_bytes = op.offset_bytes});
    }
  }

  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override {
    const std::size_t count = refused_.take(out);
    const std::size_t more = next().poll_completions(now, out.subspan(count));
    for (StoreCompletion& done : out.subspan(count, more)) {
      if (*is_lost_ && done.status == StoreErrc::ok) {
        done.status = StoreErrc::io;  // it may have been read when it was changing already
      }
    }
    return count + more;
  }

 private:
  std::shared_ptr<const bool> is_lost_;
  CompletionQueue refused_;
};

SnapshotStore::SnapshotStore(std::unique_ptr<BlockStore> base, std::uint32_t in_flight_max)
    : info_(base->info()),
      levels_(1),
      port_([&] {
        levels_[0].hub = SharedStore::make(std::move(base));
        return levels_[0].hub->open_port(in_flight_max);
      }()),
      live_(*port_),
      done_(in_flight_max),
      tags_(in_flight_max) {
  info_.in_flight_max = in_flight_max;
  info_.answers_at_once = false;
  for (std::size_t i = tags_.size(); i > 0; --i) {
    free_.push_back(static_cast<std::uint16_t>(i - 1));
  }
}

std::string SnapshotStore::describe() const {
  return port_->describe();
}

Result<std::uint64_t> SnapshotStore::refresh() {
  if (snapshots() == 0 && !is_taking_) {
    AOE_TRY_ASSIGN(info_.size_bytes, port_->refresh());
  }
  return info_.size_bytes;
}

std::uint64_t SnapshotStore::look_at_size() {
  if (snapshots() == 0 && !is_taking_) {
    info_.size_bytes = port_->look_at_size();
  }
  return info_.size_bytes;
}

// ---- operations

void SnapshotStore::submit(Instant now, std::span<const StoreOp> ops) {
  for (const StoreOp& op : ops) {
    AOE_CHECK(!free_.empty(), "the number of operations in flight is bounded by the submitter");
    const std::uint16_t slot = free_.back();
    free_.pop_back();
    tags_[slot] = op.tag;
    live_.add(op, slot);
  }
  if (!is_held_) {
    (void)live_.flush(now);
  }
}

std::size_t SnapshotStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  bool progress = true;
  while (progress) {
    finished_.clear();
    live_.collect(now, finished_);
    progress = !finished_.empty();
    for (const LowerDone& done : finished_) {
      StoreCompletion completion = done.completion;
      completion.tag = tags_[done.note];
      free_.push_back(static_cast<std::uint16_t>(done.note));
      done_.push(completion);
    }
    progress = step_take() || progress;
    progress = step_levels() || progress;
    progress = (!is_held_ && live_.flush(now)) || progress;
  }
  return done_.take(out);
}

std::optional<Instant> SnapshotStore::poll_timeout() const {
  return port_->poll_timeout();
}

bool SnapshotStore::is_working() const {
  return is_taking_ || levels_.front().hub->store().is_working() ||
         std::any_of(levels_.begin(), levels_.end(), [](const Level& level) {
           return level.is_merged || (level.layered != nullptr && level.layered->is_working());
         });
}

void SnapshotStore::stop_working() {
  levels_.front().hub->store().stop_working();
  for (const Level& level : levels_) {
    if (level.layered != nullptr) {
      level.layered->stop_working();
    }
  }
}

// ---- levels

void SnapshotStore::push_level(OpenedLayer layer) {
  auto layered = std::make_unique<LayeredStore>(
      levels_.back().hub->open_port(kLayerPort),
      LayeredOptions{.when_full = WhenFull::merge,
                     .merge_bytes_per_second = merge_bytes_per_second_});
  LayeredStore* raw = layered.get();
  raw->attach(std::move(layer));
  levels_.push_back({.hub = SharedStore::make(std::move(layered)), .layered = raw});
  reopen_live();
}

void SnapshotStore::pop_level() {
  levels_.pop_back();
  reopen_live();
}

// Nothing is under way in the old one.
void SnapshotStore::reopen_live() {
  auto port = levels_.back().hub->open_port(info_.in_flight_max);
  LowerStore live(*port);
  live_.take_waiting([&live](const StoreOp& op, std::uint32_t note) { live.add(op, note); });
  live_ = std::move(live);
  port_ = std::move(port);
}

void SnapshotStore::put(OpenedLayer layer) {
  AOE_CHECK(live_.outstanding() == 0, "layers that were found are put before anything is asked");
  push_level(std::move(layer));
}

void SnapshotStore::take(OpenedLayer layer) {
  AOE_CHECK(!is_taking_ && !is_held_, "one snapshot at a time");
  is_taking_ = true;
  is_held_ = true;
  take_error_.reset();
  wanted_ = std::move(layer);
}

bool SnapshotStore::step_take() {
  if (!is_taking_) {
    return false;
  }
  if (wanted_) {
    if (!is_quiet()) {
      return false;
    }
    push_level(*std::exchange(wanted_, std::nullopt));
    return true;
  }
  const LayerStatus status = levels_.back().layered->status();
  if (status.phase == LayerPhase::settling) {
    return false;
  }
  if (status.phase == LayerPhase::none) {
    take_error_ = status.attach_error.value_or(StoreErrc::io);
    pop_level();
  }
  is_taking_ = false;
  is_held_ = false;
  return true;
}

bool SnapshotStore::step_levels() {
  bool any = false;
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    Level& level = levels_[i];
    if (!level.is_merged) {
      const LayerStatus status = level.layered->status();
      if (status.is_full || status.phase == LayerPhase::merging) {
        *levels_[i - 1].is_lost = true;
      }
      if (status.phase == LayerPhase::merged) {
        gone_.push_back(level.layered->header().id);
        (void)level.layered->detach();
        level.is_merged = true;
        level.hub->hold();
        any = true;
      }
    }
    if (level.is_merged && level.hub->is_quiet() && !level.layered->is_working()) {
      const Level& below = levels_[i - 1];
      // Views of what lay below have gone; those of what lies above know this level's mark.
      levels_[i - 1].is_lost = level.is_lost;
      below.hub->absorb(*level.hub);
      levels_.erase(levels_.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
  }
  return any;
}

// ---- snapshots

std::unique_ptr<BlockStore> SnapshotStore::open_view(std::size_t snapshot) {
  AOE_CHECK(snapshot < snapshots(), "the caller knows which snapshots there are");
  const Level& level = levels_[snapshot];
  return std::make_unique<ReadonlyStore>(
      std::make_unique<View>(level.hub->open_port(info_.in_flight_max), level.is_lost));
}

LayerStatus SnapshotStore::status(std::size_t snapshot) const {
  return levels_.at(snapshot + 1).layered->status();
}

const LayerHeader& SnapshotStore::header(std::size_t snapshot) const {
  return levels_.at(snapshot + 1).layered->header();
}

void SnapshotStore::remove(std::size_t snapshot) {
  Level& level = levels_.at(snapshot + 1);
  level.layered->set_merge_rate(merge_bytes_per_second_);
  level.layered->begin_merge();
  *levels_[snapshot].is_lost = true;
}

void SnapshotStore::set_merge_rate(std::uint64_t bytes_per_second) {
  merge_bytes_per_second_ = bytes_per_second;
  for (const Level& level : levels_) {
    if (level.layered != nullptr) {
      level.layered->set_merge_rate(bytes_per_second);
    }
  }
}

std::optional<LayerId> SnapshotStore::next_gone() {
  if (gone_.empty()) {
    return std::nullopt;
  }
  const LayerId id = gone_.front();
  gone_.erase(gone_.begin());
  return id;
}

}  // namespace aoe::storage
