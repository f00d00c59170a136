#include "sim/actors/target_host.h"

#include "base/check.h"
#include "target/persistent_state.h"

#include <utility>

namespace aoe::sim {
TargetHost::TargetHost(World& world, const TargetHostOptions& options)
    : Station(world, options.drift_ppm), options_(options) {
  finished_while_paused_.reserve(options.limits.requests_max);
}

// The disks must not write into buffers that are gone.
TargetHost::~TargetHost() {
  for (const Served& served : exports_) {
    served.disk->set_observer(nullptr);
    served.disk->set_user(nullptr);
    served.disk->process_died(world().now());
  }
}

void TargetHost::add_export(const target::ExportSettings& settings, SimDisk& disk,
                            std::uint32_t disk_id) {
  disk.set_user(this);
  exports_.push_back(
      {.settings = settings, .disk = &disk, .disk_id = disk_id, .id = {}, .saved = {}});
}

void TargetHost::start() {
  Prng prng = world().fork(stream(StreamKind::target, options_.index << 16U | lives_));
  ++lives_;
  pool_ = std::make_unique<BufferPool>(
      BufferPool::Shape{.count = options_.buffers, .frame_bytes = options_.frame_bytes});
  core_ = std::make_unique<target::TargetCore>(options_.limits, *pool_, prng);
  set_powered(true);
  for (std::size_t i = 0; i < port_count(); ++i) {
    const PortId port{static_cast<std::uint8_t>(i)};
    core_->handle_port(local_now(), port, port_info(port));
  }
  for (Served& served : exports_) {
    target::PersistentState state;
    if (!served.saved.empty()) {
      auto decoded = target::decode_state(served.settings.address, served.saved);
      AOE_CHECK(decoded.has_value(), "a state that was saved can be read");
      state = std::move(*decoded);
    }
    target::ExportSettings settings = served.settings;
    // What the daemon does when it finds that its last life did not end in order.
    settings.cache_epoch = 1 + power_cuts_;
    if (lives_ > 1) {
      settings.hold_plain_writes = options_.limits.frame_life;
    }
    const auto added = core_->add_export(local_now(), settings, std::move(state));
    AOE_CHECK(added.has_value(), "the simulator exports what can be exported");
    served.id = *added;
  }
  settle();
}

TargetHost::Served* TargetHost::served_by(ExportId id) {
  for (Served& served : exports_) {
    if (served.id == id) {
      return &served;
    }
  }
  return nullptr;
}

bool TargetHost::submit_some() {
  const std::size_t count = core_->poll_store_ops(ops_);
  for (const target::ExportStoreOp& out : std::span(ops_).first(count)) {
    const Served* served = served_by(out.export_id);
    AOE_CHECK(served != nullptr, "operations are for exports that are served");
    if (observer_ != nullptr) {
      observer_->on_store_op(world().now(), served->disk_id, out.op);
    }
    served->disk->submit(world().now(), out.op);
  }
  return count != 0;
}

bool TargetHost::send_some() {
  const std::size_t count = core_->poll_transmit(frames_);
  for (target::TxFrame& out : std::span(frames_).first(count)) {
    const ConstByteSpan bytes = std::as_const(out.frame).bytes();
    if (observer_ != nullptr) {
      observer_->on_target_frame(world().now(), options_.index, bytes);
    }
    transmit(out.port, bytes);
    out.frame.reset();
  }
  return count != 0;
}

void TargetHost::settle() {
  if (core_ == nullptr || !runs()) {
    return;
  }
  bool busy = true;
  while (busy) {
    busy = submit_some();
    while (std::optional<target::StateSave> save = core_->poll_state_save()) {
      begin_save(std::move(*save));
    }
    busy = send_some() || busy;
  }
  while (core_->poll_events({&event_, 1}) != 0) {
    note_event(event_);
    if (observer_ != nullptr) {
      observer_->on_target_event(world().now(), options_.index, event_);
    }
  }
  wake_at(core_->poll_timeout());
}

// --- inputs ---

void TargetHost::on_frame(PortId port, PacketBuffer frame) {
  if (core_ != nullptr) {
    core_->handle_frame(local_now(), port, std::move(frame));
    settle();
  }
}

void TargetHost::on_port(PortId port, const PortInfo& info) {
  if (core_ != nullptr) {
    core_->handle_port(local_now(), port, info);
    settle();
  }
}

void TargetHost::on_wake() {
  if (core_ != nullptr) {
    core_->handle_timeout(local_now());
    settle();
  }
}

void TargetHost::handle_disk_done(Instant /*now*/, std::uint32_t /*disk*/,
                                  const StoreCompletion& done) {
  if (!runs()) {
    finished_while_paused_.push_back(done);
    return;
  }
  core_->handle_store_done(local_now(), done);
  settle();
}

void TargetHost::on_resume() {
  for (const StoreCompletion& done : finished_while_paused_) {
    core_->handle_store_done(local_now(), done);
  }
  finished_while_paused_.clear();
  settle();
}

// --- state ---

void TargetHost::begin_save(target::StateSave save) {
  std::size_t place = 0;
  while (place < saving_.size() && saving_[place].in_use) {
    ++place;
  }
  if (place == saving_.size()) {
    saving_.emplace_back();
  }
  const Served* served = served_by(save.export_id);
  AOE_CHECK(served != nullptr, "states are of exports that are served");
  saving_[place] = {.in_use = true,
                    .id = save.export_id,
                    .index = static_cast<std::size_t>(served - exports_.data()),
                    .generation = save.generation,
                    .bytes = std::move(save.bytes)};
  world().events().schedule(world().now() + options_.save_time, *this, kSaved,
                            lives_ << 32U | place);
}

void TargetHost::finish_save(std::size_t place) {
  Saving& saving = saving_[place];
  saving.in_use = false;
  Served& served = exports_[saving.index];
  served.saved = std::move(saving.bytes);
  ++served.saves;
  if (core_ != nullptr) {
    core_->handle_state_saved(local_now(), saving.id, saving.generation,
                              target::StateKeeper::Saved::yes);
    settle();
  }
}

// --- faults ---

void TargetHost::note_event(const target::TargetEvent& event) {
  switch (event.kind) {
    case target::EventKind::backend_stalled:
      ++past_.stalls;
      break;
    case target::EventKind::export_failed:
      ++past_.failures;
      break;
    case target::EventKind::address_conflict:
    case target::EventKind::foreign_target:
      ++past_.conflicts;
      break;
    case target::EventKind::reservation_changed:
      ++past_.reservations;
      break;
    default:
      break;
  }
}

TargetTotals TargetHost::totals() const {
  TargetTotals total = past_;
  total.restarts = lives_ - 1;
  if (core_ != nullptr) {
    const target::DropCounters drops = core_->stats().drops;
    total.queue_full += drops.queue_full;
    total.rate_limited += drops.rate_limited;
    total.change_pending += drops.change_pending;
    total.late_changes += drops.late_change;
    total.clocks_learned += core_->stats().clocks_learned;
    total.clocks_lost += core_->stats().clocks_lost;
    for (const target::Export* served : core_->exports()) {
      total.range_waits += served->stats.waits;
      const target::SealCounters& seal = served->stats.seal;
      total.copies_executing += seal.duplicates_executing;
      total.copies_answered += seal.duplicates_answered;
      total.copies_stale += seal.stale;
      total.renews += seal.renews;
      total.hellos_refused += seal.hellos_refused;
      total.damaged += seal.damaged + seal.hellos_damaged;
      total.held += served->stats.late.held;
      total.late_writes += served->stats.late.stale;
      total.unremembered_writes += served->stats.late.unremembered;
    }
  }
  return total;
}

void TargetHost::stop(Duration off) {
  past_ = totals();
  // A state that is on its way was renamed into place in time, or not.
  Prng prng =
      world().fork(stream(StreamKind::target, options_.index << 16U | lives_ | 1ULL << 48U));
  for (Saving& saving : saving_) {
    if (std::exchange(saving.in_use, false) && prng.chance(1, 2)) {
      exports_[saving.index].saved = std::move(saving.bytes);
    }
  }
  finished_while_paused_.clear();
  core_.reset();
  pool_.reset();
  set_powered(false);
  world().events().schedule(world().now() + off, *this, kRestart, lives_);
}

void TargetHost::kill(Duration off) {
  if (core_ == nullptr) {
    return;
  }
  for (const Served& served : exports_) {
    served.disk->process_died(world().now());
  }
  if (observer_ != nullptr) {
    observer_->on_target_death(world().now(), options_.index, TargetObserver::Death::killed);
  }
  stop(off);
}

void TargetHost::power_cut(Duration off) {
  if (core_ == nullptr) {
    return;
  }
  ++power_cuts_;
  for (const Served& served : exports_) {
    served.disk->power_cut(world().now());
  }
  if (observer_ != nullptr) {
    observer_->on_target_death(world().now(), options_.index, TargetObserver::Death::power_cut);
  }
  stop(off);
}

void TargetHost::resize(std::size_t index, std::uint64_t sectors) {
  Served& served = exports_[index];
  served.settings.sector_count = sectors;
  if (served.disk->sectors() < sectors) {
    served.disk->resize(sectors);
  }
  if (core_ != nullptr) {
    const auto resized = core_->resize(served.id, sectors);
    AOE_CHECK(resized.has_value(), "an export that is served can be resized");
    settle();
  }
}

void TargetHost::set_online(std::size_t index, bool online) {
  Served& served = exports_[index];
  served.settings.starts_online = online;
  if (core_ != nullptr) {
    const auto done = core_->set_online(
        local_now(), served.id,
        online ? target::TargetCore::Online::yes : target::TargetCore::Online::no);
    AOE_CHECK(done.has_value(), "an export that is served can be taken offline");
    settle();
  }
}

void TargetHost::recover() {
  wake_up();
  if (core_ == nullptr) {
    start();
  }
  for (std::size_t i = 0; i < exports_.size(); ++i) {
    set_online(i, true);
    const auto cleared = core_->clear_failure(exports_[i].id);
    AOE_CHECK(cleared.has_value(), "an export that is served can be cleared");
  }
}

void TargetHost::on_own_event(Instant /*now*/, std::uint32_t what, std::uint64_t value) {
  if (what == kRestart) {
    if (core_ == nullptr && value == lives_) {
      start();
    }
  } else if (what == kSaved && value >> 32U == lives_) {
    // A paused process finds the answer when it runs again: here the disk answers late instead.
    const std::size_t place = value & 0xFFFFFFFFU;
    if (!runs()) {
      world().events().schedule(world().now() + options_.save_time, *this, kSaved, value);
    } else if (saving_[place].in_use) {
      finish_save(place);
    }
  }
}

}  // namespace aoe::sim
