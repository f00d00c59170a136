// The work of aoemon: watches the channels, reports what is odd, enables what checks in, and keeps
// in step what hangs on the daemon.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/daemon_follower.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/directory_watch.h"
#include "compat/solaris/log_budget.h"
#include "compat/solaris/monitor_frames.h"
#include "compat/solaris/monitor_log.h"
#include "compat/solaris/open_probes.h"
#include "net/packet_port.h"
#include "os/block_monitor.h"
#include "os/link_monitor.h"
#include "os/signals.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aoe::compat::solaris {

// Listens with packet ports of its own: the daemon's events tell what became of devices, but not
// the frames, and a network is to be watched without a daemon too. The kernel leaves out the
// answers to ATA commands that went well, so it costs nothing per request. What only the daemon can
// know, that a request was never answered, comes with its events.
//
// A daemon that was started anew knows nothing of channels and of aoed.conf: it is told.
//
// Single thread. `log` outlives it.
class Monitor {
 public:
  // Names the disks; returns what people should know, a line each.
  using NameDisks = std::function<Result<std::vector<std::string>>(control::Client& client)>;

  // The directory of the channels is made if it is missing. Without `name_disks` none are named.
  // Errors: io, not_permitted.
  [[nodiscard]] static Result<std::unique_ptr<Monitor>> open(const DaemonPlaces& places,
                                                             NameDisks name_disks);

  // Until SIGTERM, SIGINT or SIGHUP. Trouble with a channel or the daemon is said, and no end.
  void run(MonitorLog& log);

 private:
  struct Watched {
    Channel channel;
    std::unique_ptr<net::PacketPort> port;
  };

  Monitor(const DaemonPlaces& places, NameDisks name_disks)
      : places_(places),
        table_(places.channels),
        daemon_(places),
        name_disks_(std::move(name_disks)) {}

  void wait();
  void look_at_daemon(Instant now);
  [[nodiscard]] Result<void> tell_new_daemon();
  void handle_daemon_event(Instant now, const Json& event);
  void report_timeout(const Json& event);
  void want_names(Instant now);
  void keep_names(Instant now);
  void look_at_directory();
  void follow_channels();
  void read_probe();
  void receive(const Watched& watched);
  void judge(const Watched& watched, ConstByteSpan frame);
  void report(const std::string& where, const FrameVerdict& verdict, ConstByteSpan frame);
  void note_check_in(const TargetAddress& target, const FrameVerdict& verdict);
  void enable_targets();
  [[nodiscard]] Result<void> enable(const std::set<TargetAddress>& targets);

  // With a limit: what strangers cause.
  void say_within_budget(Severity severity, const std::vector<std::string>& lines);

  DaemonPlaces places_;
  ChannelTable table_;
  MonitorLog* log_ = nullptr;  // while it runs
  std::unique_ptr<os::SignalSet> signals_;
  std::unique_ptr<os::LinkMonitor> links_;
  std::unique_ptr<DirectoryWatch> watch_;
  DaemonFollower daemon_;
  NameDisks name_disks_;
  std::unique_ptr<os::BlockMonitor> blocks_;  // when disks are named
  std::optional<Instant> names_due_;
  std::vector<std::string> unnamed_;  // that was said already
  std::map<std::uint32_t, Watched> channels_;
  LogBudget budget_{LogBudget::Limits{}};
  std::set<TargetAddress> seen_;       // have checked in before; bounded
  std::set<TargetAddress> to_enable_;  // in this turn
  OpenProbes probes_;
};

}  // namespace aoe::compat::solaris
