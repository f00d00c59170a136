#include "tools/devices.h"

#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/daemon_view.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

namespace aoe::tools {
namespace {

constexpr std::array kDeviceFields{
    ListField{"address", "DEVICE"},
    ListField{"state", "STATE"},
    ListField{"size_sectors", "SIZE", Align::right},
    ListField{"paths_live", "PATHS", Align::right},
    ListField{"payload_bytes", "PAYLOAD", Align::right},
    ListField{"interfaces", "INTERFACES"},
    ListField{"users", "USED BY"},
    ListField{"since_ns", "SINCE", Align::right, true},
    ListField{"paths_known", "PATHS KNOWN", Align::right, true},
    ListField{"read_only", "READ ONLY", Align::left, true},
    ListField{"configured", "CONFIGURED", Align::left, true},
};

constexpr std::array kPathFields{
    ListField{"interface", "INTERFACE"},
    ListField{"mac", "MAC"},
    ListField{"state", "STATE"},
    ListField{"payload_bytes", "PAYLOAD", Align::right},
    ListField{"window_frames", "WINDOW", Align::right},
    ListField{"in_flight_frames", "IN FLIGHT", Align::right},
    ListField{"srtt_ns", "RTT", Align::right},
    ListField{"rto_ns", "RTO", Align::right},
    ListField{"frames_sent", "SENT", Align::right},
    ListField{"retransmissions", "RESENT", Align::right},
    ListField{"frames_answered", "ANSWERED", Align::right, true},
    ListField{"losses", "LOST", Align::right, true},
    ListField{"rttvar_ns", "VARIATION", Align::right, true},
    ListField{"rtt_min_ns", "MIN", Align::right, true},
    ListField{"rtt_p50_ns", "P50", Align::right, true},
    ListField{"rtt_p99_ns", "P99", Align::right, true},
};

constexpr std::array kStatsFields{
    ListField{"address", "DEVICE"},
    ListField{"reads", "READS", Align::right},
    ListField{"sectors_read", "READ", Align::right},
    ListField{"writes", "WRITES", Align::right},
    ListField{"sectors_written", "WRITTEN", Align::right},
    ListField{"flushes", "FLUSHES", Align::right},
    ListField{"errors_all", "ERRORS", Align::right},
    ListField{"retransmissions", "RESENT", Align::right},
    ListField{"read_p99_ns", "READ P99", Align::right},
    ListField{"write_p99_ns", "WRITE P99", Align::right},
    ListField{"requests_in_flight", "IN FLIGHT", Align::right, true},
    ListField{"trims", "TRIMS", Align::right, true},
    ListField{"write_zeroes", "ZEROES", Align::right, true},
};

constexpr std::array kInterfaceFields{
    ListField{"interface", "INTERFACE"},
    ListField{"link_up", "LINK"},
    ListField{"mtu_bytes", "MTU", Align::right},
    ListField{"port", "PORT"},
    ListField{"mac", "MAC"},
    ListField{"rx_frames", "RECEIVED", Align::right},
    ListField{"tx_frames", "SENT", Align::right},
    ListField{"rx_dropped", "RX DROPPED", Align::right, true},
    ListField{"tx_dropped", "TX DROPPED", Align::right, true},
};

// Null where there is none, whatever a newer or broken daemon says.
Json member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return object.is_object() && found != object.end() ? *found : Json();
}

class InitiatorCommand : public DaemonCommand {
 public:
  explicit InitiatorCommand(const DaemonMethod& method) : DaemonCommand(kInitiatorDaemon, method) {}
};

class ListCommand final : public InitiatorCommand {
 public:
  ListCommand()
      : InitiatorCommand({"initiator.list", DeviceArgument::none,
                          "STATE is up, down (it was up before), searching (nothing answered yet), "
                          "quarantined (what answers is another disk) or disabled."}) {}

 protected:
  [[nodiscard]] std::string text_of(const Json& result) const override {
    return list_text(member(result, "devices"), kDeviceFields, output());
  }
};

class PathsCommand final : public InitiatorCommand {
 public:
  PathsCommand()
      : InitiatorCommand({"initiator.paths", DeviceArgument::needed,
                          "STATE is live, probing, suspect (its last frames expired), down (no "
                          "link) or quarantined\n(another disk answers there)."}) {}

 protected:
  [[nodiscard]] std::string text_of(const Json& result) const override {
    return list_text(member(result, "paths"), kPathFields, output());
  }
};

class ShowCommand final : public InitiatorCommand {
 public:
  ShowCommand() : InitiatorCommand({"initiator.show", DeviceArgument::needed}) {}

 protected:
  [[nodiscard]] std::string text_of(const Json& result) const override {
    Json fields = result;
    fields.erase("paths");
    const std::string paths = list_text(member(result, "paths"), kPathFields, output());
    return fields_text(fields) + (paths.empty() ? "" : "\npaths:\n") + paths;
  }
};

class StatsCommand final : public InitiatorCommand {
 public:
  StatsCommand()
      : InitiatorCommand({"initiator.stats", DeviceArgument::optional,
                          "Counters since the device was first seen; of one device with its paths, "
                          "of all with the interfaces."}) {}

 protected:
  [[nodiscard]] std::string text_of(const Json& result) const override {
    const Json devices = member(result, "devices");
    if (result.find("ports") == result.end() && devices.is_object() && devices.size() == 1) {
      return one_device(*devices.begin());
    }
    std::string text = list_text(rows_of(devices), kStatsFields, output());
    const std::string ports = list_text(member(result, "ports"), kInterfaceFields, output());
    text += (text.empty() || ports.empty() ? "" : "\n") + ports;
    if (output() == OutputFormat::wide) {
      text += "\n" + fields_text(member(result, "initiator"));
    }
    return text;
  }

 private:
  [[nodiscard]] std::string one_device(const Json& stats) const {
    Json fields = stats;
    fields.erase("paths");
    const std::string paths = list_text(member(stats, "paths"), kPathFields, output());
    return fields_text(fields) + (paths.empty() ? "" : "\npaths:\n") + paths;
  }

  // {"e7.1":{..}} -> [{"address":"e7.1",..}], with the latencies that a line has room for.
  static Json rows_of(const Json& devices) {
    Json rows = Json::array();
    if (!devices.is_object()) {
      return rows;
    }
    for (const auto& [address, stats] : devices.items()) {
      Json row = stats;
      row["address"] = address;
      const Json latency = member(stats, "latency");
      row["read_p99_ns"] = member(member(latency, "read"), "p99_ns");
      row["write_p99_ns"] = member(member(latency, "write"), "p99_ns");
      for (const char* name : {"paths", "latency", "errors"}) {
        row.erase(name);
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }
};

// Answered when the device does something: --timeout is how long that may take.
class WaitingCommand final : public InitiatorCommand {
 public:
  WaitingCommand(const DaemonMethod& method, Duration timeout) : InitiatorCommand(method) {
    timeout_ = timeout;
  }

 protected:
  void define_timeout(CommandLine& line) override {
    line.option({"--timeout", "TIME", "How long it may take (default 30s)"}, timeout_);
  }

  [[nodiscard]] Duration patience() const override {
    // The daemon gives up first, and says so better than we could.
    constexpr Duration kAnswerTime = Duration::seconds(10);
    return timeout_ + kAnswerTime;
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["timeout_ms"] = timeout_.ns / 1'000'000;
    return {};
  }
};

class FlushCommand final : public InitiatorCommand {
 public:
  FlushCommand()
      : InitiatorCommand({"initiator.flush", DeviceArgument::optional,
                          "Without a device: those that are down. What is in use is never taken.\n"
                          "A device that answers later is found again.",
                          Answer::silent}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.flag({"-a,--all", "", "All devices that nobody uses"}, all_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    if (all_ && params.contains("address")) {
      return fail_with(Errc::invalid_argument, 0,
                       "flush: a device and --all: expected one of them");
    }
    params["all"] = all_;
    return {};
  }

  // What was asked for and could not be had is an error, though the rest is done.
  [[nodiscard]] ExitStatus status_of(const Json& result) const override {
    bool failed = false;
    for (const Json& device : member(result, "kept")) {
      failed = all_;
      print_error(fmt::format("aoe: {}: flush: {}\n",
                              printable_text(plain_text(member(device, "address"))),
                              printable_text(plain_text(member(device, "why")))));
    }
    return failed ? ExitStatus::failed : ExitStatus::ok;
  }

 private:
  bool all_ = false;
};

class InterfacesCommand final : public InitiatorCommand {
 public:
  InterfacesCommand()
      : InitiatorCommand({"initiator.interfaces", DeviceArgument::none,
                          "With names: uses exactly these from now on, until the configuration "
                          "names others; auto is all\nreal Ethernet with carrier."}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.positional_rest({"IF", "", "Interfaces to use"}, names_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    if (!names_.empty()) {
      AOE_TRY_ASSIGN(params["set"], split_interfaces(names_));
    }
    return {};
  }

  [[nodiscard]] std::string text_of(const Json& result) const override {
    return list_text(member(result, "interfaces"), kInterfaceFields, output());
  }

 private:
  std::vector<std::string> names_;
};

// A method with the flag --force.
class ForcibleCommand final : public InitiatorCommand {
 public:
  ForcibleCommand(const DaemonMethod& method, const char* force_help)
      : InitiatorCommand(method), force_help_(force_help) {}

 protected:
  void define_more(CommandLine& line) override { line.flag({"--force", "", force_help_}, force_); }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["force"] = force_;
    return {};
  }

 private:
  const char* force_help_;
  bool force_ = false;
};

class AttachCommand final : public InitiatorCommand {
 public:
  AttachCommand()
      : InitiatorCommand(
            {"initiator.attach", DeviceArgument::needed,
             "Prints the path of the block device, which also has the name "
             "/dev/etherd/DEVICE.\nWAY is ublk, nbd, loop, or auto: the best that this "
             "kernel has."}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.option({"--via", "WAY", "What kind of block device (default auto)"}, via_);
    line.flag({"-r,--read-only", "", "Refuse to write"}, read_only_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["via"] = via_;
    params["read_only"] = read_only_;
    return {};
  }

  [[nodiscard]] std::string text_of(const Json& result) const override {
    return printable_text(plain_text(member(result, "block_device"))) + "\n";
  }

  [[nodiscard]] ExitStatus status_of(const Json& result) const override {
    if (via_ == "auto") {
      const std::string passed_over = plain_text(member(result, "passed_over"));
      print_error(fmt::format("aoe: {}: attached through {}{}\n",
                              printable_text(plain_text(member(result, "address"))),
                              printable_text(plain_text(member(result, "via"))),
                              passed_over.empty() ? "" : " (" + printable_text(passed_over) + ")"));
    }
    return ExitStatus::ok;
  }

 private:
  std::string via_ = "auto";
  bool read_only_ = false;
};

}  // namespace

std::unique_ptr<Command> make_list_command() {
  return std::make_unique<ListCommand>();
}

std::unique_ptr<Command> make_show_command() {
  return std::make_unique<ShowCommand>();
}

std::unique_ptr<Command> make_paths_command() {
  return std::make_unique<PathsCommand>();
}

std::unique_ptr<Command> make_stats_command() {
  return std::make_unique<StatsCommand>();
}

std::unique_ptr<Command> make_wait_command() {
  return std::make_unique<WaitingCommand>(
      DaemonMethod{"initiator.wait", DeviceArgument::needed,
                   "The exit status is 0 as soon as a path reaches the device, and 3 after the "
                   "time.",
                   Answer::silent},
      Duration::seconds(30));
}

std::unique_ptr<Command> make_attach_command() {
  return std::make_unique<AttachCommand>();
}

std::unique_ptr<Command> make_detach_command() {
  return std::make_unique<InitiatorCommand>(DaemonMethod{
      "initiator.detach", DeviceArgument::needed,
      "Refused while somebody uses the block device: unmount it first.", Answer::silent});
}

std::unique_ptr<Command> make_revalidate_command() {
  return std::make_unique<WaitingCommand>(
      DaemonMethod{"initiator.revalidate", DeviceArgument::needed,
                   "Asks the target what it is and how big, and looks for further paths. Both also "
                   "happen by\nthemselves from time to time.",
                   Answer::silent},
      Duration::seconds(30));
}

std::unique_ptr<Command> make_flush_command() {
  return std::make_unique<FlushCommand>();
}

std::unique_ptr<Command> make_interfaces_command() {
  return std::make_unique<InterfacesCommand>();
}

std::unique_ptr<Command> make_enable_command() {
  return std::make_unique<InitiatorCommand>(DaemonMethod{"initiator.enable", DeviceArgument::needed,
                                                         "Opens a device that was disabled.",
                                                         Answer::silent});
}

std::unique_ptr<Command> make_disable_command() {
  return std::make_unique<ForcibleCommand>(
      DaemonMethod{
          "initiator.disable", DeviceArgument::needed,
          "Closes the device and leaves it alone until it is enabled, or the daemon starts "
          "again.",
          Answer::silent},
      "Even while it is in use: its requests fail");
}

std::unique_ptr<Command> make_reload_command() {
  return std::make_unique<InitiatorCommand>(
      DaemonMethod{"initiator.reload", DeviceArgument::none,
                   "Applies a changed config file. Devices that it does not change keep running."});
}

std::unique_ptr<Command> make_stop_command() {
  return std::make_unique<ForcibleCommand>(
      DaemonMethod{"initiator.stop", DeviceArgument::none, "Ends the initiator daemon.",
                   Answer::silent},
      "Even while devices are in use: their requests fail");
}

}  // namespace aoe::tools
