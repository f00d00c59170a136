#include "base/parse.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/commands.h"
#include "compat/solaris/daemon_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"control", true}};

constexpr ArgumentForm kForm{
    "ad:", kLongOptions, "aoestop N.. | -a",
    "Stops AoE channels: what was reached only through them is not reached any more.\n\n"
    "  -a              stop all channels\n"
    "  -d DIR          directory of the active channels (default /run/aoekit/channels)\n"
    "  --control PATH  control socket of the daemon (default /run/aoekit/initiator.sock)\n"
    "  --help          show this help and end\n"};

Result<void> stop(const DaemonPlaces& places, const ChannelTable& table, const Channel& channel) {
  AOE_TRY_ASSIGN(const auto client, connect(places));
  AOE_TRY(leave_interface(*client, channel));
  return table.remove(channel.number);
}

}  // namespace

int run_aoestop(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_arguments(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  const bool all = arguments->has("a");
  if (all != arguments->operands.empty()) {
    return misused(call, kForm, console, "expected channels, or -a");
  }
  const auto complain = [&](const std::string& what) {
    console.error(fmt::format("{}: {}\n", call.name, what));
    return kFailed;
  };
  const DaemonPlaces places = places_of(call, *arguments);
  const ChannelTable table(places.channels);
  const auto active = table.active();
  if (!active) {
    return complain(active.error().message);
  }
  std::vector<Channel> wanted = all ? *active : std::vector<Channel>();
  for (const std::string& word : arguments->operands) {
    const auto number = parse_unsigned(word);
    const auto found = std::find_if(active->begin(), active->end(), [&](const Channel& channel) {
      return number && channel.number == *number;
    });
    if (found == active->end()) {
      status = complain(word + ": no such channel is active");
    } else {
      wanted.push_back(*found);
    }
  }
  for (const Channel& channel : wanted) {
    if (const auto stopped = stop(places, table, channel); !stopped) {
      status = complain(fmt::format("channel {}: {}", channel.number, stopped.error().message));
    }
  }
  return status;
}

}  // namespace aoe::compat::solaris
