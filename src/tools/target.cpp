#include "tools/target.h"

#include "base/ids.h"
#include "control/client.h"
#include "tools/command_line.h"
#include "tools/daemon_view.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aoe::tools {
namespace {

enum class Device : std::uint8_t { none, optional, needed };
// Whether the text form shows the answer, or success is silent.
enum class Answer : std::uint8_t { shown, silent };

// One method of the daemon: the arguments become its parameters, its result is printed.
class TargetCommand : public Command {
 public:
  struct Method {
    const char* name = "";  // "target.list"
    Device device = Device::none;
    const char* epilogue = "";
    Answer answer = Answer::shown;
  };

  explicit TargetCommand(Method method) : method_(method) {}

  void define(CommandLine& line) override {
    if (method_.device != Device::none) {
      line.positional({"DEVICE", "", "Export (e7.1)"}, device_,
                      method_.device == Device::needed ? Needed::yes : Needed::no);
    }
    define_more(line);
    line.option(
        {"--control", "PATH", "Control socket of the daemon (default /run/aoekit/target.sock)"},
        control_path_);
    line.option({"--timeout", "TIME", "How long to wait for its answer (default 30s)"}, timeout_);
    line.output_option(output_);
    if (*method_.epilogue != '\0') {
      line.epilogue(method_.epilogue);
    }
  }

  Result<ExitStatus> run() override {
    Json params = Json::object();
    if (!device_.empty()) {
      const auto address = parse_device_address(device_);
      if (!address) {
        return fail_with(Errc::invalid_argument, 0,
                         fmt::format("{}: not a device address (like e7.1)", device_));
      }
      params["address"] = to_string(*address);
    }
    AOE_TRY(add_params(params));
    AOE_TRY_ASSIGN(const auto client,
                   control::Client::connect(control_path_, {.timeout = timeout_}));
    AOE_TRY_ASSIGN(const Json result, client->call(method_.name, params));
    AOE_TRY(print_out(output_ == OutputFormat::json ? json_document(result) : text_of(result)));
    return ExitStatus::ok;
  }

 protected:
  virtual void define_more(CommandLine& /*line*/) {}

  [[nodiscard]] virtual Result<void> add_params(Json& /*params*/) const { return {}; }

  // What people see. By default: what the daemon says, and nothing where it says nothing.
  [[nodiscard]] virtual std::string text_of(const Json& result) const {
    return method_.answer == Answer::silent ? "" : fields_text(result);
  }

  [[nodiscard]] OutputFormat output() const { return output_; }

 private:
  Method method_;
  std::string device_;
  std::string control_path_ = "/run/aoekit/target.sock";
  Duration timeout_ = Duration::seconds(30);
  OutputFormat output_ = OutputFormat::text;
};

class ListCommand final : public TargetCommand {
 public:
  ListCommand() : TargetCommand({"target.list", Device::none, ""}) {}

 protected:
  [[nodiscard]] std::string text_of(const Json& result) const override {
    return exports_text(result, output());
  }
};

class StatsCommand final : public TargetCommand {
 public:
  StatsCommand()
      : TargetCommand({"target.stats", Device::optional,
                       "Counters since the daemon's start, of one export or of all and of the "
                       "interfaces."}) {}
};

class ExportCommand final : public TargetCommand {
 public:
  ExportCommand()
      : TargetCommand({"target.export", Device::needed,
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
  UnexportCommand() : TargetCommand({"target.unexport", Device::needed, "", Answer::silent}) {}

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
      : TargetCommand({"target.resize", Device::needed,
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

}  // namespace

std::unique_ptr<Command> make_target_list_command() {
  return std::make_unique<ListCommand>();
}

std::unique_ptr<Command> make_target_show_command() {
  return std::make_unique<TargetCommand>(TargetCommand::Method{"target.show", Device::needed, ""});
}

std::unique_ptr<Command> make_target_export_command() {
  return std::make_unique<ExportCommand>();
}

std::unique_ptr<Command> make_target_unexport_command() {
  return std::make_unique<UnexportCommand>();
}

std::unique_ptr<Command> make_target_online_command() {
  return std::make_unique<TargetCommand>(
      TargetCommand::Method{"target.online", Device::needed,
                            "Lets an export that is offline answer again.", Answer::silent});
}

std::unique_ptr<Command> make_target_offline_command() {
  return std::make_unique<TargetCommand>(TargetCommand::Method{
      "target.offline", Device::needed,
      "The export stays, but answers that the device is not available.", Answer::silent});
}

std::unique_ptr<Command> make_target_resize_command() {
  return std::make_unique<ResizeCommand>();
}

std::unique_ptr<Command> make_target_reload_command() {
  return std::make_unique<TargetCommand>(TargetCommand::Method{
      "target.reload", Device::none,
      "Applies a changed config file. Exports that it does not change keep running."});
}

std::unique_ptr<Command> make_target_stats_command() {
  return std::make_unique<StatsCommand>();
}

}  // namespace aoe::tools
