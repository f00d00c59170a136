#include "tools/target.h"

#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/daemon_view.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace aoe::tools {
namespace {

constexpr std::array kExportFields{
    ListField{"address", "DEVICE", Align::left, false},
    ListField{"state", "STATE", Align::left, false},
    ListField{"size_sectors", "SIZE", Align::right, false},
    ListField{"mode", "MODE", Align::left, false},
    ListField{"interfaces", "INTERFACES", Align::left, false},
    ListField{"clients", "CLIENTS", Align::right, false},
    ListField{"buffers", "BUFFERS", Align::right, true},
    ListField{"store", "STORE", Align::left, false},
};

class TargetCommand : public DaemonCommand {
 public:
  explicit TargetCommand(const DaemonMethod& method) : DaemonCommand(kTargetDaemon, method) {}
};

class ListCommand final : public TargetCommand {
 public:
  ListCommand() : TargetCommand({"target.list", DeviceArgument::none, ""}) {}

 protected:
  [[nodiscard]] std::string text_of(const Json& result) const override {
    const auto exports = result.find("exports");
    return exports == result.end() ? "" : list_text(*exports, kExportFields, output());
  }
};

class StatsCommand final : public TargetCommand {
 public:
  StatsCommand()
      : TargetCommand({"target.stats", DeviceArgument::optional,
                       "Counters since the daemon's start, of one export or of all and of the "
                       "interfaces."}) {}
};

class ExportCommand final : public TargetCommand {
 public:
  ExportCommand()
      : TargetCommand({"target.export", DeviceArgument::needed,
                       "The export lives until the daemon ends or unexport; the config file is "
                       "not changed.\n\n  aoe target export e7.2 /srv/images/b.img "
                       "mode=read-only allow=any",
                       Answer::silent}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.positional({"STORE", "", "A path, or file:PATH, memory:SIZE, null:SIZE"}, store_,
                    Needed::yes);
    line.positional_rest({"KEY=VALUE", "", "Settings as of aoe-targetd -e, like mode=read-only"},
                         settings_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["store"] = store_;
    Json options = Json::object();
    for (const std::string& setting : settings_) {
      const std::size_t equals = setting.find('=');
      if (equals == std::string::npos || equals == 0) {
        return fail_with(Errc::invalid_argument, 0,
                         fmt::format("{}: not a setting (like mode=read-only)", setting));
      }
      const std::string key = setting.substr(0, equals);
      if (options.contains(key)) {
        return fail_with(Errc::invalid_argument, 0, fmt::format("{}: given twice", key));
      }
      options[key] = setting.substr(equals + 1);
    }
    params["options"] = std::move(options);
    return {};
  }

 private:
  std::string store_;
  std::vector<std::string> settings_;
};

class UnexportCommand final : public TargetCommand {
 public:
  UnexportCommand()
      : TargetCommand({"target.unexport", DeviceArgument::needed, "", Answer::silent}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.flag({"--force", "", "Even while clients use it"}, force_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["force"] = force_;
    return {};
  }

 private:
  bool force_ = false;
};

class ResizeCommand final : public TargetCommand {
 public:
  ResizeCommand()
      : TargetCommand({"target.resize", DeviceArgument::needed,
                       "The daemon looks at the store and takes the size it has now. Growth it "
                       "notices by itself within a second."}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.flag({"--force", "", "Also a smaller size: what is behind the end is gone"}, force_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["force"] = force_;
    return {};
  }

 private:
  bool force_ = false;
};

class MoveCommand final : public TargetCommand {
 public:
  MoveCommand()
      : TargetCommand({"target.move", DeviceArgument::needed,
                       "Config string, masks, serial and counters move along. The config file is "
                       "not changed: write the new address there, or the next reload undoes it."}) {
  }

 protected:
  void define_more(CommandLine& line) override {
    line.positional({"NEW", "", "Its new address, like e7.3"}, to_, Needed::yes);
    line.flag({"--force", "", "Even while clients use it, and over what e7.3 left"}, force_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    params["to"] = to_;
    params["force"] = force_;
    return {};
  }

 private:
  std::string to_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_target_list_command() {
  return std::make_unique<ListCommand>();
}

std::unique_ptr<Command> make_target_show_command() {
  return std::make_unique<TargetCommand>(DaemonMethod{"target.show", DeviceArgument::needed, ""});
}

std::unique_ptr<Command> make_target_export_command() {
  return std::make_unique<ExportCommand>();
}

std::unique_ptr<Command> make_target_unexport_command() {
  return std::make_unique<UnexportCommand>();
}

std::unique_ptr<Command> make_target_online_command() {
  return std::make_unique<TargetCommand>(
      DaemonMethod{"target.online", DeviceArgument::needed,
                   "Lets an export that is offline answer again.", Answer::silent});
}

std::unique_ptr<Command> make_target_offline_command() {
  return std::make_unique<TargetCommand>(DaemonMethod{
      "target.offline", DeviceArgument::needed,
      "The export stays, but answers that the device is not available.", Answer::silent});
}

std::unique_ptr<Command> make_target_resize_command() {
  return std::make_unique<ResizeCommand>();
}

std::unique_ptr<Command> make_target_move_command() {
  return std::make_unique<MoveCommand>();
}

std::unique_ptr<Command> make_target_reload_command() {
  return std::make_unique<TargetCommand>(
      DaemonMethod{"target.reload", DeviceArgument::none,
                   "Applies a changed config file. Exports that it does not change keep running."});
}

std::unique_ptr<Command> make_target_stats_command() {
  return std::make_unique<StatsCommand>();
}

}  // namespace aoe::tools
