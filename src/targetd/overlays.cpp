#include "targetd/overlays.h"

#include "base/parse.h"
#include "base/prng.h"
#include "os/clock.h"
#include "os/error_text.h"
#include "os/random_seed.h"
#include "storage/store_spec.h"
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
// An initiator that asked for something so lately is at work.
constexpr Duration kInUse = Duration::seconds(60);
constexpr std::uint64_t kStatBlockBytes = 512;

auto no_overlays(DeviceAddress address) {
  return fail_with(Errc::unsupported, 0,
                   to_string(address) +
                       ": overlay: the export has none (see overlay in "
                       "aoe-targetd.conf(5))");
}

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

// What fits a base that we write to ourselves.
storage::BaseIdentity without_version(storage::BaseIdentity base) {
  base.version = 0;
  return base;
}

}  // namespace

Overlays::Volume* Overlays::find(DeviceAddress address, std::uint64_t serial) {
  const auto found = volumes_.find(address);
  return found != volumes_.end() && found->second.serial == serial ? &found->second : nullptr;
}

void Overlays::run(const Volume& volume, std::function<Result<void>()> job, Next next) {
  auto result = std::make_shared<Result<void>>();
  parts_.run_blocking([result, work = std::move(job)] { *result = work(); },
                      [this, result, address = volume.config.address, serial = volume.serial,
                       then = std::move(next)] {
                        if (Volume* still = find(address, serial); still != nullptr) {
                          then(*still, *result);
                          parts_.wake(address);
                        }
                      });
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
                                   storage::OverlayStore::kPerInitiator, parts_.engine);
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

// ---- reset and drop

Result<void> Overlays::check_unused(const Volume& volume, const EndRequest& request) const {
  if (request.force == Force::yes) {
    return {};
  }
  const Instant now = os::monotonic_now();
  for (const auto& [initiator, layer] : volume.layers) {
    const auto status = volume.store->status(initiator);
    if ((request.initiator && *request.initiator != initiator) || !status || !status->last_used ||
        now - *status->last_used > kInUse) {
      continue;
    }
    return fail_with(
        Errc::busy, 0,
        fmt::format(
            "{}: overlay {}: {} used it {} s ago, and the {} sectors that it wrote would be "
            "lost under its feet (stop it first, or use --force)",
            to_string(request.address), request.ending == Ending::reset ? "reset" : "drop",
            to_string(initiator), seconds_of(now - *status->last_used), status->layer_sectors));
  }
  return {};
}

void Overlays::end(const EndRequest& request, control::Reply reply) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    reply.send(no_overlays(request.address));
    return;
  }
  Volume& volume = found->second;
  if (volume.commit) {
    reply.send(
        fail_with(Errc::busy, 0, to_string(request.address) + ": overlay: a commit is under way"));
    return;
  }
  if (auto unused = check_unused(volume, request); !unused) {
    reply.send(fail(unused.error()));
    return;
  }
  std::vector<MacAddress> initiators;
  for (const auto& [initiator, layer] : volume.layers) {
    if (request.initiator && *request.initiator != initiator) {
      continue;
    }
    const bool is_leaving =
        std::any_of(volume.leaving.begin(), volume.leaving.end(),
                    [&](const Leaving& other) { return other.initiator == initiator; });
    if (layer.is_in_job || is_leaving) {
      reply.send(fail_with(Errc::busy, 0,
                           fmt::format("{}: overlay: that of {} is just being opened or ended (try "
                                       "again)",
                                       to_string(request.address), to_string(initiator))));
      return;
    }
    initiators.push_back(initiator);
  }
  auto command = std::make_shared<Command>();
  command->reply = std::move(reply);
  command->left = initiators.size() + 1;
  for (const MacAddress& initiator : initiators) {
    volume.store->close(initiator);
    volume.leaving.push_back({initiator, request.ending, command});
  }
  parts_.wake(request.address);
  ended(volume, {.initiator = {}, .ending = request.ending, .command = command}, {});
}

void Overlays::poll_leaving(Volume& volume) {
  for (std::size_t i = 0; i < volume.leaving.size(); ++i) {
    const Leaving leaving = volume.leaving[i];
    Layer& layer = volume.layers.at(leaving.initiator);
    const auto status = volume.store->status(leaving.initiator);
    if (!layer.is_in_job && status && status->phase == OverlayPhase::closed) {
      layer.is_in_job = true;
      end_one(volume, leaving);
    }
  }
}

void Overlays::end_one(Volume& volume, const Leaving& leaving) {
  const std::string path = path_of(volume.config, leaving.initiator);
  const storage::LayerHeader header = new_header(volume, leaving.initiator);
  const bool is_reset = leaving.ending == Ending::reset;
  auto is_removed = std::make_shared<bool>(false);
  run(
      volume,
      [path, header, is_reset, is_removed]() -> Result<void> {
        AOE_TRY(storage::remove_layer(path));
        *is_removed = true;
        return is_reset ? storage::make_layer(path, header) : Result<void>{};
      },
      [this, leaving, header, is_reset, is_removed, path](Volume& still,
                                                          const Result<void>& result) {
        std::erase_if(still.leaving,
                      [&](const Leaving& other) { return other.initiator == leaving.initiator; });
        still.layers[leaving.initiator] = {.path = path};
        if (result && is_reset) {
          put_new(still, leaving.initiator, header);
        } else {
          still.store->forget(leaving.initiator);
          if (*is_removed) {
            still.layers.erase(leaving.initiator);
            still.was_refused = false;
          } else {
            still.store->expect(leaving.initiator);
          }
        }
        if (result) {
          tell(still, is_reset ? "overlay_reset" : "overlay_dropped",
               fmt::format("overlay of {}: what it had written is gone",
                           to_string(leaving.initiator)),
               {{"mac", to_string(leaving.initiator)}});
        }
        ended(still, leaving, result);
      });
}

void Overlays::ended(Volume& volume, const Leaving& leaving, const Result<void>& result) {
  Command& command = *leaving.command;
  if (!result && !command.error) {
    command.error = result.error();
  }
  command.ended += result && !leaving.initiator.is_zero() ? 1U : 0U;
  if (--command.left > 0) {
    return;
  }
  if (command.error) {
    command.reply.send(fail(*command.error));
  } else {
    command.reply.send(
        Json{{"address", to_string(volume.config.address)}, {"ended", command.ended}});
  }
}

// ---- commit

void Overlays::commit(const CommitRequest& request, control::Reply reply) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    reply.send(no_overlays(request.address));
    return;
  }
  Volume& volume = found->second;
  const std::string name = to_string(request.address);
  const auto refused = [&](const std::string& why) {
    reply.send(fail_with(Errc::busy, 0, name + ": overlay commit: " + why));
  };
  if (volume.commit) {
    if (volume.commit->initiator == request.initiator) {
      volume.commit->replies.push_back(std::move(reply));
    } else {
      refused("that of " + to_string(volume.commit->initiator) + " is under way");
    }
    return;
  }
  if (!volume.layers.contains(request.initiator)) {
    // Committed, or never begun: there is nothing that the base lacks.
    reply.send(Json{{"address", name}, {"committed_sectors", 0}});
    return;
  }
  const bool is_changing = !volume.leaving.empty() ||
                           std::any_of(volume.layers.begin(), volume.layers.end(),
                                       [](const auto& entry) { return entry.second.is_in_job; });
  if (is_changing) {
    refused("overlays are just being opened or ended (try again)");
    return;
  }
  if (volume.layers.size() > 1 && request.force == Force::no) {
    refused(
        fmt::format("{} others have layers over the base as it is now, and would lose all they "
                    "wrote (drop them, or use --force)",
                    volume.layers.size() - 1));
    return;
  }
  if (request.is_online && request.force == Force::no) {
    refused(
        "the export is online, and the disk of every initiator that reads the base would change "
        "under its feet (aoe target offline first, or use --force)");
    return;
  }
  volume.commit = Commit{.initiator = request.initiator};
  volume.commit->replies.push_back(std::move(reply));
  volume.store->hold();
  tell(volume, "overlay_commit_started",
       fmt::format("the overlay of {} goes into {}; requests wait for it",
                   to_string(request.initiator), volume.base_name),
       {{"mac", to_string(request.initiator)}});
  parts_.wake(request.address);
}

void Overlays::poll_commit(Volume& volume) {
  Commit& commit = *volume.commit;
  switch (commit.step) {
    case CommitStep::quieting:
      if (volume.store->is_quiet()) {
        commit.step = CommitStep::closing;
        for (const auto& [initiator, layer] : volume.layers) {
          volume.store->close(initiator);
        }
        parts_.wake(volume.config.address);
      }
      return;
    case CommitStep::closing: {
      const bool are_closed =
          std::all_of(volume.layers.begin(), volume.layers.end(), [&volume](const auto& entry) {
            const auto status = volume.store->status(entry.first);
            return !status || status->phase == OverlayPhase::closed;
          });
      if (are_closed) {
        commit.step = CommitStep::loading;
        load_for_commit(volume);
      }
      return;
    }
    case CommitStep::loading:
    case CommitStep::removing:
      return;
    case CommitStep::merging: {
      const storage::LayerStatus status = volume.store->committer()->status();
      if (status.layer_error != StoreErrc::ok && status.phase != storage::LayerPhase::merged) {
        give_up_commit(volume, Error{.code = Errc::io,
                                     .message = fmt::format("the layer failed: {}",
                                                            store_errc_name(status.layer_error))});
        return;
      }
      if (status.merge_error != std::exchange(commit.told_error, status.merge_error) &&
          status.merge_error != StoreErrc::ok) {
        tell(volume, "overlay_commit_stalled",
             fmt::format("the commit stands still: {}; tried again every ten seconds",
                         store_errc_name(status.merge_error)));
      }
      if (status.phase == storage::LayerPhase::merged) {
        finish_commit(volume);
      }
      return;
    }
  }
}

void Overlays::load_for_commit(Volume& volume) {
  std::vector<std::string> others;
  for (const auto& [initiator, layer] : volume.layers) {
    if (initiator != volume.commit->initiator) {
      others.push_back(layer.path);
    }
  }
  auto content = std::make_shared<storage::ReplayedLayer>();
  run(
      volume,
      [content, others, path = path_of(volume.config, volume.commit->initiator), base = volume.base,
       name = to_string(volume.config.address)]() -> Result<void> {
        AOE_TRY_ASSIGN(storage::LayerHeader header, storage::peek_layer(path));
        if (header.state == LayerState::merging) {
          header.base.version = 0;
          AOE_TRY(storage::check_base(header, without_version(base), {path, name}));
        } else {
          AOE_TRY(storage::check_base(header, base, {path, name}));
        }
        AOE_TRY_ASSIGN(*content, storage::load_layer(path));
        // Only now: what is lost here is lost for a commit that can begin.
        for (const std::string& other : others) {
          AOE_TRY(storage::remove_layer(other));
        }
        return {};
      },
      [this, content](Volume& still, const Result<void>& loaded) {
        if (!loaded) {
          give_up_commit(still, loaded.error());
          return;
        }
        for (const MacAddress& initiator : still.store->initiators()) {
          if (initiator != still.commit->initiator) {
            still.store->forget(initiator);
            still.layers.erase(initiator);
          }
        }
        still.commit->sectors = content->map.mapped_sectors();
        if (auto started = start_merge(still, std::move(*content)); !started) {
          give_up_commit(still, started.error());
        }
      });
}

Result<void> Overlays::start_merge(Volume& volume, storage::ReplayedLayer content) {
  AOE_TRY_ASSIGN(const storage::StoreSpec spec, storage::parse_store_spec(volume.base_name));
  storage::StoreOptions options;
  options.offset_sectors = volume.config.offset_sectors;
  options.length_sectors = volume.config.length_sectors;
  options.in_flight_max = storage::OverlayStore::kPerInitiator;
  AOE_TRY_ASSIGN(auto base, storage::open_store(spec, options, parts_.engine));
  auto committer = std::make_unique<storage::LayeredStore>(
      std::move(base.store), storage::LayeredOptions{.when_full = storage::WhenFull::refuse});
  AOE_TRY_ASSIGN(auto layer, storage::open_layer(path_of(volume.config, volume.commit->initiator),
                                                 std::move(content),
                                                 committer->info().in_flight_max, parts_.engine));
  committer->attach(std::move(layer));
  committer->begin_merge();
  volume.store->begin_commit(std::move(committer));
  volume.commit->step = CommitStep::merging;
  parts_.wake(volume.config.address);
  return {};
}

void Overlays::finish_commit(Volume& volume) {
  volume.commit->step = CommitStep::removing;
  auto committer = volume.store->end_commit();
  (void)committer->detach();
  committer.reset();
  run(
      volume,
      [path = path_of(volume.config, volume.commit->initiator)] {
        return storage::remove_layer(path);
      },
      [this](Volume& still, const Result<void>& removed) {
        if (!removed) {
          spdlog::error("{}: a committed layer stays behind: {}", to_string(still.config.address),
                        removed.error().message);
        }
        Commit commit = std::move(*still.commit);
        still.commit.reset();
        still.base.version = version_of_base(path_of_base(still.base_name));
        still.layers.erase(commit.initiator);
        still.was_refused = false;
        still.store->forget(commit.initiator);
        still.store->resume();
        tell(still, "overlay_committed",
             fmt::format("the overlay of {} is in the base: {} sectors",
                         to_string(commit.initiator), commit.sectors),
             {{"mac", to_string(commit.initiator)}});
        for (control::Reply& reply : commit.replies) {
          reply.send(Json{{"address", to_string(still.config.address)},
                          {"committed_sectors", commit.sectors}});
        }
      });
}

void Overlays::give_up_commit(Volume& volume, const Error& error) {
  Commit commit = std::move(*volume.commit);
  volume.commit.reset();
  (void)volume.store->end_commit();
  const std::string text =
      fmt::format("{}: overlay commit: {}", to_string(volume.config.address), error.message);
  const auto header = storage::peek_layer(path_of(volume.config, commit.initiator));
  const bool is_torn = header && header->state != LayerState::active;
  for (const MacAddress& initiator : volume.store->initiators()) {
    volume.store->forget(initiator);
    if (volume.layers.contains(initiator)) {
      volume.store->expect(initiator);
    }
  }
  if (is_torn) {
    // Part of the base is new already: nobody may see that.
    spdlog::error("{}; requests wait until the daemon is started again", text);
    volume.commit = Commit{.initiator = commit.initiator, .step = CommitStep::removing};
  } else {
    spdlog::error("{}", text);
    volume.store->resume();
    parts_.wake(volume.config.address);
  }
  for (control::Reply& reply : commit.replies) {
    reply.send(fail_with(error.code, error.os_errno, text));
  }
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
  const std::string address = to_string(volume.config.address);
  const std::string line = address + ": " + text;
  if (std::find(kBad.begin(), kBad.end(), std::string_view(type)) != kBad.end()) {
    spdlog::error("{}", line);
  } else {
    spdlog::info("{}", line);
  }
  more["type"] = type;
  more["address"] = address;
  more["text"] = line;
  parts_.publish(more);
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
    reply.send(no_overlays(address));
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
