#include "targetd/snapshots.h"

#include "base/prng.h"
#include "os/clone_file.h"
#include "os/error_text.h"
#include "os/random_seed.h"
#include "storage/layer_file.h"
#include "targetd/base_identity.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>
#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;
using storage::LayerPhase;
using storage::LayerState;

constexpr mode_t kDirectoryMode = 0700;

auto no_snapshots(DeviceAddress address) {
  return fail_with(Errc::unsupported, 0,
                   to_string(address) +
                       ": snapshot: the export takes none (see snapshots in "
                       "aoe-targetd.conf(5))");
}

const char* kind_name(SnapshotKind kind) {
  return kind == SnapshotKind::layer ? "layer" : "clone";
}

}  // namespace

void Snapshots::run(const Volume& volume, std::function<Result<void>()> job, Next next) {
  run_for_volume(parts_.run_blocking, volumes_, volume, std::move(job),
                 [this, then = std::move(next)](Volume& still, const Result<void>& result) {
                   const DeviceAddress address = still.config.address;
                   then(still, result);
                   parts_.wake(address);
                 });
}

void Snapshots::save(Volume& volume, std::function<Result<void>()> job,
                     std::function<Result<void>()> after, Next next) {
  volume.is_saving = true;
  run(
      volume,
      [first = std::move(job), last = std::move(after), record = volume.record,
       address = volume.config.address, &states = parts_.states]() -> Result<void> {
        if (first) {
          AOE_TRY(first());
        }
        if (record.entries.empty()) {
          AOE_TRY(states.remove(address, StateFile::snapshots));
        } else {
          AOE_TRY(states.save(address, StateFile::snapshots, as_byte_span(record.encode())));
        }
        return last ? last() : Result<void>{};
      },
      [then = std::move(next)](Volume& still, const Result<void>& result) {
        still.is_saving = false;
        then(still, result);
      });
}

SnapshotEntry* Snapshots::entry_at(Volume& volume, DeviceAddress snapshot) {
  const auto found = std::find_if(volume.record.entries.begin(), volume.record.entries.end(),
                                  [snapshot](const SnapshotEntry& entry) {
                                    return entry.address == snapshot && !entry.is_going;
                                  });
  return found == volume.record.entries.end() ? nullptr : &*found;
}

std::optional<std::size_t> Snapshots::index_of(const Volume& volume,
                                               const storage::LayerId& layer) {
  for (std::size_t i = 0; i < volume.store->snapshots(); ++i) {
    if (volume.store->header(i).id == layer) {
      return i;
    }
  }
  return std::nullopt;
}

// ---- exports come and go

Result<void> Snapshots::add(const ExportConfig& config, storage::SnapshotStore* store,
                            const std::string& base_name) {
  AOE_TRY_ASSIGN(const auto bytes, parts_.states.load(config.address, StateFile::snapshots));
  const std::string name = to_string(config.address);
  if (store == nullptr) {
    if (!bytes) {
      return {};
    }
    return fail_with(Errc::busy, 0,
                     name +
                         ": it has snapshots, and its newest writes may be in their layers: it "
                         "cannot be served like this (export it writable, with snapshots= as "
                         "before, and delete them first)");
  }
  const std::string& directory = config.snapshots;
  if (::mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return fail(os::os_error(
        errno, fmt::format("{}: snapshots: {}: cannot make the directory", name, directory)));
  }
  Volume volume;
  volume.serial = next_serial_++;
  volume.config = config;
  volume.store = store;
  volume.base_name = base_name;
  volume.base = identity_of_base(config, base_name, store->info().size_bytes);
  store->set_merge_rate(config.thaw_rate_bytes);
  if (bytes) {
    auto record = SnapshotRecord::decode(*bytes);
    if (!record) {
      return fail_with(Errc::corrupt, 0,
                       fmt::format("{}: {}/{}.snapshots is damaged: which layers hold the newest "
                                   "writes stands in there",
                                   name, parts_.state_dir, name));
    }
    volume.record = *std::move(record);
    AOE_TRY(put_layers(volume));
  }
  volumes_.insert_or_assign(config.address, std::move(volume));
  return {};
}

Result<void> Snapshots::put_layers(Volume& volume) {
  const std::string name = to_string(volume.config.address);
  auto& entries = volume.record.entries;
  std::optional<std::uint64_t> sectors;
  for (std::size_t i = 0; i < entries.size();) {
    const SnapshotEntry entry = entries[i];
    if (entry.kind == SnapshotKind::clone) {
      if (entry.is_going) {
        volume.clones_gone.push_back(entry.address);
      }
      ++i;
      continue;
    }
    const auto header = storage::peek_layer(entry.path);
    if (!header || header->id != entry.layer) {
      return fail_with(
          Errc::unavailable, 0,
          fmt::format(
              "{}: the layer {} {}: writes that were acknowledged are in it (bring it back; "
              "to give them up, and all snapshots, remove {}/{}.snapshots: the store is then "
              "as it was at the oldest)",
              name, entry.path,
              header ? "is another one" : "cannot be used (" + header.error().message + ")",
              parts_.state_dir, name));
    }
    if (header->state == LayerState::preparing || header->state == LayerState::merged) {
      // Nothing was written into it, or all of it lies further down.
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
      if (entries.empty()) {
        AOE_TRY(parts_.states.remove(volume.config.address, StateFile::snapshots));
      } else {
        AOE_TRY(parts_.states.save(volume.config.address, StateFile::snapshots,
                                   as_byte_span(volume.record.encode())));
      }
      AOE_TRY(storage::remove_layer(entry.path));
      continue;
    }
    volume.base.sectors = sectors.value_or(header->base.sectors);
    sectors = volume.base.sectors;
    if (volume.store->info().size_bytes < *sectors * kSectorBytes) {
      volume.base.sectors = volume.store->info().size_bytes / kSectorBytes;
    }
    AOE_TRY(storage::check_base(*header, volume.base, {entry.path, name}));
    AOE_TRY_ASSIGN(auto content, storage::load_layer(entry.path));
    AOE_TRY_ASSIGN(auto layer, storage::open_layer(entry.path, std::move(content),
                                                   storage::SnapshotStore::kPerLayer,
                                                   parts_.engine_of(volume.config.address)));
    volume.store->put(std::move(layer));
    if (header->state == LayerState::merging) {
      entries[i].is_going = true;
      volume.merging = entry.layer;
    }
    ++i;
  }
  return {};
}

void Snapshots::start_exports(DeviceAddress address) {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    return;
  }
  for (const SnapshotEntry& entry : found->second.record.entries) {
    if (entry.is_going) {
      continue;
    }
    if (auto started = start_export(found->second, entry); !started) {
      spdlog::error("{}: the snapshot is kept, but not exported: {}", to_string(entry.address),
                    started.error().message);
    }
  }
}

Result<void> Snapshots::start_export(Volume& volume, const SnapshotEntry& entry) {
  ExportConfig config = volume.config;
  config.address = entry.address;
  config.mode = ExportMode::read_only;
  config.serial.clear();
  config.shadow.clear();
  config.snapshots.clear();
  config.integrity.clear();
  config.cache_bytes = 0;
  config.start_offline = false;
  config.origin = fmt::format("snapshot of {}", to_string(volume.config.address));
  if (entry.kind == SnapshotKind::clone) {
    config.store = "file:" + entry.path;
    return parts_.start(config, volume.config.address, nullptr);
  }
  const auto index = index_of(volume, entry.layer);
  if (!index) {
    return fail_with(Errc::unavailable, 0, to_string(entry.address) + ": its layer is gone");
  }
  return parts_.start(config, volume.config.address, volume.store->open_view(*index));
}

void Snapshots::stop_exports(DeviceAddress address) {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    return;
  }
  for (const SnapshotEntry& entry : found->second.record.entries) {
    (void)parts_.stop(entry.address);
  }
}

void Snapshots::remove(DeviceAddress address) {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    return;
  }
  found->second.creation.reply.send(
      fail_with(Errc::unavailable, 0, to_string(address) + ": snapshot: it is no longer exported"));
  volumes_.erase(found);
}

void Snapshots::configure(const ExportConfig& config) {
  const auto found = volumes_.find(config.address);
  if (found != volumes_.end()) {
    found->second.config = config;
    found->second.store->set_merge_rate(config.thaw_rate_bytes);
  }
}

bool Snapshots::has_any(DeviceAddress address) const {
  const auto found = volumes_.find(address);
  return found != volumes_.end() &&
         (!found->second.record.entries.empty() || found->second.creation.step != Step::none);
}

std::optional<DeviceAddress> Snapshots::owner_of(DeviceAddress snapshot) const {
  for (const auto& [address, volume] : volumes_) {
    for (const SnapshotEntry& entry : volume.record.entries) {
      if (entry.address == snapshot && !entry.is_going) {
        return address;
      }
    }
  }
  return std::nullopt;
}

// ---- taking one

void Snapshots::create(const Request& request, control::Reply reply) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    reply.send(no_snapshots(request.address));
    return;
  }
  Volume& volume = found->second;
  const std::string what = to_string(request.address) + ": snapshot: ";
  if (volume.creation.step != Step::none || volume.is_saving) {
    reply.send(fail_with(Errc::busy, 0, what + "another one is just being taken or deleted"));
    return;
  }
  if (parts_.is_in_use(request.snapshot)) {
    reply.send(fail_with(Errc::already_exists, 0,
                         fmt::format("{}{} is exported already (take another address)", what,
                                     to_string(request.snapshot))));
    return;
  }
  if (auto possible = parts_.check_sharing(request.snapshot, request.address); !possible) {
    reply.send(fail(std::move(possible).error()));
    return;
  }
  if (volume.record.entries.size() >= SnapshotRecord::kEntriesMax) {
    reply.send(fail_with(Errc::no_space, 0,
                         fmt::format("{}{} are there already, and no more are kept (delete some)",
                                     what, volume.record.entries.size())));
    return;
  }
  Prng prng(os::random_seed());
  volume.creation.entry = {.address = request.snapshot,
                           .layer = {prng.next(), prng.next()},
                           .created_unix_seconds = static_cast<std::uint64_t>(std::time(nullptr)),
                           .path = {}};
  volume.creation.reply = std::move(reply);
  const bool has_layers = volume.store->snapshots() != 0;
  if (has_layers) {
    make_layer(volume);  // the file alone is not the store: a clone of it would be an older one
    return;
  }
  volume.creation.step = Step::quieting;
  volume.store->hold();
  parts_.wake(request.address);
}

void Snapshots::try_clone(Volume& volume) {
  Creation& creation = volume.creation;
  creation.step = Step::cloning;
  creation.entry.kind = SnapshotKind::clone;
  creation.entry.path =
      fmt::format("{}/{}-{}.clone", volume.config.snapshots, to_string(volume.config.address),
                  to_string(creation.entry.layer));
  run(
      volume,
      [from = path_of_base(volume.base_name), to = creation.entry.path] {
        return os::clone_file(from, to);
      },
      [this](Volume& still, const Result<void>& cloned) {
        still.store->resume();
        parts_.wake(still.config.address);
        if (!cloned && cloned.error().code == Errc::unsupported) {
          make_layer(still);
          return;
        }
        if (!cloned) {
          created(still, cloned);
          return;
        }
        still.creation.step = Step::recording;
        still.record.entries.push_back(still.creation.entry);
        save(still, {}, {}, [this](Volume& again, const Result<void>& saved) {
          if (!saved) {
            again.record.entries.pop_back();
            (void)storage::remove_layer(again.creation.entry.path);
          }
          created(again, saved);
        });
      });
}

void Snapshots::make_layer(Volume& volume) {
  Creation& creation = volume.creation;
  creation.step = Step::making;
  creation.entry.kind = SnapshotKind::layer;
  creation.entry.path =
      fmt::format("{}/{}-{}.layer", volume.config.snapshots, to_string(volume.config.address),
                  to_string(creation.entry.layer));
  storage::LayerHeader header;
  header.purpose = storage::LayerPurpose::snapshot;
  header.state = LayerState::preparing;
  header.id = creation.entry.layer;
  header.base = volume.base;
  header.base.sectors = volume.store->info().size_bytes / kSectorBytes;
  header.generation = 1;
  header.created_unix_seconds = creation.entry.created_unix_seconds;
  volume.base.sectors = header.base.sectors;
  volume.record.entries.push_back(creation.entry);
  save(
      volume, [header, path = creation.entry.path] { return storage::make_layer(path, header); },
      {},
      [this](Volume& still, const Result<void>& made) {
        if (!made) {
          still.record.entries.pop_back();
          (void)storage::remove_layer(still.creation.entry.path);
          created(still, made);
          return;
        }
        take(still);
      });
}

void Snapshots::take(Volume& volume) {
  volume.creation.step = Step::taking;
  storage::ReplayedLayer content;
  auto header = storage::peek_layer(volume.creation.entry.path);
  auto layer = Result<storage::OpenedLayer>(
      fail_with(Errc::busy, 0, "the size changed meanwhile (try again)"));
  if (!header) {
    layer = fail(std::move(header).error());
  } else if (header->base.sectors * kSectorBytes == volume.store->info().size_bytes) {
    content.header = *header;
    content.map = storage::LayerMap(header->base.sectors);
    layer = storage::open_layer(volume.creation.entry.path, std::move(content),
                                storage::SnapshotStore::kPerLayer,
                                parts_.engine_of(volume.config.address));
  }
  if (layer) {
    volume.store->take(std::move(*layer));
    parts_.wake(volume.config.address);
    return;
  }
  volume.record.entries.pop_back();
  save(
      volume, {}, [path = volume.creation.entry.path] { return storage::remove_layer(path); },
      [this, error = layer.error()](Volume& still, const Result<void>& /*saved*/) {
        created(still, fail(error));
      });
}

void Snapshots::poll_creation(Volume& volume) {
  if (volume.creation.step == Step::quieting && volume.store->is_quiet()) {
    try_clone(volume);
  }
  if (volume.creation.step != Step::taking || volume.store->is_taking()) {
    return;
  }
  volume.creation.step = Step::recording;
  const auto error = volume.store->take_error();
  if (!error) {
    created(volume, {});
    return;
  }
  volume.record.entries.pop_back();
  save(
      volume, {}, [path = volume.creation.entry.path] { return storage::remove_layer(path); },
      [this, error](Volume& still, const Result<void>& /*saved*/) {
        created(still, fail_with(Errc::io, 0,
                                 fmt::format("{}: {}", still.creation.entry.path,
                                             store_errc_name(*error))));
      });
}

void Snapshots::created(Volume& volume, const Result<void>& result) {
  Creation creation = std::exchange(volume.creation, Creation{});
  const std::string name = to_string(volume.config.address);
  auto outcome = result;
  if (outcome) {
    tell(volume, "snapshot_created",
         fmt::format("snapshot {} taken: a {}, {}", to_string(creation.entry.address),
                     kind_name(creation.entry.kind), creation.entry.path),
         {{"snapshot", to_string(creation.entry.address)}});
    outcome = start_export(volume, creation.entry);
  }
  if (!outcome) {
    const Error& error = outcome.error();
    creation.reply.send(
        fail_with(error.code, error.os_errno, name + ": snapshot: " + error.message));
    return;
  }
  creation.reply.send(Json{{"address", name},
                           {"snapshot", to_string(creation.entry.address)},
                           {"kind", kind_name(creation.entry.kind)},
                           {"path", creation.entry.path}});
}

// ---- letting one go

void Snapshots::destroy(const Request& request, control::Reply reply) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    reply.send(no_snapshots(request.address));
    return;
  }
  Volume& volume = found->second;
  SnapshotEntry* entry = entry_at(volume, request.snapshot);
  const std::string what = to_string(request.address) + ": snapshot: ";
  if (volume.creation.step != Step::none || volume.is_saving) {
    reply.send(fail_with(Errc::busy, 0, what + "another one is just being taken or deleted"));
    return;
  }
  if (entry == nullptr) {
    reply.send(fail_with(Errc::not_found, 0,
                         fmt::format("{}{} is none of its snapshots (see aoe target snapshot list)",
                                     what, to_string(request.snapshot))));
    return;
  }
  entry->is_going = true;
  auto shared = std::make_shared<control::Reply>(std::move(reply));
  save(volume, {}, {}, [this, request, shared](Volume& still, const Result<void>& saved) {
    const auto going =
        std::find_if(still.record.entries.rbegin(), still.record.entries.rend(),
                     [&](const SnapshotEntry& other) { return other.address == request.snapshot; });
    if (!saved) {
      if (going != still.record.entries.rend()) {
        going->is_going = false;
      }
      shared->send(fail(saved.error()));
      return;
    }
    tell(still, "snapshot_deleted",
         fmt::format("snapshot {} goes: its space comes back in the background",
                     to_string(request.snapshot)),
         {{"snapshot", to_string(request.snapshot)}});
    if (!parts_.stop(request.snapshot)) {
      export_gone(request.snapshot);
    }
    shared->send(
        Json{{"address", to_string(request.address)}, {"snapshot", to_string(request.snapshot)}});
  });
}

void Snapshots::export_gone(DeviceAddress snapshot) {
  for (auto& [address, volume] : volumes_) {
    for (const SnapshotEntry& entry : volume.record.entries) {
      if (entry.address == snapshot && entry.is_going && entry.kind == SnapshotKind::clone) {
        volume.clones_gone.push_back(snapshot);
      }
    }
  }
}

void Snapshots::poll_layers(Volume& volume) {
  while (const auto gone = volume.store->next_gone()) {
    volume.gone.push_back(*gone);
    if (volume.merging == *gone) {
      volume.merging.reset();
    }
  }
  for (SnapshotEntry& entry : volume.record.entries) {
    if (entry.kind != SnapshotKind::layer ||
        std::find(volume.gone.begin(), volume.gone.end(), entry.layer) != volume.gone.end()) {
      continue;
    }
    const auto index = index_of(volume, entry.layer);
    if (!index) {
      continue;
    }
    const storage::LayerStatus status = volume.store->status(*index);
    const bool is_merging = status.phase == LayerPhase::merging || status.is_full;
    if (is_merging && !entry.is_going) {
      // For lack of room: nobody asked for it.
      entry.is_going = true;
      volume.merging = entry.layer;
      tell(volume, "snapshot_lost",
           fmt::format("snapshot {} is given up: there is no room left to keep it",
                       to_string(entry.address)),
           {{"snapshot", to_string(entry.address)}});
      (void)parts_.stop(entry.address);
    } else if (entry.is_going && !is_merging && status.phase == LayerPhase::active &&
               !volume.merging && !parts_.is_in_use(entry.address)) {
      volume.merging = entry.layer;
      volume.store->remove(*index);
      parts_.wake(volume.config.address);
    }
  }
}

// Files of snapshots that have gone.
void Snapshots::poll_gone(Volume& volume) {
  if (volume.is_saving || volume.creation.step != Step::none ||
      (volume.gone.empty() && volume.clones_gone.empty())) {
    return;
  }
  std::vector<std::string> paths;
  std::erase_if(volume.record.entries, [&](const SnapshotEntry& entry) {
    const bool is_gone =
        entry.is_going &&
        (entry.kind == SnapshotKind::layer
             ? std::find(volume.gone.begin(), volume.gone.end(), entry.layer) != volume.gone.end()
             : std::find(volume.clones_gone.begin(), volume.clones_gone.end(), entry.address) !=
                   volume.clones_gone.end());
    if (is_gone) {
      paths.push_back(entry.path);
    }
    return is_gone;
  });
  volume.gone.clear();
  volume.clones_gone.clear();
  save(
      volume, {},
      [paths]() -> Result<void> {
        for (const std::string& path : paths) {
          AOE_TRY(storage::remove_layer(path));
        }
        return {};
      },
      [this](Volume& still, const Result<void>& removed) {
        if (!removed) {
          spdlog::error("{}: what a snapshot needed stays behind: {}",
                        to_string(still.config.address), removed.error().message);
          return;
        }
        tell(still, "snapshot_gone", "the space of a deleted snapshot is free again");
      });
}

// ---- looking

void Snapshots::poll() {
  for (auto& [address, volume] : volumes_) {
    if (volume.record.entries.empty() && volume.creation.step == Step::none) {
      continue;
    }
    if (volume.creation.step != Step::none) {
      poll_creation(volume);
    }
    poll_layers(volume);
    poll_gone(volume);
  }
}

void Snapshots::tell(const Volume& volume, const char* type, const std::string& text, Json more) {
  const bool is_bad = std::string_view(type) == "snapshot_lost";
  tell_of_volume(parts_.publish, volume.config.address,
                 is_bad ? daemon::Severity::error : daemon::Severity::info, type, text,
                 std::move(more));
}

Result<Json> Snapshots::list(DeviceAddress address) const {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    return no_snapshots(address);
  }
  const Volume& volume = found->second;
  Json snapshots = Json::array();
  for (const SnapshotEntry& entry : volume.record.entries) {
    Json json = {{"snapshot", to_string(entry.address)},
                 {"state", entry.is_going ? "going" : "kept"},
                 {"kind", kind_name(entry.kind)},
                 {"created_unix_seconds", entry.created_unix_seconds},
                 {"path", entry.path}};
    if (const auto index = index_of(volume, entry.layer);
        index && entry.kind == SnapshotKind::layer) {
      const storage::LayerStatus status = volume.store->status(*index);
      json["changed_sectors"] = status.layer_sectors;
      if (status.merge_error != StoreErrc::ok) {
        json["error"] = store_errc_name(status.merge_error);
      }
    }
    snapshots.push_back(std::move(json));
  }
  return Json{{"address", to_string(address)},
              {"snapshots", std::move(snapshots)},
              {"snapshots_max", SnapshotRecord::kEntriesMax}};
}

}  // namespace aoe::targetd
