// Takes snapshots of exports, exports them, and lets them go: files, records and what is told.
#pragma once

#include "base/ids.h"
#include "control/message.h"
#include "control/server.h"
#include "storage/snapshot_store.h"
#include "targetd/config.h"
#include "targetd/snapshot_record.h"
#include "targetd/state_directory.h"
#include "targetd/volume_work.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

// The loop's thread only. Every export with `snapshots` is registered with add() before it starts
// and leaves with remove().
//
// Where the file system can share blocks between files, a snapshot is a clone of the store's file.
// Elsewhere it is what lies below a layer.
class Snapshots {
 public:
  struct Parts {
    EngineOf engine_of;
    StateDirectory& states;
    std::string state_dir;
    // Runs the first function where it may block and then the second on this thread.
    RunBlocking run_blocking;
    // Work of the export's store has begun: it has to be polled.
    std::function<void(DeviceAddress)> wake;
    std::function<void(const control::Json&)> publish;
    // Exports a snapshot of the export with that address: from this store, or what its
    // configuration names.
    std::function<Result<void>(const ExportConfig&, DeviceAddress,
                               std::unique_ptr<storage::BlockStore>)>
        start;
    // Whether a snapshot can have that address and share the store of the export with the other.
    std::function<Result<void>(DeviceAddress snapshot, DeviceAddress owner)> check_sharing;
    // Begins to stop that; export_gone() tells when. False if it is not exported.
    std::function<bool(DeviceAddress)> stop;
    std::function<bool(DeviceAddress)> is_in_use;
  };

  explicit Snapshots(Parts parts) : parts_(std::move(parts)) {}

  // Puts the layers of earlier snapshots over the store. The export may not be served on an error:
  // its newest writes are in them. `store` stays where it is until remove(); null: the export has
  // no `snapshots`, and must have none. Blocks: for the start of an export.
  [[nodiscard]] Result<void> add(const ExportConfig& config, storage::SnapshotStore* store,
                                 const std::string& base_name);
  // Exports what there is, once the export itself is.
  void start_exports(DeviceAddress address);
  // Stops exporting what there is of an export that is about to go.
  void stop_exports(DeviceAddress address);
  void remove(DeviceAddress address);
  void configure(const ExportConfig& config);

  // An export of ours has gone.
  void export_gone(DeviceAddress snapshot);

  struct Request {
    DeviceAddress address;
    DeviceAddress snapshot;
  };

  // Answers when the snapshot is taken and exported, or why not.
  void create(const Request& request, control::Reply reply);
  // Answers when it is no longer exported, and will go whatever happens; its space comes back
  // later.
  void destroy(const Request& request, control::Reply reply);
  [[nodiscard]] Result<control::Json> list(DeviceAddress address) const;

  [[nodiscard]] bool has_any(DeviceAddress address) const;
  // Whose snapshot is exported there.
  [[nodiscard]] std::optional<DeviceAddress> owner_of(DeviceAddress snapshot) const;

  // Looks what has changed; after every turn.
  void poll();

 private:
  // Of a snapshot that is being taken.
  enum class Step : std::uint8_t { none, quieting, cloning, making, taking, recording };

  struct Creation {
    Step step = Step::none;
    SnapshotEntry entry;
    control::Reply reply{};
  };

  struct Volume {
    std::uint64_t serial = 0;  // tells this registration from a later one of the same address
    ExportConfig config;
    storage::SnapshotStore* store = nullptr;
    std::string base_name;
    storage::BaseIdentity base;
    SnapshotRecord record;
    Creation creation;
    bool is_saving = false;  // the record: one change at a time
    std::optional<storage::LayerId> merging;
    std::vector<storage::LayerId> gone;      // layers that are merged
    std::vector<DeviceAddress> clones_gone;  // clones that are no longer exported
  };

  using Next = std::function<void(Volume&, const Result<void>&)>;

  void run(const Volume& volume, std::function<Result<void>()> job, Next next);
  // Saves the record as it is now, after `job` and in front of `after`.
  void save(Volume& volume, std::function<Result<void>()> job, std::function<Result<void>()> after,
            Next next);
  [[nodiscard]] Result<void> put_layers(Volume& volume);
  [[nodiscard]] static std::optional<std::size_t> index_of(const Volume& volume,
                                                           const storage::LayerId& layer);
  [[nodiscard]] static SnapshotEntry* entry_at(Volume& volume, DeviceAddress snapshot);
  void try_clone(Volume& volume);
  void make_layer(Volume& volume);
  void take(Volume& volume);
  void created(Volume& volume, const Result<void>& result);
  [[nodiscard]] Result<void> start_export(Volume& volume, const SnapshotEntry& entry);
  void poll_creation(Volume& volume);
  void poll_layers(Volume& volume);
  void poll_gone(Volume& volume);
  void tell(const Volume& volume, const char* type, const std::string& text,
            control::Json more = control::Json::object());

  Parts parts_;
  std::map<DeviceAddress, Volume> volumes_;
  std::uint64_t next_serial_ = 1;
};

}  // namespace aoe::targetd
