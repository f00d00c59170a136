#include "targetd/overlays.h"

#include "base/parse.h"
#include "base/prng.h"
#include "os/clock.h"
#include "os/error_text.h"
#include "os/random_seed.h"
#include "targetd/base_identity.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;
using storage::LayerState;
using storage::OverlayPhase;

constexpr std::string_view kSuffix = ".overlay";
constexpr mode_t kDirectoryMode = 0700;
constexpr Duration kLook = Duration::seconds(1);
constexpr std::uint64_t kStatBlockBytes = 512;

const char* phase_name(OverlayPhase phase) {
  switch (phase) {
    case OverlayPhase::expected:
    case OverlayPhase::closed:
      return "idle";
    case OverlayPhase::wanted:
      return "opening";
    case OverlayPhase::open:
      return "open";
    case OverlayPhase::closing:
      return "closing";
    case OverlayPhase::refused:
      return "unusable";
  }
  return "idle";
}

std::int64_t seconds_of(Duration duration) {
  return duration.ns / 1'000'000'000;
}

}  // namespace

void Overlays::run(const Volume& volume, std::function<Result<void>()> job, Next next) {
  run_for_volume(parts_.run_blocking, volumes_, volume, std::move(job),
                 [this, then = std::move(next)](Volume& still, const Result<void>& result) {
                   const DeviceAddress address = still.config.address;
                   then(still, result);
                   parts_.wake(address);
                 });
}

Error Overlays::none_at(DeviceAddress address) {
  return {.code = Errc::unsupported,
          .os_errno = 0,
          .message = to_string(address) +
                     ": overlay: the export has none (see overlay in aoe-targetd.conf(5))"};
}

std::string Overlays::path_of(const ExportConfig& config, const MacAddress& initiator) {
  return fmt::format("{}/{}-{}{}", config.overlay, to_string(config.address),
                     to_bare_string(initiator), kSuffix);
}

// ---- exports come and go

Result<void> Overlays::add(const ExportConfig& config, storage::OverlayStore& store,
                           const std::string& base_name) {
  Volume volume;
  volume.serial = next_serial_++;
  volume.config = config;
  volume.store = &store;
  volume.base_name = base_name;
  volume.base = identity_of_base(config, base_name, store.info().size_bytes);
  volume.base.version = version_of_base(path_of_base(base_name));
  AOE_TRY(scan(volume));
  volumes_.insert_or_assign(config.address, std::move(volume));
  return {};
}

Result<void> Overlays::scan(Volume& volume) {
  const std::string& directory = volume.config.overlay;
  if (::mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return fail(os::os_error(errno, fmt::format("{}: overlay: {}: cannot make the directory",
                                                to_string(volume.config.address), directory)));
  }
  std::error_code error;
  std::filesystem::directory_iterator files(directory, error);
  if (error) {
    return fail(
        os::os_error(error.value(), fmt::format("{}: overlay: {}: cannot read the directory",
                                                to_string(volume.config.address), directory)));
  }
  const std::string prefix = to_string(volume.config.address) + "-";
  for (const auto& file : files) {
    const std::string name = file.path().filename();
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) {
      continue;
    }
    const auto initiator = parse_mac_address(
        std::string_view(name).substr(prefix.size(), name.size() - prefix.size() - kSuffix.size()));
    if (!initiator) {
      continue;
    }
    const std::string path = path_of(volume.config, *initiator);
    const auto header = storage::peek_layer(path);
    if (header && header->state == LayerState::merged) {
      AOE_TRY(storage::remove_layer(path));  // a commit had come that far
      continue;
    }
    const bool is_merging = header && header->state == LayerState::merging;
    if (const auto fits =
            header ? storage::check_base(*header,
                                         is_merging ? without_version(volume.base) : volume.base,
                                         {path, to_string(volume.config.address)})
                   : Result<void>(fail(header.error()));
        !fits && !is_merging) {
      spdlog::warn("{}: its initiator will meet errors", fits.error().message);
    }
    volume.layers[*initiator] = {.path = path};
    volume.store->expect(*initiator);
    if (is_merging) {
      // The base is between two states: nobody sees it before it is whole again.
      volume.commit = Commit{.initiator = *initiator};
      volume.store->hold();
      spdlog::warn("{}: a commit of {} goes on; requests wait for it",
                   to_string(volume.config.address), to_string(*initiator));
    }
  }
  return {};
}

void Overlays::remove(DeviceAddress address) {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    return;
  }
  const auto gone =
      fail_with(Errc::unavailable, 0, to_string(address) + ": overlay: it is no longer exported");
  for (const Leaving& leaving : found->second.leaving) {
    leaving.command->reply.send(gone);
  }
  if (found->second.commit) {
    for (control::Reply& reply : found->second.commit->replies) {
      reply.send(gone);
    }
  }
  volumes_.erase(found);
}

void Overlays::configure(const ExportConfig& config) {
  const auto found = volumes_.find(config.address);
  if (found != volumes_.end()) {
    found->second.config = config;
    found->second.was_refused = false;
  }
}

// ---- layers that are wanted

storage::LayerHeader Overlays::new_header(const Volume& volume, const MacAddress& initiator) {
  Prng prng(os::random_seed());
  storage::LayerHeader header;
  header.purpose = storage::LayerPurpose::overlay;
  header.state = LayerState::active;
  header.id = {prng.next(), prng.next()};
  header.base = volume.base;
  header.initiator = initiator;
  header.generation = 1;
  header.created_unix_seconds = static_cast<std::uint64_t>(std::time(nullptr));
  return header;
}

void Overlays::make(Volume& volume, const MacAddress& initiator) {
  if (volume.layers.size() >= volume.config.overlay_max) {
    volume.store->refuse(initiator, StoreErrc::no_space);
    if (!std::exchange(volume.was_refused, true)) {
      tell(volume, "overlay_refused",
           fmt::format("no overlay for {}: there are {} already; its writes fail (raise "
                       "overlay_max, or aoe target overlay drop some)",
                       to_string(initiator), volume.layers.size()),
           {{"mac", to_string(initiator)}});
    }
    return;
  }
  const storage::LayerHeader header = new_header(volume, initiator);
  const std::string path = path_of(volume.config, initiator);
  volume.layers[initiator] = {.path = path, .is_in_job = true};
  run(
      volume, [header, path] { return storage::make_layer(path, header); },
      [this, header, initiator](Volume& still, const Result<void>& made) {
        still.layers[initiator].is_in_job = false;
        if (made) {
          tell(still, "overlay_created", fmt::format("overlay of {} begins", to_string(initiator)),
               {{"mac", to_string(initiator)}});
          put_new(still, initiator, header);
          return;
        }
        still.layers.erase(initiator);
        still.store->refuse(initiator,
                            made.error().os_errno == ENOSPC ? StoreErrc::no_space : StoreErrc::io);
        tell(still, "overlay_refused", "no overlay: " + made.error().message,
             {{"mac", to_string(initiator)}});
      });
}

void Overlays::put_new(Volume& volume, const MacAddress& initiator,
                       const storage::LayerHeader& header) {
  storage::ReplayedLayer content;
  content.header = header;
  content.map = storage::LayerMap(header.base.sectors);
  put(volume, initiator, std::move(content));
}

void Overlays::open(Volume& volume, const MacAddress& initiator) {
  const std::string path = path_of(volume.config, initiator);
  auto content = std::make_shared<storage::ReplayedLayer>();
  volume.layers[initiator].is_in_job = true;
  run(
      volume,
      [content, path, initiator, base = volume.base,
       name = to_string(volume.config.address)]() -> Result<void> {
        // First: a header may name a base so large that its map does not fit memory.
        AOE_TRY_ASSIGN(const storage::LayerHeader header, storage::peek_layer(path));
        AOE_TRY(storage::check_base(header, base, {path, name}));
        AOE_TRY_ASSIGN(*content, storage::load_layer(path));
        if (content->header.initiator != initiator ||
            content->header.purpose != storage::LayerPurpose::overlay) {
          return fail_with(Errc::corrupt, 0, path + ": it is another initiator's layer");
        }
        return {};
      },
      [this, content, initiator](Volume& still, const Result<void>& loaded) {
        still.layers[initiator].is_in_job = false;
        if (!loaded) {
          refuse(still, initiator, loaded.error());
          return;
        }
        put(still, initiator, std::move(*content));
      });
}

void Overlays::put(Volume& volume, const MacAddress& initiator, storage::ReplayedLayer content) {
  auto layer = storage::open_layer(path_of(volume.config, initiator), std::move(content),
                                   storage::OverlayStore::kPerInitiator,
                                   parts_.engine_of(volume.config.address));
  if (!layer) {
    refuse(volume, initiator, layer.error());
    return;
  }
  volume.store->put(initiator, std::move(*layer));
}

void Overlays::refuse(Volume& volume, const MacAddress& initiator, const Error& error) {
  volume.store->refuse(initiator, StoreErrc::io);
  tell(volume, "overlay_unusable",
       fmt::format("the overlay of {} cannot be used, its requests fail: {} (aoe target overlay "
                   "drop gives it up)",
                   to_string(initiator), error.message),
       {{"mac", to_string(initiator)}});
}

// ---- looking

void Overlays::poll() {
  for (auto& [address, volume] : volumes_) {
    while (const auto wanted = volume.store->next_wanted()) {
      if (wanted->is_new) {
        make(volume, wanted->initiator);
      } else {
        open(volume, wanted->initiator);
      }
    }
    if (!volume.leaving.empty()) {
      poll_leaving(volume);
    }
    if (volume.commit) {
      poll_commit(volume);
    }
    if (const Instant now = os::monotonic_now(); now >= volume.next_look) {
      volume.next_look = now + kLook;
      look(volume);
    }
  }
}

void Overlays::look(Volume& volume) {
  for (auto& [initiator, layer] : volume.layers) {
    const auto status = volume.store->status(initiator);
    if (!status) {
      continue;
    }
    if (status->is_full && !std::exchange(layer.was_full, true)) {
      tell(volume, "overlay_full",
           fmt::format("the overlay of {} has no room left: its writes fail ({})",
                       to_string(initiator), layer.path),
           {{"mac", to_string(initiator)}});
    }
    if (status->phase == OverlayPhase::open && status->error != StoreErrc::ok &&
        !std::exchange(layer.was_failed, true)) {
      tell(volume, "overlay_failed",
           fmt::format("the overlay of {} failed ({}): what it had accepted may be lost, and its "
                       "writes fail until the export is opened anew",
                       to_string(initiator), store_errc_name(status->error)),
           {{"mac", to_string(initiator)}});
    }
  }
}

void Overlays::tell(const Volume& volume, const char* type, const std::string& text, Json more) {
  constexpr std::array<std::string_view, 5> kBad{"overlay_refused", "overlay_unusable",
                                                 "overlay_full", "overlay_failed",
                                                 "overlay_commit_stalled"};
  const bool is_bad = std::find(kBad.begin(), kBad.end(), std::string_view(type)) != kBad.end();
  tell_of_volume(parts_.publish, volume.config.address,
                 is_bad ? daemon::Severity::error : daemon::Severity::info, type, text,
                 std::move(more));
}

Json Overlays::status(DeviceAddress address) const {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    return {};
  }
  const Volume& volume = found->second;
  return {{"directory", volume.config.overlay},
          {"layers", volume.layers.size()},
          {"layers_max", volume.config.overlay_max},
          {"committing", volume.commit ? Json(to_string(volume.commit->initiator)) : Json(false)}};
}

void Overlays::list(DeviceAddress address, control::Reply reply) {
  const auto found = volumes_.find(address);
  if (found == volumes_.end()) {
    reply.send(aoe::fail(none_at(address)));
    return;
  }

  struct Seen {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t created_unix_seconds = 0;
  };

  auto seen = std::make_shared<std::map<MacAddress, Seen>>();
  for (const auto& [initiator, layer] : found->second.layers) {
    (*seen)[initiator].path = layer.path;
  }
  auto shared_reply = std::make_shared<control::Reply>(std::move(reply));
  run(
      found->second,
      [seen]() -> Result<void> {
        for (auto& [initiator, file] : *seen) {
          struct stat status {};

          if (::stat(file.path.c_str(), &status) == 0) {
            file.bytes = static_cast<std::uint64_t>(status.st_blocks) * kStatBlockBytes;
          }
          if (const auto header = storage::peek_layer(file.path)) {
            file.created_unix_seconds = header->created_unix_seconds;
          }
        }
        return {};
      },
      [seen, shared_reply](Volume& still, const Result<void>& /*looked*/) {
        Json overlays = Json::array();
        const Instant now = os::monotonic_now();
        for (const auto& [initiator, file] : *seen) {
          const auto status = still.store->status(initiator);
          if (!status) {
            continue;
          }
          Json entry = {{"mac", to_string(initiator)},
                        {"state", phase_name(status->phase)},
                        {"file_bytes", file.bytes},
                        {"created_unix_seconds", file.created_unix_seconds},
                        {"path", file.path}};
          if (status->phase == OverlayPhase::open) {
            entry["sectors"] = status->layer_sectors;
          }
          if (status->last_used) {
            entry["idle_seconds"] = seconds_of(now - *status->last_used);
          }
          if (status->error != StoreErrc::ok) {
            entry["error"] = store_errc_name(status->error);
          }
          overlays.push_back(std::move(entry));
        }
        shared_reply->send(Json{{"address", to_string(still.config.address)},
                                {"overlays", std::move(overlays)},
                                {"overlay_max", still.config.overlay_max}});
      });
}

}  // namespace aoe::targetd
