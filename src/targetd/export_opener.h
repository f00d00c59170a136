// From the configuration of an export to a store and the settings that the core serves it with.
#pragma once

#include "base/result.h"
#include "storage/block_store.h"
#include "storage/integrity_store.h"
#include "storage/io_engine.h"
#include "storage/layered_store.h"
#include "storage/overlay_store.h"
#include "storage/snapshot_store.h"
#include "target/target_types.h"
#include "targetd/config.h"

#include <memory>
#include <string>
#include <vector>

namespace aoe::targetd {

struct OpenedExport {
  std::unique_ptr<storage::BlockStore> store;
  storage::LayeredStore* layered = nullptr;   // in `store`, where it can be frozen
  storage::OverlayStore* overlays = nullptr;  // in `store`, where every initiator has its own layer
  storage::SnapshotStore* snapshots = nullptr;   // in `store`, where snapshots can be taken
  storage::IntegrityStore* integrity = nullptr;  // in `store`, where it has checksums
  std::string base_name;                         // "file:/srv/a.img"
  target::ExportSettings settings;
  std::vector<std::string> warnings;  // odd sizes and the like, complete lines
};

// Opens the store and describes it. `interfaces` are the daemon's, in the order of its ports.
// Errors name the export, where it was configured, and what to do.
[[nodiscard]] Result<OpenedExport> open_export(const ExportConfig& config,
                                               const std::vector<std::string>& interfaces,
                                               storage::IoEngine& engine);

// The settings alone, for an export whose store stays open.
[[nodiscard]] target::ExportSettings make_settings(const ExportConfig& config,
                                                   const std::vector<std::string>& interfaces,
                                                   const storage::StoreInfo& info);

}  // namespace aoe::targetd
