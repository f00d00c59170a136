// The target daemon: everything wired together, from start to stop.
#pragma once

#include "control/server.h"
#include "daemon/event_throttle.h"
#include "daemon/port_view.h"
#include "daemon/program.h"
#include "os/child.h"
#include "os/link_monitor.h"
#include "os/notify.h"
#include "os/signals.h"
#include "runtime/event_loop.h"
#include "runtime/worker.h"
#include "targetd/config.h"
#include "targetd/export_opener.h"
#include "targetd/freeze_signals.h"
#include "targetd/freezer.h"
#include "targetd/options.h"
#include "targetd/overlays.h"
#include "targetd/scrubber.h"
#include "targetd/serving_record.h"
#include "targetd/shard_set.h"
#include "targetd/snapshots.h"
#include "targetd/state_directory.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aoe::targetd {

// One daemon a process. Start it once, then run it until it ends.
class Daemon {
 public:
  explicit Daemon(Options options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Opens everything, serves until told to stop, closes everything; returns the exit status.
  [[nodiscard]] int run(const TargetConfig& config);

  // ---- What control requests do (control_methods.h)
  // ----------------------------------------------

  [[nodiscard]] const TargetConfig& config() const { return config_; }

  [[nodiscard]] ShardSet& shards() { return *shards_; }

  [[nodiscard]] Freezer& freezer() { return *freezer_; }

  [[nodiscard]] Overlays& overlays() { return *overlays_; }

  [[nodiscard]] Snapshots& snapshots() { return *snapshots_; }

  [[nodiscard]] Scrubber& scrubber() { return *scrubber_; }

  [[nodiscard]] Result<void> add_export(const ExportConfig& config);

  // busy: it was used in the last seconds, unless forced.
  enum class Force : bool { no, yes };
  [[nodiscard]] Result<void> remove_export(DeviceAddress address, Force force);
  [[nodiscard]] Result<void> set_online(DeviceAddress address, target::TargetCore::Online online);

  struct MoveRequest {
    DeviceAddress from;
    DeviceAddress to;
    Force force = Force::no;
  };

  // Takes over the size of the backing as it is now; shrinking only when forced.
  [[nodiscard]] Result<std::uint64_t> resize(DeviceAddress address, Force force);
  // Loads the configuration again and applies what changed. Returns what was done, in words.
  [[nodiscard]] Result<std::string> reload();
  // Answers when the export serves under the other address, with all that it remembers.
  void move_export(const MoveRequest& request, control::Reply reply);
  // The exports that were added while it runs, as a configuration; the daemon stops then.
  [[nodiscard]] std::string hand_over_to_successor();
  [[nodiscard]] const ExportConfig* find_config(DeviceAddress address) const;

 private:
  [[nodiscard]] Result<void> open_edges();
  [[nodiscard]] Result<void> open_shards();
  [[nodiscard]] Result<void> open_control();
  [[nodiscard]] Result<void> watch_descriptors();
  [[nodiscard]] Result<void> start_export(const ExportConfig& config);
  [[nodiscard]] Result<void> start_opened(const ExportConfig& config, OpenedExport opened);
  [[nodiscard]] Result<void> check_sharing(DeviceAddress snapshot, DeviceAddress owner) const;
  // A snapshot of `owner`, exported from this store or from what its configuration names.
  [[nodiscard]] Result<void> start_snapshot(const ExportConfig& config, DeviceAddress owner,
                                            std::unique_ptr<storage::BlockStore> view);
  void make_volumes();

  // Everything that the state directory has of an export, whose lock is held.
  struct Remembered {
    target::PersistentState state;
    Duration hold;  // of plain writes
    std::optional<target::Handover> handover;
  };

  [[nodiscard]] Result<Remembered> remember(DeviceAddress address) const;
  // What the service before has left, if that holds. It is there once.
  [[nodiscard]] std::optional<target::Handover> fetch_handover(DeviceAddress address,
                                                               const HoldQuestion& question) const;
  void leave_handover(DeviceAddress address, ExportId id) const;
  // --replace: has the daemon that runs now stop, and takes its exports that we don't have.
  [[nodiscard]] Result<void> replace_running();
  [[nodiscard]] Result<void> record_serving(DeviceAddress address,
                                            std::optional<Instant> stopped) const;
  void record_stop(DeviceAddress address) const;
  [[nodiscard]] Result<void> apply_change(const ExportConfig& wanted, bool needs_reopen);
  [[nodiscard]] Result<void> settle_privileges();
  void loop_until_stopped();
  void take_news();
  void save_state(target::StateSave save);
  void handle_signal(int number);
  void handle_freeze_signal(int number);
  [[nodiscard]] Result<void> check_move(const MoveRequest& request) const;
  void carry_over(DeviceAddress from);
  void finish_move(DeviceAddress from, const Result<void>& carried);
  void handle_event(const target::TargetEvent& event);
  void print_ready(const target::Export& subject);
  void check_start_complete();
  void become_ready();
  void do_periodic_work(Instant now);
  void look_for_new_sizes();
  void look_for_new_size(const ExportConfig& config);
  void begin_stop(int exit_status);
  void save_all_states();
  [[nodiscard]] bool is_stop_complete();

  Options options_;
  TargetConfig config_;
  os::ServiceNotifier notifier_;
  std::unique_ptr<os::SignalSet> signals_;
  std::unique_ptr<StateDirectory> states_;
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<runtime::Worker> worker_;
  std::unique_ptr<os::LinkMonitor> links_;
  std::unique_ptr<ShardSet> shards_;
  std::unique_ptr<Freezer> freezer_;
  std::unique_ptr<Overlays> overlays_;
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<Scrubber> scrubber_;
  FreezeSignals freeze_signals_;
  std::unique_ptr<control::Server> control_;
  std::unique_ptr<os::ChildProcess> child_;
  std::map<DeviceAddress, ExportId> export_ids_;
  // Of snapshots: exported, but in no configuration file.
  std::map<DeviceAddress, ExportConfig> derived_;
  // Opened again, with a new configuration, when the old one has drained.
  std::map<DeviceAddress, ExportConfig> reopen_;

  // On its way to another address.
  struct Move {
    ExportConfig wanted;
    ExportConfig before;
    control::Reply reply;
  };

  std::map<DeviceAddress, Move> moves_;  // by the old address
  std::set<DeviceAddress> settling_;     // of the start: neither ready nor in conflict yet
  std::set<DeviceAddress> ready_;
  daemon::EventThrottle throttle_{{}};
  daemon::PortLog port_log_;
  bool is_ready_ = false;
  bool is_stopping_ = false;
  bool links_changed_ = false;
  int exit_status_ = daemon::kExitOk;
  Instant stop_deadline_;
  Instant next_periodic_;
  Instant next_state_save_;
  std::optional<Duration> watchdog_interval_;
};

}  // namespace aoe::targetd
