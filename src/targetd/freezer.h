// Freezes and thaws exports: shadows as files, the records of them, and what is told about it.
#pragma once

#include "base/ids.h"
#include "control/message.h"
#include "control/server.h"
#include "storage/layered_store.h"
#include "targetd/config.h"
#include "targetd/freeze_record.h"
#include "targetd/state_directory.h"
#include "targetd/volume_work.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aoe::targetd {

// The loop's thread only. Every export whose store can be frozen is registered with add() when it
// starts and leaves with remove() before its store goes.
class Freezer {
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
  };

  explicit Freezer(Parts parts) : parts_(std::move(parts)) {}

  // What an earlier run left: nothing, or a shadow that has to be put over the store first. The
  // export may not be served on an error: writes that were acknowledged are in the shadow.
  // `store` stays where it is until remove(); null: it cannot be frozen, and may not be.
  [[nodiscard]] Result<void> add(const ExportConfig& config, storage::LayeredStore* store,
                                 const std::string& base_name);
  void remove(DeviceAddress address);
  // Settings that count from the next freeze or thaw on.
  void configure(const ExportConfig& config);

  // Answers when the export is frozen (or was already), or why not.
  void freeze(DeviceAddress address, control::Reply reply);

  struct ThawRequest {
    DeviceAddress address;
    std::optional<std::uint64_t> bytes_per_second;  // instead of the configured rate; 0: no limit
  };

  // Answers when the merge has begun, or was under way, or there is nothing to merge.
  void thaw(const ThawRequest& request, control::Reply reply);

  // Looks what has changed; after every turn.
  void poll();

  // Of an export that can be frozen; null otherwise.
  [[nodiscard]] control::Json status(DeviceAddress address) const;

  // frozen or thawing: its size and store may not change.
  [[nodiscard]] bool is_layered(DeviceAddress address) const;
  // Exports that have `shadow` in their configuration.
  [[nodiscard]] std::vector<DeviceAddress> with_shadow() const;

 private:
  struct Volume {
    std::uint64_t serial = 0;  // tells this registration from a later one of the same address
    ExportConfig config;
    storage::LayeredStore* store = nullptr;
    storage::BaseIdentity base;
    FreezeRecord record;       // while there is a shadow
    bool is_making = false;    // the shadow's file
    bool is_marking = false;   // the record, that it thaws
    bool is_removing = false;  // the shadow's file
    bool was_full = false;     // told
    storage::LayerPhase told = storage::LayerPhase::none;
    StoreErrc told_error = StoreErrc::ok;
    unsigned told_tenths = 0;  // of a merge
    std::vector<control::Reply> freezing;
  };

  using Next = std::function<void(Volume&, const Result<void>&)>;

  [[nodiscard]] std::string shadow_path(const ExportConfig& config) const;
  // Runs `job` where it may block, then `next` unless the export has gone.
  void run(const Volume& volume, std::function<Result<void>()> job, Next next);
  void make_shadow(Volume& volume);
  void put_over(Volume& volume, const storage::LayerHeader& header);
  void give_up(Volume& volume, const Error& reason);
  void begin_thaw(Volume& volume);
  void save_record(const Volume& volume, Next next);
  void remove_shadow(Volume& volume);
  [[nodiscard]] static bool is_at_rest(const Volume& volume);
  void poll_one(Volume& volume);
  void poll_merge(Volume& volume, const storage::LayerStatus& status);
  void answer_freezing(Volume& volume, const Result<control::Json>& outcome);
  void tell(const Volume& volume, const char* type, const std::string& text,
            control::Json more = control::Json::object());
  [[nodiscard]] control::Json status_of(const Volume& volume) const;

  Parts parts_;
  std::map<DeviceAddress, Volume> volumes_;
  std::set<DeviceAddress> changing_;  // what poll() has to look at: few of thousands
  std::uint64_t next_serial_ = 1;
};

}  // namespace aoe::targetd
