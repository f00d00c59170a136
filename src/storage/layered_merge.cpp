// The half of LayeredStore that changes the layer's state, and merges it into the base.
#include "base/check.h"
#include "base/ids.h"
#include "storage/layered_store.h"

#include <algorithm>

namespace aoe::storage {

namespace {

constexpr std::uint32_t kOwnerShift = 24;

bool is_zero(ConstByteSpan bytes) {
  // Compares the bytes with themselves one further on: what begins with a zero and is equal is all
  // zeros.
  return bytes.empty() || (bytes.front() == std::byte{} &&
                           equal_bytes(bytes.first(bytes.size() - 1), bytes.subspan(1)));
}

}  // namespace

void LayeredStore::attach(OpenedLayer layer) {
  AOE_CHECK(!has_layer(), "one layer at a time");
  AOE_CHECK(layer.content.header.base.sectors * kSectorBytes == info_.size_bytes,
            "the caller checked that the layer belongs to the base");
  make_records();
  is_plain_ = false;
  layer_ = std::make_unique<LowerStore>(std::move(layer.file));
  header_ = layer.content.header;
  map_ = std::move(layer.content.map);
  layout_ = layer_layout(header_.base.sectors);
  next_map_block_ = layer.content.next_map_block;
  next_commit_ = layer.content.next_commit;
  room_until_block_ = next_map_block_;
  merge_total_sectors_ = map_.mapped_sectors();
  is_full_ = false;
  merge_error_ = StoreErrc::ok;
  attach_error_.reset();
  settle_header_ = header_;
  ++settle_header_.epoch;
  if (header_.state == LayerState::preparing) {
    settle_header_.state = LayerState::active;
  }
  phase_ = LayerPhase::settling;
  settle_step_ = SettleStep::draining;
}

void LayeredStore::begin_merge() {
  AOE_CHECK(has_layer(), "there is a layer to merge");
  if (phase_ == LayerPhase::merging) {
    merge_next_ = now_;
  } else {
    wants_merge_ = phase_ != LayerPhase::merged;
  }
}

void LayeredStore::set_merge_rate(std::uint64_t bytes_per_second) {
  options_.merge_bytes_per_second = bytes_per_second;
  merge_next_ = now_;
}

std::unique_ptr<BlockStore> LayeredStore::detach() {
  AOE_CHECK(status().phase == LayerPhase::merged, "only a merged layer comes off");
  auto file = layer_->release();
  layer_.reset();
  phase_ = LayerPhase::none;
  map_ = LayerMap{};
  return file;
}

// ---- settling: what was submitted earlier ends, the header becomes durable, the rest goes on

bool LayeredStore::step_settle() {
  if (settle_step_ == SettleStep::idle && wants_merge_ && phase_ == LayerPhase::active &&
      layer_error_ == StoreErrc::ok) {
    wants_merge_ = false;
    settle_header_ = header_;
    settle_header_.state = LayerState::merging;
    phase_ = LayerPhase::settling;
    settle_step_ = SettleStep::draining;
  }
  if (settle_step_ != SettleStep::draining || started_ != 0) {
    return false;
  }
  if (header_.state == LayerState::preparing) {
    // What was acknowledged so far belongs to the base, and has to be there.
    settle_step_ = SettleStep::flushing_base;
    base_.add({.kind = StoreOpKind::flush, .data = {}}, static_cast<std::uint32_t>(Owner::settle)
                                                            << kOwnerShift);
  } else {
    settle_step_ = SettleStep::writing_header;
    write_header(settle_header_);
  }
  return true;
}

// The base was flushed.
void LayeredStore::end_settle(StoreErrc status) {
  if (status != StoreErrc::ok) {
    header_is_written(status);
    return;
  }
  settle_step_ = SettleStep::writing_header;
  write_header(settle_header_);
}

void LayeredStore::write_header(const LayerHeader& wanted) {
  AOE_CHECK(header_step_ == HeaderStep::idle, "one header at a time");
  wanted_header_ = wanted;
  wanted_header_.generation = header_.generation + 1;
  const auto bytes = encode_header(wanted_header_);
  header_buffer_.assign(bytes.begin(), bytes.end());
  header_step_ = HeaderStep::writing;
  submit_layer(StoreOpKind::write, header_offset_bytes(wanted_header_.generation), header_buffer_,
               Owner::header);
}

void LayeredStore::end_header_step(StoreErrc status) {
  if (status == StoreErrc::ok && header_step_ == HeaderStep::writing) {
    header_step_ = HeaderStep::flushing;
    submit_layer(StoreOpKind::flush, 0, {}, Owner::header);
    return;
  }
  header_step_ = HeaderStep::idle;
  header_is_written(status);
}

void LayeredStore::header_is_written(StoreErrc status) {
  const bool is_new = header_.state == LayerState::preparing;
  if (status == StoreErrc::ok) {
    header_ = wanted_header_;
  } else if (!is_new) {
    // The older header is still there, but which of the two counts nobody knows.
    layer_error_ = StoreErrc::sync_failed;
  }
  if (settle_step_ == SettleStep::idle) {
    window_is_marked();
    return;
  }
  settle_step_ = SettleStep::idle;
  if (status != StoreErrc::ok && is_new) {
    attach_error_ = status;
    phase_ = LayerPhase::none;
    layer_.reset();
    map_ = LayerMap{};
  } else {
    phase_ = header_.state == LayerState::active ? LayerPhase::active : LayerPhase::merging;
    merge_total_sectors_ = map_.mapped_sectors();
    merge_next_ = now_;
  }
  restart_waiting();
}

// ---- merging

bool LayeredStore::step_merge(Instant now) {
  if (phase_ != LayerPhase::merging || layer_error_ != StoreErrc::ok) {
    return false;
  }
  if (merge_step_ == MergeStep::locking) {
    if (is_window_busy()) {
      return false;
    }
    read_window();
    return true;
  }
  if (merge_step_ != MergeStep::idle || !can_merge() || now < merge_next_) {
    return false;
  }
  const auto first = map_.next_mapped(header_.merged_until);
  if (first) {
    window_ = {*first, std::min(options_.merge_window_sectors, map_.sectors() - *first)};
    merge_step_ = MergeStep::locking;
    return true;
  }
  if (!unsafe_.empty() || commit_step_ != CommitStep::idle || layer_->outstanding() > 0) {
    return false;
  }
  window_ = {};
  merge_step_ = MergeStep::finishing;
  LayerHeader wanted = header_;
  wanted.state = LayerState::merged;
  wanted.merged_until = map_.sectors();
  write_header(wanted);
  return true;
}

bool LayeredStore::is_window_busy() const {
  return std::any_of(requests_.begin(), requests_.end(), [this](const Request& request) {
    return request.is_started && request.op.kind != StoreOpKind::flush &&
           request.op.offset_bytes < window_.end() * kSectorBytes &&
           request.op.offset_bytes + request.op.length_bytes > window_.first * kSectorBytes;
  });
}

std::vector<SectorExtent> LayeredStore::window_runs() const {
  std::vector<SectorExtent> runs;
  for (std::uint64_t at = window_.first; at < window_.end();) {
    const LayerMap::Run run = map_.run_at({at, window_.end() - at});
    if (run.is_mapped) {
      runs.push_back(run.extent);
    }
    at = run.extent.end();
  }
  return runs;
}

void LayeredStore::read_window() {
  merge_step_ = MergeStep::reading;
  merge_part_error_ = StoreErrc::ok;
  window_buffer_.resize(options_.merge_window_sectors * kSectorBytes);
  for (const SectorExtent& run : window_runs()) {
    const ByteSpan part =
        ByteSpan(window_buffer_)
            .subspan((run.first - window_.first) * kSectorBytes, run.count * kSectorBytes);
    ++merge_parts_;
    submit_layer(StoreOpKind::read, kLayerDataOffsetBytes + run.first * kSectorBytes, part,
                 Owner::merge);
  }
}

void LayeredStore::write_window() {
  merge_step_ = MergeStep::writing;
  for (const SectorExtent& run : window_runs()) {
    const ByteSpan part =
        ByteSpan(window_buffer_)
            .subspan((run.first - window_.first) * kSectorBytes, run.count * kSectorBytes);
    StoreOp op{.kind = StoreOpKind::write,
               .durability = Durability::stable,
               .offset_bytes = run.first * kSectorBytes,
               .length_bytes = part.size(),
               .data = part};
    if (info_.can_discard && info_.discard_reads_zero && is_zero(part)) {
      op.kind = StoreOpKind::discard;
      op.data = {};
    }
    ++merge_parts_;
    base_.add(op, static_cast<std::uint32_t>(Owner::merge) << kOwnerShift);
  }
}

void LayeredStore::end_merge_part(StoreErrc status) {
  if (merge_part_error_ == StoreErrc::ok) {
    merge_part_error_ = status;
  }
  if (--merge_parts_ > 0) {
    return;
  }
  if (merge_part_error_ != StoreErrc::ok) {
    fail_merge(merge_part_error_);
  } else if (merge_step_ == MergeStep::reading) {
    write_window();
  } else {
    merge_step_ = MergeStep::marking;
    LayerHeader wanted = header_;
    wanted.merged_until = window_.end();
    write_header(wanted);
  }
}

// The header that ends a window, or the merge, was written or not.
void LayeredStore::window_is_marked() {
  if (layer_error_ != StoreErrc::ok) {
    fail_merge(layer_error_);
    return;
  }
  merge_error_ = StoreErrc::ok;
  if (merge_step_ == MergeStep::finishing) {
    merge_step_ = MergeStep::idle;
    phase_ = LayerPhase::merged;
    return;
  }
  const std::uint64_t before = map_.mapped_sectors();
  map_.clear(window_);
  const std::uint64_t copied_bytes = (before - map_.mapped_sectors()) * kSectorBytes;
  if (layer_->store().info().can_discard) {
    layer_->add({.kind = StoreOpKind::discard,
                 .offset_bytes = kLayerDataOffsetBytes + window_.first * kSectorBytes,
                 .length_bytes = window_.count * kSectorBytes,
                 .data = {}},
                static_cast<std::uint32_t>(Owner::punch) << kOwnerShift);
  }
  if (options_.merge_bytes_per_second != 0) {
    constexpr std::uint64_t kSecondNs = 1'000'000'000;
    const std::uint64_t pause_ns = copied_bytes * kSecondNs / options_.merge_bytes_per_second;
    merge_next_ = std::max(merge_next_, now_) + Duration{static_cast<std::int64_t>(pause_ns)};
  }
  window_ = {};
  merge_step_ = MergeStep::idle;
  restart_waiting();
}

void LayeredStore::fail_merge(StoreErrc status) {
  merge_error_ = status;
  merge_step_ = MergeStep::idle;
  merge_next_ = now_ + kRetry;
  window_ = {};
  restart_waiting();
}

}  // namespace aoe::storage
