#include "base/parse.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/commands.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/device_counters.h"
#include "compat/solaris/instances.h"
#include "compat/solaris/kstat_text.h"
#include "os/clock.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"control", true}, LongOption{"conf", true}};

constexpr ArgumentForm kForm{
    "d:n:", kLongOptions, "aoekstat [-n aoedN,stats | -n aoedN,conf]",
    "Prints the counters and settings of AoE disks as kstat does; of all without -n.\n\n"
    "  -n NAME         aoedN,stats or aoedN,conf; N is the instance number of cadN\n"
    "  --conf FILE     instance numbers and settings, in the form of aoed.conf (default: the file "
    "that\n"
    "                  aoectl update read, or the digits of the address)\n"
    "  -d DIR          directory of the active channels (default /run/aoekit/channels)\n"
    "  --control PATH  control socket of the daemon (default /run/aoekit/initiator.sock)\n"
    "  --help          show this help and end\n"};

// What -n asks for; empty matches all.
struct Wanted {
  std::optional<std::uint32_t> instance;
  std::string table;
};

Result<Wanted> parse_name(const std::string& name) {
  constexpr std::string_view kModule = "aoed";
  const std::size_t comma = name.find(',');
  if (name.starts_with(kModule) && comma != std::string::npos) {
    const auto number =
        parse_unsigned(std::string_view(name).substr(kModule.size(), comma - kModule.size()));
    const std::string table = name.substr(comma + 1);
    if (number && *number <= kInstanceMax && (table == "stats" || table == "conf")) {
      return Wanted{static_cast<std::uint32_t>(*number), table};
    }
  }
  return fail_with(Errc::invalid_argument, 0,
                   fmt::format("{}: expected aoedN,stats or aoedN,conf", name));
}

// Of the disk with that number; nullptr when the file has none, or there is no file.
const AoedDevice* entry_of(const std::optional<std::vector<AoedDevice>>& entries,
                           std::uint32_t instance) {
  if (entries) {
    for (const AoedDevice& entry : *entries) {
      if (entry.instance == instance) {
        return &entry;
      }
    }
  }
  return nullptr;
}

Result<std::string> tables(const DaemonPlaces& places, const Wanted& wanted,
                           const std::string* file) {
  AOE_TRY_ASSIGN(const auto channels, ChannelTable(places.channels).active());
  AOE_TRY_ASSIGN(const auto client, connect(places));
  AOE_TRY_ASSIGN(const auto targets, ask_targets(*client, channels));
  AOE_TRY_ASSIGN(const auto entries, read_entries(file, places.channels));
  std::string text;
  for (const auto& [instance, address] : choose_instances(targets, entries)) {
    if (wanted.instance && *wanted.instance != instance) {
      continue;
    }
    const std::string name = aoe::to_string(address.device);
    AOE_TRY_ASSIGN(const Json show, client->call("initiator.show", {{"address", name}}));
    AOE_TRY_ASSIGN(const Json stats, client->call("initiator.stats", {{"address", name}}));
    KstatTable table;
    table.instance = instance;
    table.snaptime = os::monotonic_now() - Instant{};
    table.crtime = table.snaptime - Duration{show.value("since_ns", std::int64_t{0})};
    if (wanted.table != "stats") {
      table.name = "conf";
      table.values = conf_values(show, entry_of(entries, instance));
      text += kstat_text(table);
    }
    if (wanted.table != "conf") {
      table.name = "stats";
      table.values = stats_values(stats.value("devices", Json::object()).value(name, Json()));
      text += kstat_text(table);
    }
  }
  return text;
}

}  // namespace

int run_aoekstat(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_options(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  Wanted wanted;
  if (const std::string* const name = arguments->find("n")) {
    const auto parsed = parse_name(*name);
    if (!parsed) {
      return misused(call, kForm, console, parsed.error().message);
    }
    wanted = *parsed;
  }
  const auto text = tables(places_of(call, *arguments), wanted, arguments->find("conf"));
  if (!text) {
    console.error(fmt::format("{}: {}\n", call.name, text.error().message));
    return kFailed;
  }
  console.out(*text);
  // As kstat: 1 when nothing matched.
  return text->empty() ? kFailed : kOk;
}

}  // namespace aoe::compat::solaris
