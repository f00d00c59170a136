#include "compat/aoetools/ping.h"

#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/network.h"
#include "compat/aoetools/ping_text.h"
#include "protocol/ata_command.h"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <cctype>
#include <csignal>
#include <variant>

namespace aoe::compat::aoetools {
namespace {

constexpr int kExitTimedOut = 3;
constexpr std::uint32_t kUserSpaceBit = 0x80000000;
constexpr std::uint8_t kAbort = 0x04;  // of the error register

constexpr const char* kUsage =
    "usage:\taoeping [options] {shelf} {slot} {netif}\n"
    "options:\n"
    "\t-i\tdo ATA device identify dump as raw hex\n"
    "\t-I\tdo ATA device identify print fields\n"
    "\t-v\tbe verbose\n"
    "\t-h\tshow this usage summary\n"
    "options taking arguments:\n"
    "\t-s\ttimeout in seconds\n"
    "\t-S\tperform SMART command\n"
    "\t-t\tspecify number for starting AoE tag\n";

constexpr const char* kHelp =
    "Asks an AoE target for its config string, and more if told to. Silent when it answers.\n\n"
    "  -i              Show its IDENTIFY data as hexadecimal bytes\n"
    "  -I              Show the fields of its IDENTIFY data\n"
    "  -S CMD[:N]      Do a SMART command: read_data, offline_immediate, read_log, write_log,\n"
    "                  enable, disable, return_status\n"
    "  -s SECONDS      How long to wait for each answer (forever)\n"
    "  -t N            First tag, its highest bit set (0)\n"
    "  -v              Show what is sent, and the answer as hexadecimal bytes\n"
    "  -h              The usage of aoeping, on standard error\n";

// One call of ping_device().
class Ping {
 public:
  Ping(client::Session& session, const PingOptions& options, Console& console)
      : session_(session), options_(options), console_(console) {
    exchange_.timeout = options.timeout.value_or(kForever);
    peer_.address = options.address;
    peer_.interface = options.interface;
  }

  PingOutcome run() {
    if (const auto found = find(); !found) {
      return outcome_of(found.error());
    }
    if (!options_.dumps_identify && !options_.shows_identify && !options_.smart) {
      return PingOutcome::ok;
    }
    const auto identity = session_.identify(peer_, exchange_);
    if (!identity) {
      return outcome_of(identity.error());
    }
    if (options_.shows_identify) {
      console_.out(identify_fields(identity->raw));
    } else if (options_.dumps_identify) {
      console_.out("device identify response:\n" + hex_lines(identity->raw));
    }
    if (!options_.smart) {
      return PingOutcome::ok;
    }
    if (!supports_smart(identity->raw)) {
      console_.error(
          fmt::format("Error: {} does not support SMART\n", to_string(options_.address)));
      return PingOutcome::failed;
    }
    return smart();
  }

 private:
  Result<void> find() {
    client::ExchangeOptions everybody = exchange_;
    everybody.send_to = client::SendTo::broadcast;
    AOE_TRY_ASSIGN(const client::ConfigReply reply,
                   session_.ask_config(peer_, protocol::ConfigCommand::read, {}, everybody));
    peer_.mac = reply.exchange.mac;
    if (options_.is_verbose) {
      console_.out("config query response:\n" + hex_lines(whole_frame(reply.exchange)) + "\n");
      console_.out(fmt::format("found {} with mac {}\n", to_string(options_.address),
                               to_bare_string(reply.exchange.mac)));
    }
    return {};
  }

  PingOutcome smart() {
    const auto command = parse_smart_command(*options_.smart);
    if (!command) {
      console_.error(fmt::format("aoeping Error: no such SMART command: {}\n", *options_.smart));
      return PingOutcome::failed;
    }
    client::AtaRequest request{.registers = {}, .data_out = {}, .data_in_bytes = 0};
    request.registers.feature_error = command->feature;
    request.registers.lba[0] = command->parameter;
    request.registers.lba[1] = protocol::kSmartSignatureMid;
    request.registers.lba[2] = protocol::kSmartSignatureHigh;
    request.registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::smart);
    request.registers.sector_count = command->reads || command->writes ? 1 : 0;
    request.data_in_bytes = command->reads ? kSectorBytes : 0;
    std::array<std::byte, kSectorBytes> sector{};
    if (command->writes) {
      if (!options_.read_input(sector)) {
        console_.error("reading smart data from stdin: cannot be read\n");
        return PingOutcome::failed;
      }
      // aoeping sets a reserved flag of the AoE header in its place.
      request.registers.flags = protocol::kAtaFlagWrite;
      request.data_out = sector;
    }
    const auto reply = session_.ata(peer_, request, exchange_);
    if (!reply) {
      return outcome_of(reply.error());
    }
    if ((reply->registers.feature_error & kAbort) != 0) {
      console_.error("SMART command aborted on target.\n");
      return PingOutcome::failed;
    }
    console_.out(register_lines(reply->registers));
    if (!reply->data.empty()) {
      console_.out("SMART data:\n" + hex_lines(reply->data));
    }
    return PingOutcome::ok;
  }

  PingOutcome outcome_of(const Error& error) {
    if (error.code == Errc::timed_out || error.code == Errc::not_found) {
      return PingOutcome::timed_out;
    }
    console_.error("aoeping Error: " + error.message + "\n");
    return PingOutcome::failed;
  }

  client::Session& session_;
  const PingOptions& options_;
  Console& console_;
  client::ExchangeOptions exchange_;
  client::Peer peer_;
};

bool read_standard_input(ByteSpan sector) {
  return ::read(STDIN_FILENO, sector.data(), sector.size()) >= 0;
}

struct PingCall {
  PingOptions options;
  Tag first_tag{kUserSpaceBit};
  Strict strict = Strict::no;
};

// Or the exit status.
std::variant<PingCall, int> parse_ping(const Call& call, Console& console) {
  const ParsedCall parsed = parse_call(call, "hviIt:s:S:", console);
  if (parsed.wants_help && !parsed.is_wrong()) {
    console.out(network_help_text("aoeping [options] {shelf} {slot} {netif}", kHelp));
    return 0;
  }
  PingCall ping;
  ping.strict = parsed.common.strict;
  for (const OptionScanner::Option& option : parsed.letters) {
    if (!option.error.empty()) {
      console.error(fmt::format("aoeping Error: unrecognized option: {}\n{}", option.name, kUsage));
      return 1;
    }
    switch (option.name.front()) {
      case 'h':
        console.error(kUsage);
        return 0;
      case 'v':
        ping.options.is_verbose = true;
        break;
      case 'i':
        ping.options.dumps_identify = true;
        break;
      case 'I':
        ping.options.shows_identify = true;
        break;
      case 't':
        ping.first_tag =
            Tag{static_cast<std::uint32_t>(number_at_front(option.value)) | kUserSpaceBit};
        break;
      case 's':
        if (number_at_front(option.value) < 1) {
          console.error("aoeping Error: timeout seconds must be one or more\n");
          return 1;
        }
        ping.options.timeout = std::min(Duration::seconds(number_at_front(option.value)), kForever);
        break;
      default:
        ping.options.smart = option.value;
        break;
    }
  }
  if (parsed.operands.size() != 3) {
    console.error(kUsage);
    return 1;
  }
  const long shelf = number_at_front(parsed.operands[0]);
  const long slot = number_at_front(parsed.operands[1]);
  // To these nobody can answer; aoeping would wait forever.
  const auto address = shelf < 0 || slot < 0
                           ? std::nullopt
                           : parse_device_address(fmt::format("{}.{}", shelf, slot));
  if (!address) {
    console.error(fmt::format(
        "aoeping Error: {}.{} is not an address (shelf 0 to 65534, slot 0 to 254)\n", shelf, slot));
    return 1;
  }
  ping.options.address = *address;
  ping.options.interface = parsed.operands[2];
  return ping;
}

}  // namespace

PingOutcome ping_device(client::Session& session, const PingOptions& options, Console& console) {
  return Ping(session, options, console).run();
}

int ping(const Call& call, Console& console) {
  const auto parsed = parse_ping(call, console);
  if (const int* status = std::get_if<int>(&parsed)) {
    return *status;
  }
  PingCall wanted = std::get<PingCall>(parsed);
  const PingOptions& options = wanted.options;
  wanted.options.read_input = read_standard_input;
  if (options.is_verbose) {
    console.out(fmt::format("tag: {:x}\neth: {}\nshelf: {}\nslot: {}\n", wanted.first_tag.value,
                            options.interface, options.address.shelf.value,
                            options.address.slot.value));
  }
  const auto session = open_session(options.interface, wanted.first_tag, console);
  if (session == nullptr) {
    return 1;
  }
  const PingOutcome outcome = ping_device(*session, options, console);
  if (outcome != PingOutcome::timed_out) {
    return outcome == PingOutcome::ok ? 0 : 1;
  }
  if (wanted.strict == Strict::yes) {
    console.error(fmt::format("aoeping Error: {}: no answer\n", to_string(options.address)));
    return kExitTimedOut;
  }
  // aoeping leaves the end to alarm(2): the shell says "Alarm clock", and the status is 142.
  std::signal(SIGALRM, SIG_DFL);
  std::raise(SIGALRM);
  return kExitTimedOut;
}

}  // namespace aoe::compat::aoetools
