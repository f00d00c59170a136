#include "tools/conform/conform.h"

#include "net/af_packet_port.h"
#include "tools/command_line.h"
#include "tools/conform/port_wire.h"
#include "tools/conform/run.h"
#include "tools/conform/subject.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace aoe::tools {
namespace {

class ConformCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device (e7.1, or a URI)"}, device_, Needed::yes);
    line.flag(
        {"--destructive", "",
         "Also write: the last two sectors, the config string, reservation and mask (what was "
         "there is put back)"},
        options_.is_destructive);
    line.option({"--only", "PREFIX", "Only the checks whose names begin so (ata, write.trim)"},
                options_.only);
    network_.define(line);
    line.output_option(output_);
    line.epilogue(
        "Asks any target, of whatever make, and says what an initiator has to expect of it. The "
        "exit\n"
        "status is 1 when something is wrong or dangerous, or when nothing could be tried. Nobody "
        "else\n"
        "on this host should use the device meanwhile; with --destructive nobody else at all, and "
        "a\n"
        "target with known faults may stop.");
  }

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Found found, find());
    const client::Peer& peer = found.peer;
    AOE_TRY_ASSIGN(auto port, net::AfPacketPort::open({.interface = *peer.interface,
                                                       .filter = net::FrameFilter::responses}));
    conform::PortWire wire(std::move(port), {.timeout = found.timeout});
    conform::Subject subject(wire, peer.address, *peer.mac);
    const auto results = conform::run_checks(subject, options_);
    if (results.empty()) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("conform: --only {}: no check has such a name", options_.only));
    }
    if (output_ == OutputFormat::json) {
      Json body = conform::results_json(results);
      body["address"] = to_string(peer.address);
      body["mac"] = to_string(*peer.mac);
      body["interface"] = *peer.interface;
      AOE_TRY(print_out(json_document(std::move(body))));
    } else {
      AOE_TRY(print_out(conform::results_text(results, output_) + "\n" +
                        fmt::format("{} at {} on {}: {}\n", to_string(peer.address),
                                    to_string(*peer.mac), *peer.interface,
                                    conform::summary_text(results))));
    }
    return conform::is_all_right(results) ? ExitStatus::ok : ExitStatus::failed;
  }

 private:
  struct Found {
    client::Peer peer;
    Duration timeout;
  };

  // The session ends here: the checks have a port of their own.
  [[nodiscard]] Result<Found> find() const {
    AOE_TRY_ASSIGN(const Contact contact, find_device(device_, network_));
    return Found{contact.peer, contact.timeout};
  }

  NetworkOptions network_;
  std::string device_;
  conform::RunOptions options_;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_conform_command() {
  return std::make_unique<ConformCommand>();
}

}  // namespace aoe::tools
