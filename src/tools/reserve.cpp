#include "tools/reserve.h"

#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace aoe::tools {
namespace {

using protocol::ReserveCommand;

class ReserveDeviceCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device (e7.1, or a URI)"}, device_, Needed::yes);
    line.positional_choice(
        {"ACTION", "", "list the holders; set: reserve; force: take it over; release it"}, action_,
        {"list", "set", "force", "release"}, Needed::yes);
    line.positional_rest(
        {"MAC", "", "Ethernet addresses that shall hold it (default: this host's own)"}, macs_);
    line.flag({"--force", "", "With release: even if this host does not hold it"}, force_);
    network_.define(line);
    line.output_option(output_);
    line.epilogue(
        "While a device is reserved, others cannot read or write it. set fails where somebody "
        "else\n"
        "holds it; force does not ask. Whether it survives a restart is up to the target.");
  }

  Result<ExitStatus> run() override {
    const bool takes_macs = action_ == "set" || action_ == "force";
    if (!takes_macs && !macs_.empty()) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("reserve: {}: takes no MAC", action_));
    }
    if (force_ && action_ != "release") {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("reserve: {}: --force belongs to release (the action force "
                                   "takes a device over)",
                                   action_));
    }
    AOE_TRY_ASSIGN(std::vector<MacAddress> macs, parse_macs(macs_));
    if (macs.size() > protocol::kMacListCountMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("reserve: {} addresses (at most {})", macs.size(),
                                   protocol::kMacListCountMax));
    }
    AOE_TRY_ASSIGN(const Contact contact, find_device(device_, network_));
    if (takes_macs && macs.empty()) {
      AOE_TRY_ASSIGN(macs, own_macs(*contact.session));
    }
    auto reserved =
        contact.session->reserve(contact.peer, command(), macs, contact.exchange_options());
    if (!reserved) {
      if (reserved.error().code == Errc::not_permitted) {
        reserved.error().message += fmt::format(" (aoe reserve {} {} does not ask)", device_,
                                                action_ == "release" ? "release --force" : "force");
      }
      return fail(std::move(reserved).error());
    }
    const std::vector<MacAddress>& list = *reserved;
    if (output_ == OutputFormat::json) {
      AOE_TRY(print_out(json_document(
          {{"address", to_string(contact.peer.address)}, {"holders", macs_json(list)}})));
    } else {
      AOE_TRY(print_out(macs_text(list)));
    }
    return ExitStatus::ok;
  }

 private:
  [[nodiscard]] ReserveCommand command() const {
    if (action_ == "list") {
      return ReserveCommand::read;
    }
    return action_ == "force" || force_ ? ReserveCommand::force_set : ReserveCommand::set;
  }

  NetworkOptions network_;
  std::string device_;
  std::string action_;
  std::vector<std::string> macs_;
  bool force_ = false;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_reserve_command() {
  return std::make_unique<ReserveDeviceCommand>();
}

}  // namespace aoe::tools
