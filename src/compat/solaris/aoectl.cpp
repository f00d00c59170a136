#include "compat/solaris/arguments.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/commands.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/device_settings.h"
#include "compat/solaris/instances.h"
#include "compat/solaris/names_command.h"
#include "compat/solaris/probe_file.h"
#include "compat/solaris/text_file.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"control", true}, LongOption{"conf", true},
                                  LongOption{"root", true}};

constexpr std::string_view kDefaultConf = "/etc/aoed.conf";

constexpr ArgumentForm kForm{
    "d:f", kLongOptions,
    "aoectl list [ADDRESS..] | enable ADDRESS.. | disable [-f] ADDRESS.. | probe [ADDRESS..] | "
    "update | names",
    "ADDRESS is CHAN/MAJ/MIN; a missing or empty field matches any value: 0, 0/1, 0//2.\n\n"
    "  list            enabled targets, an address a line\n"
    "  enable          use these targets\n"
    "  disable         leave these targets alone\n"
    "  probe           ask these targets to check in; aoemon enables those that do\n"
    "  update          give disks the instance numbers and settings of aoed.conf\n"
    "  names           name attached disks and their slices in dsk and rdsk: cad107s0\n\n"
    "  -f              disable targets that are in use, too\n"
    "  --conf FILE     the file for update (default /etc/aoed.conf); for names another one than "
    "update's\n"
    "  --root DIR      where names puts dsk and rdsk (default /dev)\n"
    "  -d DIR          directory of the active channels (default /run/aoekit/channels)\n"
    "  --control PATH  control socket of the daemon (default /run/aoekit/initiator.sock)\n"
    "  --help          show this help and end\n"};

struct Wish {
  std::vector<Channel> channels;
  std::vector<AddressPattern> patterns;
  bool force = false;
};

Result<void> list(control::Client& client, const Wish& wish, Console& console) {
  AOE_TRY_ASSIGN(const auto targets, ask_targets(client, wish.channels));
  std::string text;
  for (const DaemonTarget& target : select_targets(targets, wish.patterns)) {
    text += target.is_enabled ? to_string(target.address) + "\n" : "";
  }
  console.out(text);
  return {};
}

// The devices of the targets, each once: ours is one over all channels that reach it.
std::set<DeviceAddress> devices_of(const std::vector<DaemonTarget>& targets) {
  std::set<DeviceAddress> devices;
  for (const DaemonTarget& target : targets) {
    devices.insert(target.address.device);
  }
  return devices;
}

// All are tried; the first error comes back.
Result<void> switch_targets(control::Client& client, const Wish& wish, bool enable) {
  AOE_TRY_ASSIGN(const auto targets, ask_targets(client, wish.channels));
  Result<void> outcome;
  for (const AddressPattern& pattern : wish.patterns) {
    std::set<DeviceAddress> devices = devices_of(select_targets(targets, {pattern}));
    if (devices.empty() && pattern.major && pattern.minor) {
      // So that the daemon says why not.
      devices.insert({Shelf{*pattern.major}, Slot{*pattern.minor}});
    }
    for (const DeviceAddress device : devices) {
      Json params{{"address", to_string(device)}};
      if (!enable) {
        params["force"] = wish.force;
      }
      const auto done = client.call(enable ? "initiator.enable" : "initiator.disable", params);
      if (!done && outcome) {
        outcome = fail(done.error());
      }
    }
  }
  return outcome;
}

// aoemon enables what answers, so it hears of the probe first.
Result<void> probe(control::Client& client, const Wish& wish, const std::string& directory) {
  const std::vector<AddressPattern> patterns =
      wish.patterns.empty() ? std::vector<AddressPattern>(1) : wish.patterns;
  AOE_TRY(replace_text_file(fmt::format("{}/{}", directory, kProbeFile), probe_text(patterns)));
  for (const AddressPattern& pattern : patterns) {
    for (const Channel& channel : wish.channels) {
      if (pattern.channel && *pattern.channel != channel.number) {
        continue;
      }
      Json params{{"interface", channel.interface}};
      if (pattern.major) {
        params["shelf"] = *pattern.major;
      }
      if (pattern.minor) {
        params["slot"] = *pattern.minor;
      }
      AOE_TRY(client.call("initiator.discover", params));
    }
  }
  return {};
}

Result<void> check_channels(const Wish& wish) {
  if (wish.channels.empty()) {
    return fail_with(Errc::not_found, 0, "no channel is active (aoestart makes one)");
  }
  for (const AddressPattern& pattern : wish.patterns) {
    bool is_active = !pattern.channel;
    for (const Channel& channel : wish.channels) {
      is_active = is_active || *pattern.channel == channel.number;
    }
    if (!is_active) {
      return fail_with(Errc::not_found, 0,
                       fmt::format("channel {} is not active", *pattern.channel));
    }
  }
  return {};
}

Result<void> carry_out(const DaemonPlaces& places, const std::string& verb, Wish wish,
                       Console& console) {
  AOE_TRY_ASSIGN(wish.channels, ChannelTable(places.channels).active());
  AOE_TRY(check_channels(wish));
  AOE_TRY_ASSIGN(const auto client, connect(places));
  if (verb == "list") {
    return list(*client, wish, console);
  }
  if (verb == "probe") {
    return probe(*client, wish, places.channels);
  }
  return switch_targets(*client, wish, verb == "enable");
}

Result<void> name_disks(const Call& call, const Arguments& arguments, Console& console) {
  const DaemonPlaces places = places_of(call, arguments);
  const std::string* const root = arguments.find("root");
  AOE_TRY_ASSIGN(const auto client, connect(places));
  AOE_TRY_ASSIGN(const NamesReport report,
                 make_names(*client, {.channels = places.channels,
                                      .sys = call.places.sys,
                                      .root = root != nullptr ? *root : call.places.dev,
                                      .conf = arguments.find("conf")}));
  for (const std::string& line : report.unnamed) {
    console.error(fmt::format("{}: {}\n", call.name, line));
  }
  return report.outcome;
}

// What update_drv did: the file counts from now on, also for a daemon that is started anew
// (aoemon).
Result<void> update(const Call& call, const Arguments& arguments) {
  const DaemonPlaces places = places_of(call, arguments);
  const std::string* const conf = arguments.find("conf");
  const std::string file = conf != nullptr ? *conf : std::string(kDefaultConf);
  AOE_TRY_ASSIGN(const std::string text, read_text_file(file));
  AOE_TRY_ASSIGN(const auto entries, read_aoed_conf(file));
  AOE_TRY_ASSIGN(const auto client, connect(places));
  AOE_TRY(apply_settings(*client, entries, file));
  AOE_TRY(make_directories(places.channels));
  return replace_text_file(fmt::format("{}/{}", places.channels, kEffectiveConf), text);
}

}  // namespace

int run_aoectl(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_arguments(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  const std::string verb = arguments->operands.empty() ? "" : arguments->operands.front();
  const bool is_switch = verb == "enable" || verb == "disable";
  if (!is_switch && verb != "list" && verb != "probe" && verb != "names" && verb != "update") {
    return misused(call, kForm, console, "expected list, enable, disable, probe, update or names");
  }
  if (verb == "names" || verb == "update") {
    if (arguments->operands.size() > 1) {
      return misused(call, kForm, console, verb + ": expected options only");
    }
    return report_end(
        call, verb == "names" ? name_disks(call, *arguments, console) : update(call, *arguments),
        console);
  }
  Wish wish;
  wish.force = arguments->has("f");
  for (std::size_t i = 1; i < arguments->operands.size(); ++i) {
    const auto pattern = parse_address_pattern(arguments->operands[i]);
    if (!pattern) {
      return misused(call, kForm, console, pattern.error().message);
    }
    wish.patterns.push_back(*pattern);
  }
  if (is_switch && wish.patterns.empty()) {
    return misused(call, kForm, console, verb + ": expected addresses");
  }
  return report_end(call, carry_out(places_of(call, *arguments), verb, std::move(wish), console),
                    console);
}

}  // namespace aoe::compat::solaris
