#include "targetd/freezer.h"

#include "base/prng.h"
#include "os/random_seed.h"
#include "storage/layer_file.h"
#include "targetd/base_identity.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;
using storage::LayerPhase;
using storage::LayerState;

const char* phase_name(LayerPhase phase) {
  switch (phase) {
    case LayerPhase::none:
      return "none";
    case LayerPhase::settling:
      return "settling";
    case LayerPhase::active:
      return "frozen";
    case LayerPhase::merging:
    case LayerPhase::merged:
      return "thawing";
  }
  return "none";
}

auto no_such_volume(DeviceAddress address) {
  return fail_with(Errc::unsupported, 0,
                   to_string(address) +
                       ": freeze: only writable files and block devices that are "
                       "exported here can be frozen (see aoe target list)");
}

Result<void> refuse_frozen(const ExportConfig& config) {
  return fail_with(Errc::busy, 0,
                   to_string(config.address) +
                       ": it is frozen, and its newest writes are in the shadow: it cannot be "
                       "served like this (export it writable as before, and thaw it first)");
}

// Without its shadow a frozen base is still what it was when it was frozen: somebody who asks for
// it read-only may have it.
Result<void> may_read_base(const ExportConfig& config, ConstByteSpan bytes) {
  const auto record = FreezeRecord::decode(bytes);
  if (config.mode != ExportMode::read_only || !record || record->is_thawing) {
    return refuse_frozen(config);
  }
  const auto header = storage::peek_layer(record->shadow);
  if (header && header->id == record->layer) {
    return refuse_frozen(config);
  }
  spdlog::warn("{}: its shadow {} is lost: served as it was when it was frozen, read-only",
               to_string(config.address), record->shadow);
  return {};
}

// A record without what it speaks of.
auto shadow_lost(DeviceAddress address, const FreezeRecord& record, const std::string& record_path,
                 const std::string& why) {
  return fail_with(
      Errc::unavailable, 0,
      fmt::format(
          "{}: the export is {}, and its shadow {} {}: writes that were acknowledged are in "
          "it ({}; to give these writes up remove {})",
          to_string(address), record.is_thawing ? "half thawed" : "frozen", record.shadow, why,
          record.is_thawing
              ? "bring it back: without it the base is neither the old state nor the new"
              : "bring it back; the base alone is as it was when it was frozen, and is served like "
                "that with mode=read-only",
          record_path));
}

}  // namespace

std::string Freezer::shadow_path(const ExportConfig& config) const {
  return config.shadow.empty()
             ? fmt::format("{}/{}.shadow", parts_.state_dir, to_string(config.address))
             : config.shadow;
}

void Freezer::run(const Volume& volume, std::function<Result<void>()> job, Next next) {
  run_for_volume(parts_.run_blocking, volumes_, volume, std::move(job), std::move(next));
}

// ---- exports come and go

Result<void> Freezer::add(const ExportConfig& config, storage::LayeredStore* store,
                          const std::string& base_name) {
  AOE_TRY_ASSIGN(const auto bytes, parts_.states.load(config.address, StateFile::freeze));
  if (store == nullptr) {
    return bytes ? may_read_base(config, *bytes) : Result<void>{};
  }
  Volume volume;
  volume.serial = next_serial_++;
  volume.config = config;
  volume.store = store;
  volume.base = identity_of_base(config, base_name, store->info().size_bytes);
  store->set_merge_rate(config.thaw_rate_bytes);
  const std::string record_path =
      fmt::format("{}/{}.freeze", parts_.state_dir, to_string(config.address));
  if (!bytes) {
    const std::string path = shadow_path(config);
    if (const auto found = storage::peek_layer(path);
        found && (found->state == LayerState::active || found->state == LayerState::merging)) {
      return fail_with(
          Errc::busy, 0,
          fmt::format("{}: {} is a shadow that holds writes, and {} that would say whose they are "
                      "is missing (bring both back, or move the shadow away)",
                      to_string(config.address), path, record_path));
    }
    volumes_.insert_or_assign(config.address, std::move(volume));
    return {};
  }
  const auto record = FreezeRecord::decode(*bytes);
  if (!record) {
    return fail_with(Errc::corrupt, 0,
                     fmt::format("{}: {} is damaged: the export is frozen, and where its shadow is "
                                 "stands in there",
                                 to_string(config.address), record_path));
  }
  volume.record = *record;
  auto header = storage::peek_layer(record->shadow);
  if (!header) {
    return shadow_lost(config.address, *record, record_path,
                       header.error().code == Errc::not_found
                           ? "is not there"
                           : "cannot be used (" + header.error().message + ")");
  }
  if (header->id != record->layer) {
    return shadow_lost(config.address, *record, record_path, "is another one");
  }
  if (header->state == LayerState::preparing || header->state == LayerState::merged) {
    // Nothing was written into it, or all of it is in the base.
    AOE_TRY(parts_.states.remove(config.address, StateFile::freeze));
    AOE_TRY(storage::remove_layer(record->shadow));
    volume.record = {};
    volumes_.insert_or_assign(config.address, std::move(volume));
    return {};
  }
  AOE_TRY(storage::check_base(*header, volume.base, {record->shadow, to_string(config.address)}));
  AOE_TRY_ASSIGN(auto content, storage::load_layer(record->shadow));
  if (content.had_torn_tail) {
    spdlog::info("{}: {}: an interrupted entry at its end was cut off; nobody was told of it",
                 to_string(config.address), record->shadow);
  }
  AOE_TRY_ASSIGN(auto layer, storage::open_layer(record->shadow, std::move(content),
                                                 store->info().in_flight_max,
                                                 parts_.engine_of(config.address)));
  store->attach(std::move(layer));
  spdlog::warn("{}: {}: writes of an earlier run are in {}", to_string(config.address),
               header->state == LayerState::active ? "still frozen" : "thawing goes on",
               record->shadow);
  changing_.insert(config.address);
  volumes_.insert_or_assign(config.address, std::move(volume));
  return {};
}

void Freezer::remove(DeviceAddress address) {
  const auto found = volumes_.find(address);
  if (found != volumes_.end()) {
    answer_freezing(
        found->second,
        fail_with(Errc::unavailable, 0, to_string(address) + ": freeze: it is no longer exported"));
    volumes_.erase(found);
  }
}

void Freezer::configure(const ExportConfig& config) {
  const auto found = volumes_.find(config.address);
  if (found != volumes_.end()) {
    found->second.config = config;
    found->second.store->set_merge_rate(config.thaw_rate_bytes);
  }
}

bool Freezer::is_layered(DeviceAddress address) const {
  const auto found = volumes_.find(address);
  return found != volumes_.end() &&
         (found->second.is_making || found->second.store->status().phase != LayerPhase::none);
}

std::vector<DeviceAddress> Freezer::with_shadow() const {
  std::vector<DeviceAddress> addresses;
  for (const auto& [address, volume] : volumes_) {
    if (!volume.config.shadow.empty()) {
      addresses.push_back(address);
    }
  }
  return addresses;
}

// ---- freezing

void Freezer::freeze(DeviceAddress address, control::Reply reply) {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    reply.send(no_such_volume(address));
    return;
  }
  Volume& volume = found->second;
  const LayerPhase phase = volume.store->status().phase;
  if (phase == LayerPhase::active && !volume.is_marking) {
    reply.send(status_of(volume));
  } else if (volume.is_making || (phase == LayerPhase::settling &&
                                  volume.store->header().state == LayerState::preparing)) {
    volume.freezing.push_back(std::move(reply));
  } else if (phase != LayerPhase::none || volume.is_removing) {
    reply.send(fail_with(Errc::busy, 0,
                         to_string(address) +
                             ": freeze: it is being thawed (wait until aoe target show has no "
                             "freeze any more)"));
  } else {
    volume.freezing.push_back(std::move(reply));
    make_shadow(volume);
  }
}

void Freezer::make_shadow(Volume& volume) {
  Prng prng(os::random_seed());
  storage::LayerHeader header;
  header.id = {prng.next(), prng.next()};
  header.base = volume.base;
  header.base.sectors = volume.store->info().size_bytes / kSectorBytes;
  header.generation = 1;
  header.created_unix_seconds = static_cast<std::uint64_t>(std::time(nullptr));
  volume.base = header.base;
  volume.record = {.layer = header.id, .shadow = shadow_path(volume.config)};
  volume.is_making = true;
  changing_.insert(volume.config.address);
  run(
      volume,
      [header, record = volume.record, address = volume.config.address,
       &states = parts_.states]() -> Result<void> {
        AOE_TRY(storage::make_layer(record.shadow, header));
        auto saved = states.save(address, StateFile::freeze, as_byte_span(record.encode()));
        if (!saved) {
          (void)storage::remove_layer(record.shadow);
        }
        return saved;
      },
      [this, header](Volume& still, const Result<void>& made) {
        still.is_making = false;
        if (!made) {
          give_up(still, made.error());
          return;
        }
        put_over(still, header);
      });
}

void Freezer::put_over(Volume& volume, const storage::LayerHeader& header) {
  storage::ReplayedLayer content;
  content.header = header;
  content.map = storage::LayerMap(header.base.sectors);
  if (volume.store->info().size_bytes != header.base.sectors * kSectorBytes) {
    give_up(volume, Error{.code = Errc::busy, .message = "the size changed meanwhile"});
    return;
  }
  auto layer = storage::open_layer(volume.record.shadow, std::move(content),
                                   volume.store->info().in_flight_max,
                                   parts_.engine_of(volume.config.address));
  if (!layer) {
    give_up(volume, layer.error());
    return;
  }
  volume.store->attach(*std::move(layer));
  volume.told = LayerPhase::settling;
  parts_.wake(volume.config.address);
}

void Freezer::give_up(Volume& volume, const Error& reason) {
  Error error = reason;
  error.message = fmt::format("{}: freeze: {}", to_string(volume.config.address), reason.message);
  spdlog::error("{}", error.message);
  answer_freezing(volume, fail(std::move(error)));
  volume.told = LayerPhase::none;
  if (reason.code != Errc::already_exists) {
    remove_shadow(volume);
  }
}

void Freezer::answer_freezing(Volume& volume, const Result<Json>& outcome) {
  for (control::Reply& reply : volume.freezing) {
    reply.send(outcome);
  }
  volume.freezing.clear();
}

// ---- thawing

void Freezer::thaw(const ThawRequest& request, control::Reply reply) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    reply.send(no_such_volume(request.address));
    return;
  }
  Volume& volume = found->second;
  if (volume.is_making) {
    reply.send(
        fail_with(Errc::busy, 0, to_string(request.address) + ": thaw: it is just being frozen"));
    return;
  }
  volume.store->set_merge_rate(request.bytes_per_second.value_or(volume.config.thaw_rate_bytes));
  const LayerPhase phase = volume.store->status().phase;
  if (phase == LayerPhase::merging) {
    volume.store->begin_merge();
    parts_.wake(request.address);
  } else if (phase != LayerPhase::none && phase != LayerPhase::merged && !volume.is_marking) {
    begin_thaw(volume);
  }
  reply.send(status_of(volume));
}

void Freezer::begin_thaw(Volume& volume) {
  // The record says so first: if the shadow is lost later, nobody takes the base for the frozen
  // state.
  volume.is_marking = true;
  volume.record.is_thawing = true;
  save_record(volume, [this](Volume& still, const Result<void>& saved) {
    still.is_marking = false;
    if (!saved) {
      still.record.is_thawing = false;
      tell(still, "merge_stalled", "thaw: " + saved.error().message);
      return;
    }
    still.store->begin_merge();
    parts_.wake(still.config.address);
  });
}

void Freezer::save_record(const Volume& volume, Next next) {
  run(
      volume,
      [record = volume.record, address = volume.config.address, &states = parts_.states] {
        return states.save(address, StateFile::freeze, as_byte_span(record.encode()));
      },
      std::move(next));
}

void Freezer::remove_shadow(Volume& volume) {
  volume.is_removing = true;
  run(
      volume,
      [record = volume.record, address = volume.config.address,
       &states = parts_.states]() -> Result<void> {
        // In this order: a record without a shadow would say that writes are lost.
        AOE_TRY(states.remove(address, StateFile::freeze));
        return storage::remove_layer(record.shadow);
      },
      [this](Volume& still, const Result<void>& removed) {
        still.is_removing = false;
        if (!removed) {
          spdlog::error("{}: the shadow stays behind: {}", to_string(still.config.address),
                        removed.error().message);
        }
        if (still.told == LayerPhase::merged) {
          tell(still, "thawed", "thawed: the base has everything, the shadow is gone");
        }
        still.told = LayerPhase::none;
        still.told_tenths = 0;
        still.record = {};
      });
}

// ---- looking

void Freezer::poll() {
  for (auto at = changing_.begin(); at != changing_.end();) {
    const auto found = volumes_.find(*at);
    if (found == volumes_.end() || is_at_rest(found->second)) {
      at = changing_.erase(at);
      continue;
    }
    poll_one(found->second);
    ++at;
  }
}

bool Freezer::is_at_rest(const Volume& volume) {
  return !volume.is_making && !volume.is_removing && volume.told == LayerPhase::none &&
         volume.store->status().phase == LayerPhase::none;
}

void Freezer::poll_one(Volume& volume) {
  if (volume.is_making || volume.is_removing) {
    return;
  }
  const storage::LayerStatus status = volume.store->status();
  if (volume.told == LayerPhase::settling && status.phase == LayerPhase::none) {
    give_up(volume, Error{.code = Errc::io,
                          .message = fmt::format(
                              "{}: {}", volume.record.shadow,
                              store_errc_name(status.attach_error.value_or(StoreErrc::io)))});
    return;
  }
  if (status.is_full && !std::exchange(volume.was_full, status.is_full)) {
    tell(volume, "shadow_full",
         "the shadow has no room left: the frozen state is given up, the base changes from now on "
         "(a copy that was being made of it is worth nothing)");
  }
  if (status.phase == LayerPhase::active && volume.told != LayerPhase::active) {
    volume.told = LayerPhase::active;
    volume.was_full = false;
    tell(volume, "frozen", fmt::format("frozen: writes go to {}", volume.record.shadow));
    answer_freezing(volume, status_of(volume));
  }
  if (status.phase == LayerPhase::merging || status.phase == LayerPhase::merged) {
    poll_merge(volume, status);
  }
}

void Freezer::poll_merge(Volume& volume, const storage::LayerStatus& status) {
  if (volume.told != LayerPhase::merging) {
    volume.told = LayerPhase::merging;
    volume.told_tenths = 0;
    if (!std::exchange(volume.record.is_thawing, true)) {
      // It began for lack of room: nobody could write it down first.
      save_record(volume, [](Volume& /*still*/, const Result<void>& /*saved*/) {});
    }
    tell(volume, "thaw_started",
         fmt::format("thawing: {} sectors go into the base", status.merge_total_sectors));
  }
  const StoreErrc error =
      status.layer_error != StoreErrc::ok ? status.layer_error : status.merge_error;
  if (error != std::exchange(volume.told_error, error) && error != StoreErrc::ok) {
    tell(volume, "merge_stalled",
         fmt::format("thawing stands still: {}; tried again every ten seconds",
                     store_errc_name(error)));
  }
  if (status.phase == LayerPhase::merged) {
    volume.told = LayerPhase::merged;
    (void)volume.store->detach();
    remove_shadow(volume);
    return;
  }
  const std::uint64_t done = status.merge_total_sectors - status.layer_sectors;
  const auto tenths =
      static_cast<unsigned>(done * 10 / std::max<std::uint64_t>(status.merge_total_sectors, 1));
  if (tenths > volume.told_tenths) {
    volume.told_tenths = tenths;
    tell(volume, "thaw_progress", fmt::format("thawing: {} %", tenths * 10),
         {{"percent", tenths * 10}});
  }
}

void Freezer::tell(const Volume& volume, const char* type, const std::string& text, Json more) {
  const std::string_view kind = type;
  const bool is_bad = kind == "shadow_full" || kind == "merge_stalled";
  tell_of_volume(parts_.publish, volume.config.address,
                 is_bad ? daemon::Severity::error : daemon::Severity::info, type, text,
                 std::move(more));
}

Json Freezer::status(DeviceAddress address) const {
  const auto found = volumes_.find(address);
  return found == volumes_.end() ? Json() : status_of(found->second);
}

Json Freezer::status_of(const Volume& volume) const {
  const storage::LayerStatus status = volume.store->status();
  const bool is_thawing = status.phase == LayerPhase::merging ||
                          status.phase == LayerPhase::merged || volume.is_marking ||
                          (volume.is_removing && volume.record.is_thawing);
  Json json = {{"state", volume.is_making ? "settling"
                         : is_thawing     ? "thawing"
                                          : phase_name(status.phase)}};
  if (volume.is_making || status.phase == LayerPhase::none) {
    return json;
  }
  json["shadow"] = volume.record.shadow;
  json["layer"] = to_string(volume.record.layer);
  json["since_unix_seconds"] = volume.store->header().created_unix_seconds;
  json["shadow_sectors"] = status.layer_sectors;
  if (is_thawing) {
    const std::uint64_t total = std::max<std::uint64_t>(status.merge_total_sectors, 1);
    json["thawed_percent"] =
        status.merge_total_sectors == 0
            ? 100
            : (status.merge_total_sectors - status.layer_sectors) * 100 / total;
    json["given_up_for_lack_of_room"] = status.is_full;
  }
  const StoreErrc error =
      status.layer_error != StoreErrc::ok ? status.layer_error : status.merge_error;
  if (error != StoreErrc::ok) {
    json["error"] = store_errc_name(error);
  }
  return json;
}

}  // namespace aoe::targetd
