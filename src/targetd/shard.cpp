#include "targetd/shard.h"

#include "base/check.h"
#include "base/prefetch.h"
#include "os/clock.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace aoe::targetd {
namespace {

constexpr std::size_t kBatch = 64;
// Batches in one turn: who waits for its end, waits for some milliseconds at most.
constexpr unsigned kBatchesPerTurn = 16;
constexpr std::size_t kEventBatch = 16;
constexpr std::size_t kEventsMax = 1024;  // that wait to be asked for
constexpr std::size_t kLookAhead = 3;     // frames; longer than one is worked on
constexpr std::size_t kPrefetchSteps = 4;
constexpr std::size_t kOpsPerStep = 2;  // as long as memory needs
// Between two turns: what came meanwhile may have waited for longer than the core likes.
constexpr Duration kLongRest = Duration::milliseconds(500);
// The core asks to be turned every second while it has something to do.
constexpr Duration kStandstill = Duration::seconds(2);
constexpr std::size_t kExportIndexMask = 0xFFFF;
// The answer, and the data of a write that waits for its store.
constexpr std::uint32_t kBuffersPerRequest = 2;
// Beyond those: config replies, advertisements and error replies on their way.
constexpr std::uint32_t kSpareBuffers = 256;

void consider(std::optional<Instant>& earliest, std::optional<Instant> candidate) {
  if (candidate && (!earliest || *candidate < *earliest)) {
    earliest = candidate;
  }
}

}  // namespace

Shard::Shard(const Parts& parts, const target::TargetLimits& limits, std::size_t frame_bytes_max,
             Prng prng)
    : parts_(parts),
      pool_({.count = std::uint32_t{limits.requests_max} * kBuffersPerRequest + kSpareBuffers,
             .frame_bytes = frame_bytes_max}),
      core_(limits, pool_, prng),
      slots_(limits.exports_max),
      rx_(kBatch),
      tx_(kBatch),
      tx_batch_(kBatch),
      ops_(kBatch),
      op_batch_(kBatch),
      completions_(kBatch),
      event_batch_(kEventBatch),
      events_(kEventsMax) {
  busy_.reserve(limits.exports_max);
  parts_.engine.hold_memory(pool_.memory());
}

Shard::~Shard() {
  for (const auto& port : ports_) {
    if (port->wait_fd() >= 0) {
      parts_.loop.remove_fd(port->wait_fd());
    }
  }
}

Result<PortId> Shard::add_port(std::unique_ptr<net::PacketPort> port) {
  const std::size_t index = ports_.size();
  const PortId id{static_cast<std::uint8_t>(index)};
  ports_.push_back(std::move(port));
  port_has_frames_.push_back(1);
  if (ports_[index]->wait_fd() >= 0) {
    AOE_TRY(parts_.loop.add_fd(ports_[index]->wait_fd(), EPOLLIN | EPOLLET,
                               [this, index](std::uint32_t) { port_has_frames_[index] = 1; }));
    parts_.loop.add_poller([this, index] {
      const bool has_frames = ports_[index]->has_frames();
      if (has_frames) {
        port_has_frames_[index] = 1;
      }
      return has_frames;
    });
  }
  core_.handle_port(os::monotonic_now(), id, ports_[index]->info());
  return id;
}

void Shard::refresh_ports() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i]->refresh()) {
      core_.handle_port(os::monotonic_now(), PortId{static_cast<std::uint8_t>(i)},
                        ports_[i]->info());
    }
    port_has_frames_[i] = 1;
  }
}

Result<ExportId> Shard::add_export(const target::ExportSettings& settings,
                                   target::PersistentState state,
                                   std::unique_ptr<storage::BlockStore> store) {
  // The core gives the place of a removed export out again at once; our half of it is cleared by
  // the event that tells of the removal.
  take_events();
  finish_closing(os::monotonic_now());
  AOE_TRY_ASSIGN(const ExportId id,
                 core_.add_export(os::monotonic_now(), settings, std::move(state)));
  StoreSlot& slot = slots_[id.value & kExportIndexMask];
  AOE_CHECK(slot.store == nullptr, "an export's place is free when it is given out");
  slot.id = id;
  slot.store = std::move(store);
  slot.prefetcher = slot.store->prefetcher();
  slot.in_flight = 0;
  return id;
}

Shard::StoreSlot* Shard::find_slot(ExportId id) {
  StoreSlot& slot = slots_[id.value & kExportIndexMask];
  return slot.store != nullptr && slot.id == id ? &slot : nullptr;
}

storage::BlockStore* Shard::store_of(ExportId id) {
  StoreSlot* slot = find_slot(id);
  return slot == nullptr ? nullptr : slot->store.get();
}

void Shard::watch(ExportId id) {
  StoreSlot* slot = find_slot(id);
  if (slot == nullptr) {
    return;
  }
  slot->is_watched = true;
  if (!slot->is_busy) {
    slot->is_busy = true;
    busy_.push_back(static_cast<std::uint16_t>(id.value & kExportIndexMask));
  }
}

void Shard::stop_working() {
  for (StoreSlot& slot : slots_) {
    if (slot.store != nullptr) {
      slot.store->stop_working();
    }
  }
}

bool Shard::is_working() const {
  return !closing_.empty() || std::any_of(slots_.begin(), slots_.end(), [](const StoreSlot& slot) {
    return slot.store != nullptr && slot.store->is_working();
  });
}

std::optional<Instant> Shard::turn() {
  const Instant now = os::monotonic_now();
  core_.handle_timeout(now);
  if (now - last_turn_ >= kStandstill) {
    handle_standstill();
  } else if (now - last_turn_ >= kLongRest) {
    time_waiting_frames();
  }
  last_turn_ = now;
  unsigned batches = 0;
  bool has_worked = true;
  while (has_worked && batches < kBatchesPerTurn) {
    // Answers leave after every batch: the first of a burst does not wait for the last.
    const bool has_received = receive(now);
    has_worked = serve(now) || has_received;
    ++batches;
  }

  std::optional<Instant> next = core_.poll_timeout();
  if (batches == kBatchesPerTurn) {
    consider(next, now);
  }
  for (const std::uint16_t index : busy_) {
    consider(next, slots_[index].store->poll_timeout());
  }
  if (parts_.engine.wants_poll()) {
    consider(next, now);
  }
  return next;
}

bool Shard::receive(Instant now) {
  bool any = false;
  if (!is_receiving_) {
    return any;
  }
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (port_has_frames_[i] == 0) {
      continue;
    }
    const std::size_t count = ports_[i]->receive(rx_);
    for (std::size_t k = 0; k < count; ++k) {
      if (k + 2 * kLookAhead < count) {
        core_.expect(rx_[k + 2 * kLookAhead], target::TargetCore::Expected::later);
      }
      if (k + kLookAhead < count) {
        core_.expect(rx_[k + kLookAhead], target::TargetCore::Expected::next);
      }
      core_.handle_frame(now, PortId{static_cast<std::uint8_t>(i)}, std::move(rx_[k]));
      take_store_ops();
    }
    any = any || count > 0;
    port_has_frames_[i] = count == rx_.size() ? 1 : 0;
  }
  return any;
}

bool Shard::serve(Instant now) {
  const bool has_submitted = submit_store_ops(now);
  parts_.engine.poll();
  const bool has_completed = collect_completions(now);
  fetch_state_save();
  transmit(now);
  take_events();
  finish_closing(now);
  return has_submitted || has_completed;
}

// What an operation needs comes from memory while the next frames are worked on: the place of its
// store, the store that it tells of, what tells where the data are, and the data. Each step waits
// for the one before it, so each is taken when two more operations have come.
void Shard::take_store_ops() {
  std::size_t count = 0;
  do {
    count = core_.poll_store_ops(std::span(ops_).subspan(ops_taken_));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t newest = ops_taken_++;
      for (std::size_t step = 0; step < kPrefetchSteps; ++step) {
        if (const std::size_t behind = step * kOpsPerStep; behind <= newest) {
          prefetch(ops_[newest - behind], static_cast<PrefetchStep>(step));
        }
      }
    }
  } while (count > 0 && ops_taken_ < ops_.size());
}

void Shard::prefetch(const target::ExportStoreOp& op, PrefetchStep step) const {
  constexpr std::size_t kStoreBytes = 2 * kCacheLineBytes;  // what operations need of most
  const StoreSlot& slot = slots_[op.export_id.value & kExportIndexMask];
  switch (step) {
    case PrefetchStep::place:
      prefetch_line(&slot);
      return;
    case PrefetchStep::store:
      prefetch_object(slot.store.get(), kStoreBytes);
      if (slot.prefetcher != nullptr) {
        prefetch_line(slot.prefetcher);
      }
      return;
    case PrefetchStep::way:
      if (slot.prefetcher != nullptr) {
        slot.prefetcher->prefetch_way(op.op);
      }
      return;
    case PrefetchStep::data:
      if (slot.prefetcher != nullptr) {
        slot.prefetcher->prefetch_data(op.op);
      }
      return;
  }
}

// The last operations of a batch have nobody behind them.
void Shard::finish_prefetch() const {
  for (std::size_t step = 1; step < kPrefetchSteps; ++step) {
    for (std::size_t i = ops_taken_ - std::min(step * kOpsPerStep, ops_taken_); i < ops_taken_;
         ++i) {
      prefetch(ops_[i], static_cast<PrefetchStep>(step));
    }
  }
}

bool Shard::submit_store_ops(Instant now) {
  bool any = false;
  for (;;) {
    take_store_ops();
    finish_prefetch();
    const std::size_t count = std::exchange(ops_taken_, 0);
    // Runs of operations for one export go down as one batch.
    for (std::size_t begin = 0; begin < count;) {
      const ExportId id = ops_[begin].export_id;
      std::size_t end = begin;
      StoreSlot* slot = find_slot(id);
      AOE_CHECK(slot != nullptr, "a store outlives the requests of its export");
      const bool answers_at_once = slot->store->info().answers_at_once;
      while (end < count && ops_[end].export_id == id) {
        StoreOp& op = op_batch_[end - begin];
        op = ops_[end].op;
        if (op.kind == StoreOpKind::write && !answers_at_once) {
          op.data = core_.keep_data(op.tag);
        }
        ++end;
      }
      slot->in_flight += static_cast<std::uint32_t>(end - begin);
      if (!slot->is_busy) {
        slot->is_busy = true;
        busy_.push_back(static_cast<std::uint16_t>(id.value & kExportIndexMask));
      }
      slot->store->submit(now, std::span<const StoreOp>(op_batch_).first(end - begin));
      begin = end;
    }
    any = any || count > 0;
    if (count < ops_.size()) {
      return any;
    }
  }
}

bool Shard::collect_completions(Instant now) {
  bool any = false;
  for (std::size_t i = 0; i < busy_.size();) {
    StoreSlot& slot = slots_[busy_[i]];
    const std::size_t count = slot.store->poll_completions(now, completions_);
    AOE_CHECK(count <= slot.in_flight, "a store completes what it was given, once");
    slot.in_flight -= static_cast<std::uint32_t>(count);
    for (std::size_t k = 0; k < count; ++k) {
      core_.handle_store_done(now, completions_[k]);
    }
    any = any || count > 0;
    const bool is_working = slot.store->is_working();
    has_moved_volumes_ = has_moved_volumes_ || slot.is_watched || slot.store->wants_help();
    if (slot.in_flight == 0 && !is_working) {
      slot.is_busy = false;
      slot.is_watched = false;
      busy_[i] = busy_.back();
      busy_.pop_back();
    } else {
      ++i;
    }
  }
  return any;
}

void Shard::fetch_state_save() {
  if (!save_) {
    save_ = core_.poll_state_save();
  }
}

std::optional<target::StateSave> Shard::next_state_save() {
  fetch_state_save();
  return std::exchange(save_, std::nullopt);
}

bool Shard::has_state_save() {
  fetch_state_save();
  return save_.has_value();
}

std::optional<target::TargetEvent> Shard::next_event() {
  return events_.next();
}

bool Shard::has_news() const {
  return save_ || !events_.empty() || !closing_.empty() || has_moved_volumes_;
}

void Shard::time_waiting_frames() {
  for (const auto& port : ports_) {
    port->time_waiting_frames();
  }
}

void Shard::handle_standstill() {
  core_.handle_standstill();
  time_waiting_frames();
}

void Shard::transmit(Instant now) {
  // A process that is stopped is so in the middle of a turn, if it is busy.
  if (core_.has_frames_to_send() && os::monotonic_now() - now >= kStandstill) {
    handle_standstill();
  }
  for (;;) {
    const std::size_t count = core_.poll_transmit(tx_);
    for (std::size_t begin = 0; begin < count;) {
      const PortId port = tx_[begin].port;
      std::size_t end = begin;
      while (end < count && tx_[end].port == port) {
        tx_batch_[end - begin] = std::move(tx_[end].frame);
        ++end;
      }
      ports_[port.value]->transmit(std::span(tx_batch_).first(end - begin));
      begin = end;
    }
    if (count < tx_.size()) {
      return;
    }
  }
}

void Shard::finish_closing(Instant now) {
  for (std::size_t i = 0; i < closing_.size();) {
    // Nobody waits for a completion of it any more; looking moves its own work.
    (void)closing_[i].store->poll_completions(now, completions_);
    if (closing_[i].store->is_working()) {
      ++i;
      continue;
    }
    const Closing gone = std::move(closing_[i]);
    closing_.erase(closing_.begin() + static_cast<std::ptrdiff_t>(i));
    events_.add(gone.event);
  }
}

void Shard::take_events() {
  for (;;) {
    const std::size_t count = core_.poll_events(event_batch_);
    for (std::size_t i = 0; i < count; ++i) {
      if (event_batch_[i].kind == target::EventKind::export_removed) {
        close_store(event_batch_[i]);
      } else {
        events_.add(event_batch_[i]);
      }
    }
    if (count < event_batch_.size()) {
      return;
    }
  }
}

void Shard::close_store(const target::TargetEvent& removal) {
  StoreSlot* slot = find_slot(removal.export_id);
  AOE_CHECK(slot != nullptr && slot->in_flight == 0, "a removed export is idle");
  std::erase(busy_, static_cast<std::uint16_t>(slot->id.value & kExportIndexMask));
  slot->is_busy = false;
  slot->is_watched = false;
  slot->store->stop_working();
  closing_.push_back({removal, std::move(slot->store)});
}

}  // namespace aoe::targetd
