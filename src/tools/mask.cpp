#include "tools/mask.h"

#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace aoe::tools {
namespace {

using protocol::MaskAction;
using protocol::MaskDirective;

const char* mask_error_text(protocol::MaskError error) {
  switch (error) {
    case protocol::MaskError::none:
      return "no error";
    case protocol::MaskError::unspecified:
      return "unspecified error";
    case protocol::MaskError::bad_directive:
      return "bad directive";
    case protocol::MaskError::list_full:
      return "the list is full";
  }
  return "unknown error";
}

bool contains(const std::vector<MacAddress>& list, const MacAddress& mac) {
  return std::find(list.begin(), list.end(), mac) != list.end();
}

class MaskCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device (e7.1, or a URI)"}, device_, Needed::yes);
    line.positional_choice({"ACTION", "", "What to do with the list"}, action_,
                           {"list", "add", "remove"}, Needed::yes);
    line.positional_rest({"MAC", "", "Ethernet addresses to add or remove"}, macs_);
    line.flag({"--exact", "", "Edit just these addresses, even if that locks this host out"},
              exact_);
    network_.define(line);
    line.output_option(output_);
    line.epilogue(
        "A device with an empty list talks to everybody. add puts this host's own addresses on "
        "the\n"
        "list in the same edit, and remove refuses to take them off while others stay, because a\n"
        "host that is not on the list cannot edit it any more. --exact does neither.");
  }

  Result<ExitStatus> run() override {
    if ((action_ == "list") != macs_.empty()) {
      return fail_with(
          Errc::invalid_argument, 0,
          fmt::format("mask: {}: {}", action_, macs_.empty() ? "which MAC?" : "takes no MAC"));
    }
    AOE_TRY_ASSIGN(const std::vector<MacAddress> macs, parse_macs(macs_));
    AOE_TRY_ASSIGN(const Contact contact, find_device(device_, network_));
    if (action_ == "list") {
      AOE_TRY_ASSIGN(const auto list,
                     contact.session->mask_read(contact.peer, contact.exchange_options()));
      AOE_TRY(print(contact, list));
      return ExitStatus::ok;
    }
    AOE_TRY_ASSIGN(const auto directives,
                   action_ == "add" ? additions(contact, macs) : removals(contact, macs));
    return edit(contact, directives);
  }

 private:
  [[nodiscard]] Result<std::vector<MaskDirective>> additions(
      const Contact& contact, const std::vector<MacAddress>& macs) const {
    std::vector<MacAddress> wanted;
    if (!exact_) {
      // First, so that an edit that stops half-way has let this host in already.
      AOE_TRY_ASSIGN(wanted, own_macs(*contact.session));
    }
    for (const MacAddress& mac : macs) {
      if (!contains(wanted, mac)) {
        wanted.push_back(mac);
      }
    }
    return directives(MaskAction::add, wanted);
  }

  [[nodiscard]] Result<std::vector<MaskDirective>> removals(
      const Contact& contact, const std::vector<MacAddress>& macs) const {
    if (exact_) {
      return directives(MaskAction::remove, macs);
    }
    AOE_TRY_ASSIGN(const auto own, own_macs(*contact.session));
    AOE_TRY_ASSIGN(const auto list,
                   contact.session->mask_read(contact.peer, contact.exchange_options()));
    bool someone_stays = false;
    bool we_stay = false;
    bool we_go = false;
    for (const MacAddress& mac : list) {
      const bool goes = contains(macs, mac);
      const bool ours = contains(own, mac);
      someone_stays = someone_stays || !goes;
      we_stay = we_stay || (ours && !goes);
      we_go = we_go || (ours && goes);
    }
    if (someone_stays && we_go && !we_stay) {
      return fail_with(Errc::not_permitted, 0,
                       fmt::format("{}: mask remove: it would lock this host out while others stay "
                                   "on the list (--exact does it all the same)",
                                   to_string(contact.peer.address)));
    }
    return directives(MaskAction::remove, macs);
  }

  [[nodiscard]] static Result<std::vector<MaskDirective>> directives(
      MaskAction action, const std::vector<MacAddress>& macs) {
    if (macs.size() > protocol::kMacListCountMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("mask: {} addresses in one edit (at most {})", macs.size(),
                                   protocol::kMacListCountMax));
    }
    std::vector<MaskDirective> list;
    list.reserve(macs.size());
    for (const MacAddress& mac : macs) {
      list.push_back({static_cast<std::uint8_t>(action), mac});
    }
    return list;
  }

  Result<ExitStatus> edit(const Contact& contact, const std::vector<MaskDirective>& edits) const {
    AOE_TRY_ASSIGN(const client::MaskResult result,
                   contact.session->mask_edit(contact.peer, edits, contact.exchange_options()));
    if (result.error != protocol::MaskError::none) {
      const std::string where = result.failed_index < edits.size()
                                    ? to_string(edits[result.failed_index].mac)
                                    : fmt::format("directive {}", result.failed_index);
      return fail_with(result.error == protocol::MaskError::list_full ? Errc::no_space : Errc::io,
                       0,
                       fmt::format("{}: mask {} {}: the target refused: {} (what stands before it "
                                   "in the edit may have been done: see aoe mask {} list)",
                                   to_string(contact.peer.address), action_, where,
                                   mask_error_text(result.error), device_));
    }
    AOE_TRY(print(contact, result.list));
    return ExitStatus::ok;
  }

  Result<void> print(const Contact& contact, const std::vector<MacAddress>& list) const {
    if (output_ == OutputFormat::json) {
      return print_out(
          json_document({{"address", to_string(contact.peer.address)}, {"mask", macs_json(list)}}));
    }
    return print_out(macs_text(list));
  }

  NetworkOptions network_;
  std::string device_;
  std::string action_;
  std::vector<std::string> macs_;
  bool exact_ = false;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_mask_command() {
  return std::make_unique<MaskCommand>();
}

}  // namespace aoe::tools
