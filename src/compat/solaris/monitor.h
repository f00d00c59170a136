// The work of aoemon: watches the channels, reports what is odd, enables what checks in.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/directory_watch.h"
#include "compat/solaris/log_budget.h"
#include "compat/solaris/monitor_frames.h"
#include "compat/solaris/monitor_log.h"
#include "net/packet_port.h"
#include "os/link_monitor.h"
#include "os/signals.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace aoe::compat::solaris {

// Listens with packet ports of its own: the daemon's events tell what became of devices, but not
// the frames, and a network is to be watched without a daemon too. The kernel leaves out the
// answers to ATA commands that went well, so it costs nothing per request.
//
// Single thread. `log` outlives it.
class Monitor {
 public:
  // The directory of the channels is made if it is missing. Errors: io, not_permitted.
  [[nodiscard]] static Result<std::unique_ptr<Monitor>> open(const DaemonPlaces& places);

  // Until SIGTERM, SIGINT or SIGHUP. Trouble with a channel or the daemon is said, and no end.
  void run(MonitorLog& log);

 private:
  struct Watched {
    Channel channel;
    std::unique_ptr<net::PacketPort> port;
  };

  explicit Monitor(const DaemonPlaces& places) : places_(places), table_(places.channels) {}

  void wait();
  void look_at_directory();
  void follow_channels();
  void read_probe();
  void receive(const Watched& watched);
  void judge(const Watched& watched, ConstByteSpan frame);
  void report(const std::string& where, const FrameVerdict& verdict, ConstByteSpan frame);
  void note_check_in(const TargetAddress& target, const FrameVerdict& verdict);
  [[nodiscard]] bool is_probed(const TargetAddress& target) const;
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
  std::map<std::uint32_t, Watched> channels_;
  LogBudget budget_{LogBudget::Limits{}};
  std::set<TargetAddress> seen_;       // have checked in before; bounded
  std::set<TargetAddress> to_enable_;  // in this turn
  std::vector<AddressPattern> probed_;
  Instant probe_end_{};
};

}  // namespace aoe::compat::solaris
