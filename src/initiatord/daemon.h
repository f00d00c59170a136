// The initiator daemon: everything wired together, from start to stop.
#pragma once

#include "client/core_runner.h"
#include "control/server.h"
#include "daemon/event_throttle.h"
#include "daemon/port_view.h"
#include "daemon/program.h"
#include "frontends/block/attach_process.h"
#include "frontends/fuse/server.h"
#include "initiatord/attacher.h"
#include "initiatord/config.h"
#include "initiatord/device_keeper.h"
#include "initiatord/err_log.h"
#include "initiatord/event_history.h"
#include "initiatord/fuse_backend.h"
#include "initiatord/hand_over.h"
#include "initiatord/interface_set.h"
#include "initiatord/mount_record.h"
#include "initiatord/options.h"
#include "initiatord/takeover.h"
#include "initiatord/waiters.h"
#include "os/block_monitor.h"
#include "os/fuse_mount.h"
#include "os/notify.h"
#include "os/signals.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::initiatord {

// One daemon a process. Start it once, then run it until it ends.
class Daemon {
 public:
  explicit Daemon(Options options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Opens everything, serves until told to stop, closes everything; returns the exit status.
  [[nodiscard]] int run(const InitiatorConfig& config);

  // ---- What control requests do (control_methods.h)
  // ----------------------------------------------

  [[nodiscard]] const client::CoreRunner& runner() const { return *runner_; }

  [[nodiscard]] initiator::InitiatorCore& core() { return runner_->core(); }

  [[nodiscard]] DeviceKeeper& keeper() { return *keeper_; }

  [[nodiscard]] const EventHistory& events() const { return history_; }

  [[nodiscard]] const ErrLog& err_log() const { return err_log_; }

  [[nodiscard]] const InterfaceSet& interfaces() const { return *interfaces_; }

  // Uses these interfaces until the next change of the configuration. Errors: InterfaceSet::set.
  [[nodiscard]] Result<void> set_interfaces(const std::vector<std::string>& names);

  // See CoreRunner::limit_mtu.
  void limit_mtu(const std::string& interface, std::size_t mtu_bytes);

  // Whether devices that are not configured are opened when they are found.
  [[nodiscard]] bool opens_found_devices() const { return config_.open == OpenPolicy::found; }

  // Errors: unsupported (nothing is mounted, so there are no files to make block devices of).
  [[nodiscard]] Result<Attacher*> attacher();

  // A file of the device was opened.
  void handle_open(DeviceAddress address);

  // A file of the device was closed.
  void handle_release(DeviceAddress address);

  // The answer comes when it has happened, or with timed_out. Asks for the device until then.
  void wait_for(Waiters::Waiter waiter);

  // Loads the configuration again and applies what changed. Returns what was done, in words.
  [[nodiscard]] Result<std::string> reload();

  // Ends the daemon after this turn. busy: devices are in use, unless forced.
  [[nodiscard]] Result<void> stop(Force force);

 private:
  [[nodiscard]] Result<void> open_edges();
  [[nodiscard]] Result<void> open_mount();
  [[nodiscard]] Result<void> open_record(os::Fd kept);
  [[nodiscard]] Result<void> open_attacher();
  [[nodiscard]] Result<void> begin_serving();
  [[nodiscard]] Result<void> serve_mount();
  void finish_takeover(Instant now);
  [[nodiscard]] bool may_hand_over() const;
  void hand_over();
  void go_on_handing_over(Instant now);
  void record_use(DeviceAddress address);
  void end_mount();
  [[nodiscard]] Result<void> open_control();
  [[nodiscard]] Result<void> settle_privileges();
  void loop_until_stopped();
  void follow_links();
  void take_completions();
  void take_events(Instant now);
  void take_frame_notes();
  void handle_event(Instant now, const initiator::Event& event);
  // To all who follow events, and into the history and `err`.
  void tell(control::Json event);
  void handle_signal(int number);
  void report_interfaces(const InterfaceSet::Outcome& outcome);
  void do_periodic_work(Instant now);
  [[nodiscard]] std::string status_text();

  Options options_;
  InitiatorConfig config_;
  os::ServiceNotifier notifier_;
  std::unique_ptr<os::SignalSet> signals_;
  std::unique_ptr<block::AttachProcess> attach_process_;  // until the attacher has it
  std::unique_ptr<client::CoreRunner> runner_;
  std::unique_ptr<InterfaceSet> interfaces_;
  std::unique_ptr<DeviceKeeper> keeper_;
  FuseBackend fuse_backend_{*this};
  std::unique_ptr<os::FuseMount> mount_;  // null when nothing is mounted
  std::unique_ptr<fuse::Server> fuse_;    // likewise
  std::unique_ptr<control::Server> control_;
  std::unique_ptr<Attacher> attacher_;               // null when nothing is mounted
  std::unique_ptr<os::BlockMonitor> block_monitor_;  // likewise
  bool takes_over_ = false;                          // the mount of an earlier process
  std::optional<Takeover> takeover_;                 // until requests are answered
  std::optional<MountRecord> record_;                // while something is mounted
  Waiters waiters_;
  EventHistory history_;
  ErrLog err_log_;
  daemon::EventThrottle throttle_{{}};
  daemon::PortLog port_log_;
  bool is_stopping_ = false;
  std::optional<HandOver> hand_over_;  // once the next process is to go on
  bool stop_was_refused_ = false;  // a signal came while devices were in use: the next one forces
  Instant next_periodic_{};
  std::optional<Duration> watchdog_interval_;
};

}  // namespace aoe::initiatord
