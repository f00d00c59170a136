#include "tools/ping.h"

#include "base/latency_histogram.h"
#include "os/clock.h"
#include "protocol/ata_command.h"
#include "tools/command_line.h"
#include "tools/network.h"
#include "tools/stop_signal.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace aoe::tools {
namespace {

class PingCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device to ask (e7.1, or a URI)"}, device_, Needed::yes);
    network_.timeout = Duration::seconds(1);
    network_.define_interfaces(line);
    line.option({"-c,--count", "N", "Stop after N requests (default 0: until interrupted)"},
                count_);
    line.option({"--interval", "TIME", "From one request to the next (default 1s)"}, interval_);
    line.option({"--timeout", "TIME", "Count an answer as lost after this time (default 1s)"},
                network_.timeout);
    line.flag({"--io", "",
               "Read a sector instead of asking for the config string: times the disk "
               "too"},
              io_);
    line.flag({"-q,--quiet", "", "Print the summary only"}, quiet_);
    line.output_option(output_);
    line.epilogue(
        "Every request is sent once, so that losses show. The exit status is 0 when at least one\n"
        "answer came, 3 when none came, 4 when the device was not found at the start.");
  }

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    AOE_TRY_ASSIGN(contact_, find_device(device_, network_));
    // The device was found with more patience than one request gets.
    contact_.timeout = network_.timeout;
    const Instant start = os::monotonic_now();
    Instant next = start;
    while ((count_ == 0 || sent_ < count_) && !stop.requested()) {
      AOE_TRY(ping_once());
      next = std::max(next + interval_, os::monotonic_now());
      if ((count_ == 0 || sent_ < count_) && stop.wait(next - os::monotonic_now())) {
        break;
      }
    }
    AOE_TRY(print_out(output_ == OutputFormat::json ? summary_json() : summary_text()));
    return answers_.count() > 0 || sent_ == 0 ? ExitStatus::ok : ExitStatus::timed_out;
  }

 private:
  // An error only where going on makes no sense.
  Result<void> ping_once() {
    client::ExchangeOptions options = contact_.exchange_options();
    options.retries = 0;
    ++sent_;
    const auto reply = io_ ? read_sector(options) : ask_config(options);
    if (reply) {
      answers_.add(reply->rtt);
      return say(fmt::format("{} from {} on {}: seq={} time={}\n", to_string(contact_.peer.address),
                             to_string(reply->mac), reply->interface, sent_,
                             duration_text(reply->rtt)));
    }
    if (reply.error().code != Errc::timed_out && reply.error().code != Errc::not_found) {
      return fail(reply.error());
    }
    return say(fmt::format("{}: seq={} no answer within {}\n", to_string(contact_.peer.address),
                           sent_, duration_text(options.timeout)));
  }

  Result<client::ExchangeReply> ask_config(const client::ExchangeOptions& options) {
    AOE_TRY_ASSIGN(auto reply, contact_.session->config(
                                   contact_.peer, protocol::ConfigCommand::read, {}, options));
    return std::move(reply.exchange);
  }

  Result<client::ExchangeReply> read_sector(const client::ExchangeOptions& options) {
    client::AtaRequest request;
    request.registers.flags = protocol::kAtaFlagExtended;
    request.registers.sector_count = 1;
    request.registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::read_ext);
    request.data_in_bytes = kSectorBytes;
    AOE_TRY_ASSIGN(auto reply, contact_.session->ata(contact_.peer, request, options));
    return std::move(reply.exchange);
  }

  Result<void> say(const std::string& line) const {
    return quiet_ || output_ == OutputFormat::json ? Result<void>{} : print_out(line);
  }

  [[nodiscard]] double loss_percent() const {
    return sent_ == 0
               ? 0
               : 100.0 * static_cast<double>(sent_ - answers_.count()) / static_cast<double>(sent_);
  }

  [[nodiscard]] std::string summary_text() const {
    std::string text = fmt::format("{}{} ping statistics: {} sent, {} answered, {:.3g}% lost\n",
                                   quiet_ ? "" : "\n", to_string(contact_.peer.address), sent_,
                                   answers_.count(), loss_percent());
    if (answers_.count() > 0) {
      text += fmt::format("rtt min/avg/p50/p99/max/mdev = {} / {} / {} / {} / {} / {}\n",
                          duration_text(answers_.min()), duration_text(answers_.mean()),
                          duration_text(answers_.percentile(50)),
                          duration_text(answers_.percentile(99)), duration_text(answers_.max()),
                          duration_text(answers_.deviation()));
    }
    return text;
  }

  [[nodiscard]] std::string summary_json() const {
    Json body{{"address", to_string(contact_.peer.address)},
              {"mac", to_string(contact_.peer.mac.value_or(MacAddress{}))},
              {"interface", contact_.peer.interface.value_or("")},
              {"request", io_ ? "read" : "config"},
              {"sent", sent_},
              {"answered", answers_.count()},
              {"lost_percent", loss_percent()}};
    if (answers_.count() > 0) {
      body["rtt_ns"] = {{"min", answers_.min().ns},          {"avg", answers_.mean().ns},
                        {"p50", answers_.percentile(50).ns}, {"p99", answers_.percentile(99).ns},
                        {"max", answers_.max().ns},          {"mdev", answers_.deviation().ns}};
    }
    return json_document(std::move(body));
  }

  NetworkOptions network_;
  std::string device_;
  std::uint64_t count_ = 0;
  Duration interval_ = Duration::seconds(1);
  bool io_ = false;
  bool quiet_ = false;
  OutputFormat output_ = OutputFormat::text;

  Contact contact_;
  std::uint64_t sent_ = 0;
  LatencyHistogram answers_;
};

}  // namespace

std::unique_ptr<Command> make_ping_command() {
  return std::make_unique<PingCommand>();
}

}  // namespace aoe::tools
