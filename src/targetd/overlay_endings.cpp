// How overlays end: reset and dropped on demand, or committed into their base.
#include "os/clock.h"
#include "storage/store_spec.h"
#include "targetd/base_identity.h"
#include "targetd/overlays.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;
using storage::LayerState;
using storage::OverlayPhase;

// An initiator that asked for something so lately is at work.
constexpr Duration kInUse = Duration::seconds(60);

}  // namespace

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
            to_string(initiator), (now - *status->last_used).ns / 1'000'000'000,
            status->layer_sectors));
  }
  return {};
}

void Overlays::end(const EndRequest& request, control::Reply reply) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    reply.send(aoe::fail(none_at(request.address)));
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
    const bool is_leaving = std::any_of(
        volume.leaving.begin(), volume.leaving.end(),
        [wanted = initiator](const Leaving& other) { return other.initiator == wanted; });
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
    reply.send(aoe::fail(none_at(request.address)));
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
  AOE_TRY_ASSIGN(auto base,
                 storage::open_store(spec, options, parts_.engine_of(volume.config.address)));
  auto committer = std::make_unique<storage::LayeredStore>(
      std::move(base.store), storage::LayeredOptions{.when_full = storage::WhenFull::refuse});
  AOE_TRY_ASSIGN(auto layer,
                 storage::open_layer(path_of(volume.config, volume.commit->initiator),
                                     std::move(content), committer->info().in_flight_max,
                                     parts_.engine_of(volume.config.address)));
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

}  // namespace aoe::targetd
