#include "targetd/shard.h"

#include "base/check.h"
#include "os/clock.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace aoe::targetd {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kEventBatch = 16;
constexpr std::size_t kLookAhead = 3;  // frames; longer than one is worked on
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
             Prng prng, EventSink sink)
    : parts_(parts),
      pool_({.count = std::uint32_t{limits.requests_max} * kBuffersPerRequest + kSpareBuffers,
             .frame_bytes = frame_bytes_max}),
      core_(limits, pool_, prng),
      sink_(std::move(sink)),
      slots_(limits.exports_max),
      rx_(kBatch),
      tx_(kBatch),
      tx_batch_(kBatch),
      ops_(kBatch),
      op_batch_(kBatch),
      completions_(kBatch),
      events_(kEventBatch) {
  busy_.reserve(limits.exports_max);
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
  if (slot != nullptr && !slot->is_busy) {
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
  drain(now);
  // Answers leave after every batch of requests: the first of a burst does not wait for the last.
  while (receive(now)) {
    drain(now);
  }
  drain(now);

  std::optional<Instant> next = core_.poll_timeout();
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
      if (k + kLookAhead < count) {
        core_.expect(rx_[k + kLookAhead]);
      }
      core_.handle_frame(now, PortId{static_cast<std::uint8_t>(i)}, std::move(rx_[k]));
    }
    any = any || count > 0;
    port_has_frames_[i] = count == rx_.size() ? 1 : 0;
  }
  return any;
}

void Shard::drain(Instant now) {
  bool progress = true;
  while (progress) {
    progress = submit_store_ops(now);
    parts_.engine.poll();
    progress = collect_completions(now) || progress;
  }
  start_state_saves();
  transmit();
  take_events();
  finish_closing(now);
}

bool Shard::submit_store_ops(Instant now) {
  bool any = false;
  for (;;) {
    const std::size_t count = core_.poll_store_ops(ops_);
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
    for (;;) {
      const std::size_t count = slot.store->poll_completions(now, completions_);
      AOE_CHECK(count <= slot.in_flight, "a store completes what it was given, once");
      slot.in_flight -= static_cast<std::uint32_t>(count);
      for (std::size_t k = 0; k < count; ++k) {
        core_.handle_store_done(now, completions_[k]);
      }
      any = any || count > 0;
      if (count < completions_.size()) {
        break;
      }
    }
    if (slot.in_flight == 0 && !slot.store->is_working()) {
      slot.is_busy = false;
      busy_[i] = busy_.back();
      busy_.pop_back();
    } else {
      ++i;
    }
  }
  return any;
}

void Shard::start_state_saves() {
  while (auto save = core_.poll_state_save()) {
    // Shared by the job and its completion, which run one after the other on two threads.
    struct Outcome {
      target::StateSave save;
      Result<void> result;
    };

    auto outcome = std::make_shared<Outcome>();
    outcome->save = std::move(*save);
    parts_.run_blocking(
        [outcome, &states = parts_.states] {
          outcome->result =
              states.save(outcome->save.address, StateFile::state, outcome->save.bytes);
        },
        [this, outcome] {
          if (!outcome->result) {
            spdlog::error("{}", outcome->result.error().message);
          }
          core_.handle_state_saved(
              os::monotonic_now(), outcome->save.export_id, outcome->save.generation,
              outcome->result ? target::StateKeeper::Saved::yes : target::StateKeeper::Saved::no);
        });
  }
}

void Shard::transmit() {
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
    sink_(gone.event);
  }
}

void Shard::take_events() {
  for (;;) {
    const std::size_t count = core_.poll_events(events_);
    for (std::size_t i = 0; i < count; ++i) {
      if (events_[i].kind != target::EventKind::export_removed) {
        sink_(events_[i]);
        continue;
      }
      StoreSlot* slot = find_slot(events_[i].export_id);
      AOE_CHECK(slot != nullptr && slot->in_flight == 0, "a removed export is idle");
      std::erase(busy_, static_cast<std::uint16_t>(slot->id.value & kExportIndexMask));
      slot->is_busy = false;
      slot->store->stop_working();
      closing_.push_back({events_[i], std::move(slot->store)});
    }
    if (count < events_.size()) {
      return;
    }
  }
}

}  // namespace aoe::targetd
