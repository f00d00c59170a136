// The half of Daemon that changes what is exported while it runs.
#include "daemon/log.h"
#include "os/clock.h"
#include "targetd/daemon.h"
#include "targetd/export_opener.h"
#include "targetd/reload_plan.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace aoe::targetd {
namespace {

auto no_such_export(DeviceAddress address) {
  return fail_with(Errc::not_found, 0,
                   to_string(address) + ": no such export (see aoe target list)");
}

// What a shadow cannot be carried over to.
bool is_other_base(const ExportConfig& running, const ExportConfig& wanted) {
  return running.store != wanted.store || running.offset_sectors != wanted.offset_sectors ||
         running.length_sectors != wanted.length_sectors ||
         (running.mode == ExportMode::read_only) != (wanted.mode == ExportMode::read_only) ||
         running.shadow != wanted.shadow;
}

}  // namespace

Result<void> Daemon::add_export(const ExportConfig& config) {
  if (find_config(config.address) != nullptr || export_ids_.contains(config.address)) {
    return fail_with(Errc::already_exists, 0,
                     to_string(config.address) + ": export: the address is in use here already");
  }
  AOE_TRY(start_export(config));
  config_.exports.push_back(config);
  return {};
}

Result<void> Daemon::remove_export(DeviceAddress address, Force force) {
  const auto id = export_ids_.find(address);
  if (id == export_ids_.end()) {
    return no_such_export(address);
  }
  const target::Export* subject = shards_->of(address).core().find(id->second);
  const bool in_use = subject != nullptr && subject->stats.in_flight > 0;
  const bool is_reserved = subject != nullptr && !subject->persistent.reservation.empty();
  if (const auto owner = snapshots_->owner_of(address)) {
    return fail_with(
        Errc::busy, 0,
        fmt::format("{}: unexport: it is a snapshot of {} (aoe target snapshot delete)",
                    to_string(address), to_string(*owner)));
  }
  if (force == Force::no && snapshots_->has_any(address)) {
    return fail_with(Errc::busy, 0,
                     to_string(address) +
                         ": unexport: it has snapshots, and its newest writes are in their layers "
                         "(delete them, or use --force: they stay and count when it is exported "
                         "again)");
  }
  if (force == Force::no && freezer_->is_layered(address)) {
    return fail_with(Errc::busy, 0,
                     to_string(address) +
                         ": unexport: it is frozen, and its newest writes are in the shadow (thaw "
                         "it, or use --force: the shadow stays and counts when it is exported "
                         "again)");
  }
  if (force == Force::no && (in_use || is_reserved)) {
    return fail_with(
        Errc::busy, 0,
        fmt::format("{}: unexport: {} (use --force to do it all the same)", to_string(address),
                    in_use ? "requests are in flight" : "it is reserved"));
  }
  snapshots_->stop_exports(address);
  AOE_TRY(shards_->of(address).core().remove_export(os::monotonic_now(), id->second));
  std::erase_if(config_.exports,
                [address](const ExportConfig& item) { return item.address == address; });
  return {};
}

Result<void> Daemon::set_online(DeviceAddress address, target::TargetCore::Online online) {
  const auto id = export_ids_.find(address);
  if (id == export_ids_.end()) {
    return no_such_export(address);
  }
  target::TargetCore& core = shards_->of(address).core();
  const target::Export* subject = core.find(id->second);
  if (online == target::TargetCore::Online::yes && subject != nullptr &&
      subject->health == target::ExportHealth::failed) {
    // The store has latched its failed sync: only a store opened anew may serve writes again.
    const ExportConfig* config = find_config(address);
    if (config != nullptr) {
      return apply_change(*config, true);
    }
  }
  return core.set_online(os::monotonic_now(), id->second, online);
}

Result<std::uint64_t> Daemon::resize(DeviceAddress address, Force force) {
  const auto id = export_ids_.find(address);
  if (id == export_ids_.end()) {
    return no_such_export(address);
  }
  Shard& shard = shards_->of(address);
  const target::Export* subject = shard.core().find(id->second);
  storage::BlockStore* store = shard.store_of(id->second);
  if (subject == nullptr || store == nullptr) {
    return no_such_export(address);
  }
  if (snapshots_->has_any(address)) {
    return fail_with(Errc::busy, 0,
                     to_string(address) + ": resize: it has snapshots (delete them first)");
  }
  if (freezer_->is_layered(address)) {
    return fail_with(Errc::busy, 0,
                     to_string(address) +
                         ": resize: it is frozen (thaw it; growth is taken over then by itself)");
  }
  AOE_TRY_ASSIGN(const std::uint64_t size_bytes, store->refresh());
  const ExportConfig* config = find_config(address);
  const std::uint64_t sectors =
      exported_sectors(config == nullptr ? SizeGeometry::native : config->geometry, size_bytes);
  if (sectors < subject->settings.sector_count && force == Force::no) {
    return fail_with(
        Errc::not_permitted, 0,
        fmt::format("{}: resize: the backing has shrunk from {} to {} sectors; what is "
                    "behind the end is gone for its clients (use --force to say so)",
                    to_string(address), subject->settings.sector_count, sectors));
  }
  AOE_TRY(shard.core().resize(id->second, sectors));
  return sectors;
}

Result<void> Daemon::apply_change(const ExportConfig& wanted, bool needs_reopen) {
  const ExportId id = export_ids_.at(wanted.address);
  Shard& shard = shards_->of(wanted.address);
  const ExportConfig* running = find_config(wanted.address);
  if (running != nullptr && freezer_->is_layered(wanted.address) &&
      is_other_base(*running, wanted)) {
    return fail_with(Errc::busy, 0,
                     to_string(wanted.address) +
                         ": reload: it is frozen: its store, window, mode and shadow stay as they "
                         "are (thaw it first)");
  }
  if (needs_reopen && snapshots_->has_any(wanted.address)) {
    return fail_with(Errc::busy, 0,
                     to_string(wanted.address) +
                         ": it has snapshots, which are exported, too: it cannot be opened anew "
                         "while the daemon runs (delete them first, or start the daemon again)");
  }
  if (!needs_reopen) {
    freezer_->configure(wanted);
    overlays_->configure(wanted);
    snapshots_->configure(wanted);
    scrubber_->configure(wanted);
    storage::BlockStore* store = shard.store_of(id);
    if (store == nullptr) {
      return no_such_export(wanted.address);
    }
    return shard.core().update_settings(id,
                                        make_settings(wanted, config_.interfaces, store->info()));
  }
  // The old store has to be closed before the new one opens (exclusive block devices, one state):
  // for that moment the export is silent, and initiators retransmit.
  reopen_[wanted.address] = wanted;
  return shard.core().remove_export(os::monotonic_now(), id);
}

Result<std::string> Daemon::reload() {
  LoadedConfig loaded = load_config(options_);
  for (const config::Diagnostic& warning : loaded.diagnostics.warnings) {
    spdlog::warn("{}", to_string(warning));
  }
  if (!loaded.diagnostics.ok()) {
    return fail_with(Errc::invalid_argument, 0, config::joined_errors(loaded.diagnostics));
  }
  const config::ReloadPlan plan = diff({.running = config_, .wanted = loaded.config});
  const auto wanted_config = [&loaded](DeviceAddress address) -> const ExportConfig& {
    return *std::find_if(loaded.config.exports.begin(), loaded.config.exports.end(),
                         [address](const ExportConfig& item) { return item.address == address; });
  };
  std::string trouble;
  const auto note = [&trouble](const Result<void>& result) {
    if (!result) {
      trouble += (trouble.empty() ? "" : "; ") + result.error().message;
    }
  };
  for (const DeviceAddress address : plan.removed) {
    note(remove_export(address, Force::yes));
  }
  for (const config::ChangedItem& changed : plan.changed) {
    const ExportConfig& wanted = wanted_config(changed.address);
    const auto applied = apply_change(wanted, changed.needs_reopen());
    note(applied);
    if (!applied) {
      continue;
    }
    *std::find_if(config_.exports.begin(), config_.exports.end(), [&](const ExportConfig& item) {
      return item.address == changed.address;
    }) = wanted;
  }
  for (const DeviceAddress address : plan.added) {
    note(add_export(wanted_config(address)));
  }
  config_.log_level = loaded.config.log_level;
  daemon::set_log_level(config_.log_level);
  if (!trouble.empty()) {
    return fail_with(Errc::io, 0, to_string(plan) + "; " + trouble);
  }
  return to_string(plan);
}

}  // namespace aoe::targetd
