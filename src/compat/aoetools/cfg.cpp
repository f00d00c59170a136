#include "compat/aoetools/cfg.h"

#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/network.h"
#include "os/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <set>
#include <utility>
#include <variant>

namespace aoe::compat::aoetools {
namespace {

using protocol::ConfigCommand;

constexpr int kExitTimedOut = 3;
// From one query for everybody to the next. The first answers show soon.
constexpr Duration kFirstListen = Duration::milliseconds(300);
constexpr Duration kListen = Duration::seconds(1);
// A target whose string does not match keeps silent.
constexpr Duration kMatchTimeout = Duration::seconds(1);

constexpr const char* kUsage =
    "usage: aoecfg [-c cmd] [-s cfgstr] [-t timeout] [shelf slot] [net]\n";

constexpr const char* kHelp =
    "Reads, tests or sets the config strings of AoE targets.\n\n"
    "  -c CMD          read, test, prefix, set or fset (read)\n"
    "  -s STRING       The string to test for or to set\n"
    "  -t SECONDS      How long to wait (forever)\n"
    "  -v              Accepted, and without effect\n";

constexpr std::array kCommands{
    std::pair("read", ConfigCommand::read), std::pair("test", ConfigCommand::test),
    std::pair("prefix", ConfigCommand::prefix_test), std::pair("set", ConfigCommand::set),
    std::pair("fset", ConfigCommand::force_set)};

class ConfigQuery {
 public:
  ConfigQuery(client::Session& session, const CfgOptions& options, Console& console)
      : session_(session),
        options_(options),
        console_(console),
        deadline_(os::monotonic_now() + options.timeout.value_or(kForever)) {}

  CfgOutcome ask_one() {
    client::Peer peer{
        .address = {Shelf{options_.shelf}, Slot{options_.slot}}, .mac = {}, .interface = {}};
    client::ExchangeOptions exchange{.timeout = left()};
    exchange.send_to = client::SendTo::broadcast;
    take(session_.ask_config(peer, options_.command, as_byte_span(options_.string), exchange));
    return outcome_;
  }

  CfgOutcome ask_everybody() {
    Duration listen = kFirstListen;
    while (!outcome_.is_broken && left() > Duration{}) {
      client::DiscoverOptions discovery;
      discovery.wait = std::min(listen, left());
      listen = kListen;
      for (const client::DiscoveredTarget& target : session_.discover(discovery)) {
        if (is_meant(target.address) && asked_.insert({target.address, target.mac}).second) {
          ask(target);
        }
      }
    }
    return outcome_;
  }

 private:
  [[nodiscard]] Duration left() const { return deadline_ - os::monotonic_now(); }

  [[nodiscard]] bool is_meant(DeviceAddress address) const {
    return (options_.shelf == 0xFFFF || address.shelf.value == options_.shelf) &&
           (options_.slot == 0xFF || address.slot.value == options_.slot);
  }

  void ask(const client::DiscoveredTarget& target) {
    if (options_.command == ConfigCommand::read) {
      ++outcome_.answers;
      print(target.address, target.config_string);
      return;
    }
    const client::Peer peer{
        .address = target.address, .mac = target.mac, .interface = target.interface};
    take(session_.ask_config(peer, options_.command, as_byte_span(options_.string),
                             {.timeout = std::min(kMatchTimeout, left())}));
  }

  void take(const Result<client::ConfigReply>& reply) {
    if (!reply) {
      if (reply.error().code != Errc::timed_out && reply.error().code != Errc::not_found) {
        console_.error(fmt::format("aoecfg Error: {}\n", reply.error().message));
        outcome_.is_broken = true;
      }
      return;
    }
    ++outcome_.answers;
    const protocol::FrameHeader& header = reply->exchange.header;
    if (header.is_error) {
      ++outcome_.refusals;
      print(header.address, refusal_word(header.error));
    } else {
      print(header.address, reply->string);
    }
  }

  // A string ends where it has a zero byte, as printf's does.
  void print(DeviceAddress address, std::string_view text) {
    text = text.substr(0, text.find('\0'));
    if (options_.is_one_device()) {
      console_.out(fmt::format("{}\n", text));
    } else {
      console_.out(fmt::format("{}.{}\t{}\n", address.shelf.value, address.slot.value, text));
    }
  }

  client::Session& session_;
  const CfgOptions& options_;
  Console& console_;
  Instant deadline_;
  CfgOutcome outcome_;
  std::set<std::pair<DeviceAddress, MacAddress>> asked_;
};

struct CfgCall {
  CfgOptions options;
  Strict strict = Strict::no;
};

int misused(Console& console) {
  console.error(kUsage);
  return 1;
}

// False when one of the options is wrong.
bool take_options(const std::vector<OptionScanner::Option>& letters, CfgOptions& options) {
  for (const OptionScanner::Option& option : letters) {
    if (!option.error.empty()) {
      return false;
    }
    if (option.name == "s") {
      options.string = option.value;
    } else if (option.name == "t") {
      const long seconds = number_at_front(option.value);
      options.timeout = seconds > 0 ? std::optional(std::min(Duration::seconds(seconds), kForever))
                                    : std::nullopt;
    } else if (option.name == "c") {
      const auto* const command =
          std::find_if(kCommands.begin(), kCommands.end(),
                       [&](const auto& known) { return known.first == option.value; });
      if (command == kCommands.end()) {
        return false;
      }
      options.command = command->second;
    }
  }
  return true;
}

// Or the exit status.
std::variant<CfgCall, int> parse_cfg(const Call& call, Console& console) {
  const ParsedCall parsed = parse_call(call, "s:c:t:v", console);
  if (parsed.wants_help && !parsed.is_wrong()) {
    console.out(network_help_text("aoecfg [options] [shelf slot] [net]", kHelp));
    return 0;
  }
  CfgCall cfg;
  cfg.strict = parsed.common.strict;
  const std::vector<std::string>& words = parsed.operands;
  if (!take_options(parsed.letters, cfg.options) || words.size() > 3) {
    return misused(console);
  }
  if (cfg.options.string.size() > protocol::kConfigStringBytesMax) {
    console.error(fmt::format("aoecfg Error: cfgstr has {} bytes (at most {})\n",
                              cfg.options.string.size(), protocol::kConfigStringBytesMax));
    return 1;
  }
  if (words.size() >= 2) {
    // As C writes numbers; what is too large for its field is cut, as aoecfg has it.
    cfg.options.shelf = static_cast<std::uint16_t>(std::strtoul(words[0].c_str(), nullptr, 0));
    cfg.options.slot = static_cast<std::uint8_t>(std::strtoul(words[1].c_str(), nullptr, 0));
  }
  if (words.size() % 2 == 1) {
    cfg.options.interface = words.back();
    if (std::isdigit(static_cast<unsigned char>(cfg.options.interface.front())) != 0) {
      console.error(fmt::format("aoecfg Error: \"{}\" is not a valid network interface\n",
                                cfg.options.interface));
      return misused(console);
    }
  }
  return cfg;
}

}  // namespace

const char* refusal_word(std::uint8_t error) {
  constexpr std::array kWords{"*GOK*", "*badcmd*", "*badarg*", "*baddev*", "*badcfg*", "*badvers*"};
  return error < kWords.size() ? kWords.at(error) : kWords[0];
}

CfgOutcome ask_config_strings(client::Session& session, const CfgOptions& options,
                              Console& console) {
  ConfigQuery query(session, options, console);
  return options.is_one_device() ? query.ask_one() : query.ask_everybody();
}

int config_strings(const Call& call, Console& console) {
  const auto parsed = parse_cfg(call, console);
  if (const int* status = std::get_if<int>(&parsed)) {
    return *status;
  }
  const CfgCall& cfg = std::get<CfgCall>(parsed);
  const auto session = open_session(cfg.options.interface, std::nullopt, console);
  if (session == nullptr) {
    return 1;
  }
  const CfgOutcome outcome = ask_config_strings(*session, cfg.options, console);
  if (outcome.is_broken) {
    return 1;
  }
  if (cfg.strict == Strict::no) {
    return 0;  // as aoecfg ends, whatever it was told
  }
  if (outcome.answers == 0) {
    console.error("aoecfg Error: no answer\n");
    return kExitTimedOut;
  }
  return outcome.refusals == 0 ? 0 : 1;
}

}  // namespace aoe::compat::aoetools
