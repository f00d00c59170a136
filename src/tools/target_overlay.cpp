#include "tools/target_overlay.h"

#include "base/ids.h"
#include "base/mac_address.h"
#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/daemon_view.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace aoe::tools {
namespace {

constexpr std::array kOverlayFields{
    ListField{"mac", "INITIATOR", Align::left, false},
    ListField{"state", "STATE", Align::left, false},
    ListField{"sectors", "WRITTEN", Align::right, false},
    ListField{"file_bytes", "ON DISK", Align::right, false},
    ListField{"idle_seconds", "IDLE", Align::right, false},
    ListField{"error", "ERROR", Align::left, false},
    ListField{"path", "FILE", Align::left, true},
};

class OverlayCommand final : public DaemonCommand {
 public:
  OverlayCommand()
      : DaemonCommand(
            kTargetDaemon,
            {"target.overlay", DeviceArgument::none,
             "Every initiator of an export with overlay=DIR writes into a layer of its own.\n"
             "list shows them; reset puts an empty layer in the place of one, and drop none: the\n"
             "initiator finds the base again; commit puts a layer into the base, for everybody, "
             "while\nrequests wait. What reset and drop take away is lost; they refuse while it is "
             "in use, and\ncommit while others have layers or the export is online, unless "
             "forced.\n\n  aoe target overlay list e7.1\n"
             "  aoe target overlay drop e7.1 52:54:00:12:34:56"}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Json wanted, params());
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY_ASSIGN(const Json result, client->call("target.overlay." + action_, wanted));
    AOE_TRY(print_out(output() == OutputFormat::json ? json_document(result) : text_of(result)));
    return ExitStatus::ok;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.positional_choice({"ACTION", "", "What to do"}, action_,
                           {"list", "reset", "drop", "commit"}, Needed::yes);
    line.positional({"DEVICE", "", kTargetDaemon.device_help}, device_, Needed::yes);
    line.positional({"MAC", "", "Whose layer: needed by commit; all of them where left out"}, mac_,
                    Needed::no);
    line.flag({"--force", "", "Even if somebody loses what is in use"}, force_);
  }

  // A commit ends when its layer is in the base.
  [[nodiscard]] Duration patience() const override {
    constexpr Duration kCommit = Duration::seconds(86'400);
    return action_ == "commit" ? kCommit : timeout_;
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    const auto address = parse_device_address(device_);
    if (!address) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: not a device address (like e7.1)", device_));
    }
    params["address"] = to_string(*address);
    if (action_ == "list") {
      if (!mac_.empty() || force_) {
        return fail_with(Errc::invalid_argument, 0, "overlay list: takes a device only");
      }
      return {};
    }
    if (mac_.empty() && action_ == "commit") {
      return fail_with(Errc::invalid_argument, 0, "overlay commit: whose layer? (a MAC)");
    }
    if (!mac_.empty()) {
      const auto mac = parse_mac_address(mac_);
      if (!mac) {
        return fail_with(Errc::invalid_argument, 0,
                         fmt::format("{}: not a MAC address (like 52:54:00:12:34:56)", mac_));
      }
      params["mac"] = to_string(*mac);
    }
    params["force"] = force_;
    return {};
  }

  [[nodiscard]] std::string text_of(const Json& result) const override {
    const auto overlays = result.find("overlays");
    return overlays == result.end() ? "" : list_text(*overlays, kOverlayFields, output());
  }

 private:
  std::string action_;
  std::string device_;
  std::string mac_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_target_overlay_command() {
  return std::make_unique<OverlayCommand>();
}

}  // namespace aoe::tools
