#include "tools/target_snapshot.h"

#include "base/ids.h"
#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/daemon_view.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace aoe::tools {
namespace {

constexpr std::array kSnapshotFields{
    ListField{"snapshot", "SNAPSHOT", Align::left, false},
    ListField{"state", "STATE", Align::left, false},
    ListField{"kind", "KIND", Align::left, false},
    ListField{"created_unix_seconds", "CREATED", Align::right, false},
    ListField{"changed_sectors", "CHANGED", Align::right, false},
    ListField{"error", "ERROR", Align::left, false},
    ListField{"path", "FILE", Align::left, true},
};

class SnapshotCommand final : public DaemonCommand {
 public:
  SnapshotCommand()
      : DaemonCommand(
            kTargetDaemon,
            {"target.snapshot", DeviceArgument::none,
             "A snapshot is an export as it was at one moment, read-only, at an address of its "
             "own,\n"
             "while the export goes on. Where the file system can share blocks it is a clone of "
             "the\nfile; elsewhere what is written later goes into a layer. Snapshots stay over "
             "restarts.\ndelete gives the space back, in the background.\n\n"
             "  aoe target snapshot create e7.1 e7.101"}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Json wanted, params());
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY_ASSIGN(const Json result, client->call("target.snapshot." + action_, wanted));
    AOE_TRY(print_out(output() == OutputFormat::json ? json_document(result) : text_of(result)));
    return ExitStatus::ok;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.positional_choice({"ACTION", "", "What to do"}, action_, {"create", "list", "delete"},
                           Needed::yes);
    line.positional({"DEVICE", "", kTargetDaemon.device_help}, device_, Needed::yes);
    line.positional({"SNAPSHOT", "", "Where the snapshot is exported (e7.101): not with list"},
                    snapshot_, Needed::no);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    const auto put = [&params](const char* name, const std::string& text) -> Result<void> {
      const auto address = parse_device_address(text);
      if (!address) {
        return fail_with(Errc::invalid_argument, 0,
                         fmt::format("{}: not a device address (like e7.1)", text));
      }
      params[name] = to_string(*address);
      return {};
    };
    AOE_TRY(put("address", device_));
    if ((action_ == "list") != snapshot_.empty()) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("snapshot {}: {}", action_,
                                   snapshot_.empty() ? "which address is the snapshot's?"
                                                     : "takes a device only"));
    }
    return action_ == "list" ? Result<void>{} : put("snapshot", snapshot_);
  }

  [[nodiscard]] std::string text_of(const Json& result) const override {
    const auto snapshots = result.find("snapshots");
    return snapshots == result.end() ? "" : list_text(*snapshots, kSnapshotFields, output());
  }

 private:
  std::string action_;
  std::string device_;
  std::string snapshot_;
};

}  // namespace

std::unique_ptr<Command> make_target_snapshot_command() {
  return std::make_unique<SnapshotCommand>();
}

}  // namespace aoe::tools
