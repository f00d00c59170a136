#include "targetd/export_opener.h"

#include "os/boot_identity.h"
#include "storage/integrity_file.h"
#include "storage/store_spec.h"
#include "target/ata_executor.h"
#include "targetd/base_identity.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::targetd {
namespace {

storage::DirectIo store_direct(DirectIo direct) {
  switch (direct) {
    case DirectIo::automatic:
      return storage::DirectIo::automatic;
    case DirectIo::on:
      return storage::DirectIo::on;
    case DirectIo::off:
      return storage::DirectIo::off;
  }
  return storage::DirectIo::automatic;
}

target::WriteMode write_mode(ExportMode mode) {
  switch (mode) {
    case ExportMode::write_through:
      return target::WriteMode::write_through;
    case ExportMode::write_back:
      return target::WriteMode::write_back;
    case ExportMode::read_only:
      return target::WriteMode::read_only;
  }
  return target::WriteMode::write_through;
}

std::uint32_t port_mask(const ExportConfig& config, const std::vector<std::string>& interfaces) {
  if (config.interfaces.empty()) {
    return ~0U;
  }
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    const bool is_used = std::find(config.interfaces.begin(), config.interfaces.end(),
                                   interfaces[i]) != config.interfaces.end();
    mask |= is_used ? 1U << i : 0U;
  }
  return mask;
}

Result<storage::OpenedSums> open_checksums(const ExportConfig& config, OpenedExport& opened,
                                           const storage::StoreInfo& info,
                                           storage::IoEngine& engine) {
  const storage::BaseIdentity base = identity_of_base(config, opened.base_name, info.size_bytes);
  AOE_TRY_ASSIGN(auto sums, storage::open_sums({.path = config.integrity,
                                                .name_hash = base.name_hash,
                                                .base_sectors = base.sectors,
                                                .in_flight_max = info.in_flight_max},
                                               engine));
  if (sums.is_new) {
    opened.warnings.push_back(fmt::format(
        "{}: {} was not there and is new: nothing is checked before it was written, or before the "
        "first scrub (aoe target scrub)",
        to_string(config.address), config.integrity));
  }
  return sums;
}

}  // namespace

std::uint64_t exported_sectors(SizeGeometry geometry, std::uint64_t store_bytes) {
  const std::uint64_t sectors = store_bytes / kSectorBytes;
  return geometry == SizeGeometry::chs ? sectors / kCylinderSectors * kCylinderSectors : sectors;
}

target::ExportSettings make_settings(const ExportConfig& config,
                                     const std::vector<std::string>& interfaces,
                                     const storage::StoreInfo& info) {
  target::ExportSettings settings;
  settings.address = config.address;
  settings.sector_count = exported_sectors(config.geometry, info.size_bytes);
  settings.mode = write_mode(config.mode);
  settings.buffer_count = static_cast<std::uint16_t>(config.buffers);
  settings.allow_policy = config.allow.any ? target::AllowPolicy::any : target::AllowPolicy::listed;
  settings.allow = config.allow.macs;
  switch (config.remote_admin.who) {
    case RemoteAdmin::Who::initiators:
      settings.remote_admin = target::RemoteAdmin::initiators;
      break;
    case RemoteAdmin::Who::none:
      settings.remote_admin = target::RemoteAdmin::none;
      break;
    case RemoteAdmin::Who::listed:
      settings.remote_admin = target::RemoteAdmin::listed;
      break;
  }
  settings.admins = config.remote_admin.macs;
  settings.port_mask = port_mask(config, interfaces);
  if (!config.model.empty()) {
    settings.model = config.model;
  }
  settings.serial = config.serial;
  settings.can_discard = info.can_discard;
  settings.discard_reads_zero = info.discard_reads_zero;
  settings.physical_block_bytes = info.physical_block_bytes;
  settings.is_rotational = info.is_rotational;
  settings.starts_online = !config.start_offline;
  settings.service.all = {.requests_per_second = config.iops,
                          .bytes_per_second = config.bandwidth_bytes};
  settings.service.each = {.requests_per_second = config.initiator_iops,
                           .bytes_per_second = config.initiator_bandwidth_bytes};
  for (const InitiatorWeight& item : config.weights) {
    settings.service.weights.push_back({item.mac, item.weight});
  }
  settings.has_duplicate_memory = config.duplicate_memory;
  settings.has_stale_write_guard = config.late_write_guard;
  // What the kernel has of a file lives as long as the machine runs.
  settings.cache_epoch = info.outlives_process ? os::boot_number(os::boot_identity()) : 0;
  return settings;
}

Result<OpenedExport> open_export(const ExportConfig& config,
                                 const std::vector<std::string>& interfaces,
                                 storage::IoEngine& engine) {
  storage::StoreOptions options;
  options.access = config.mode == ExportMode::read_only || !config.overlay.empty()
                       ? storage::Access::read_only
                       : storage::Access::read_write;
  options.direct = store_direct(config.direct);
  options.offset_sectors = config.offset_sectors;
  options.length_sectors = config.length_sectors;
  options.cache_bytes = config.cache_bytes;
  // One more for the flush that commits a group, two for a layered store's own work, one for a
  // scrub.
  options.in_flight_max = target::requests_per_export_max(config.buffers) + 4;
  const auto name_it = [&config](Error error) {
    error.message =
        fmt::format("{}: {}: {}", config.origin, to_string(config.address), error.message);
    return fail(std::move(error));
  };
  const auto spec = storage::parse_store_spec(config.store);
  if (!spec) {
    return name_it(spec.error());
  }
  auto store = storage::open_store(*spec, options, engine);
  if (!store) {
    return name_it(std::move(store).error());
  }
  OpenedExport opened;
  opened.base_name = to_string(*spec);
  if (!config.integrity.empty()) {
    auto sums = open_checksums(config, opened, store->store->info(), engine);
    if (!sums) {
      return name_it(std::move(sums).error());
    }
    auto integrity = std::make_unique<storage::IntegrityStore>(
        std::move(store->store), std::move(sums->file), sums->capacity_sectors);
    opened.integrity = integrity.get();
    store->store = std::move(integrity);
  }
  if (!config.overlay.empty()) {
    auto overlays = std::make_unique<storage::OverlayStore>(
        std::move(store->store), target::requests_per_export_max(config.buffers));
    opened.overlays = overlays.get();
    store->store = std::move(overlays);
  }
  if (!config.snapshots.empty()) {
    const std::uint32_t in_flight_max = store->store->info().in_flight_max;
    auto snapshots =
        std::make_unique<storage::SnapshotStore>(std::move(store->store), in_flight_max);
    opened.snapshots = snapshots.get();
    store->store = std::move(snapshots);
  }
  if (opened.overlays == nullptr && spec->backend == "file" && !store->store->info().is_read_only) {
    auto layered = std::make_unique<storage::LayeredStore>(
        std::move(store->store),
        storage::LayeredOptions{.when_full = config.when_shadow_full == WhenShadowFull::thaw
                                                 ? storage::WhenFull::merge
                                                 : storage::WhenFull::refuse});
    opened.layered = layered.get();
    store->store = std::move(layered);
  }
  opened.settings = make_settings(config, interfaces, store->store->info());
  opened.store = std::move(store->store);
  const std::uint64_t store_sectors = opened.store->info().size_bytes / kSectorBytes;
  if (opened.settings.sector_count == 0 && store_sectors != 0) {
    return name_it({Errc::invalid_argument, 0,
                    fmt::format("geometry=chs: {} sectors are less than a cylinder of {} (make the "
                                "store larger, or leave geometry out)",
                                store_sectors, kCylinderSectors)});
  }
  if (const std::uint64_t rest = store_sectors - opened.settings.sector_count; rest != 0) {
    opened.warnings.push_back(
        fmt::format("{}: geometry=chs: the last {} sectors of the store are not exported",
                    to_string(config.address), rest));
  }
  for (const std::string& warning : store->warnings) {
    opened.warnings.push_back(fmt::format("{}: {}", to_string(config.address), warning));
  }
  if (opened.settings.sector_count % 2 != 0) {
    opened.warnings.push_back(fmt::format(
        "{}: {} sectors is an odd number: the Linux driver then reads and writes single "
        "sectors (make the image a multiple of 1024 bytes)",
        to_string(config.address), opened.settings.sector_count));
  }
  return opened;
}

}  // namespace aoe::targetd
