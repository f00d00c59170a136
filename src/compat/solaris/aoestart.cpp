#include "compat/solaris/arguments.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/commands.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/daemon_start.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"control", true}};

constexpr ArgumentForm kForm{
    "d:", kLongOptions,
    "aoestart aoechan N ether DEVICE [mtu BYTES | maxdata BYTES | jumbo | nojumbo]",
    "Makes a network interface AoE channel N. The arguments are a line of aoe.conf. Where no "
    "daemon "
    "runs\nit is started.\n\n"
    "  -d DIR          directory of the active channels (default /run/aoekit/channels)\n"
    "  --control PATH  control socket of the daemon (default /run/aoekit/initiator.sock), which "
    "runs\n"
    "  --help          show this help and end\n"};

Result<void> start(const Call& call, const Arguments& arguments, const Channel& channel) {
  const DaemonPlaces places = places_of(call, arguments);
  const ChannelTable table(places.channels);
  AOE_TRY_ASSIGN(const auto active, table.active());
  for (const Channel& other : active) {
    const bool is_same_number = other.number == channel.number;
    if (is_same_number != (other.interface == channel.interface)) {
      return fail_with(Errc::busy, 0,
                       fmt::format("channel {} is active on {} (aoestop {} first)", other.number,
                                   other.interface, other.number));
    }
  }
  AOE_TRY_ASSIGN(const auto client,
                 connect_or_start(call, places, arguments.has("control"), channel.interface));
  AOE_TRY(use_interface(*client, channel));
  return table.save(channel);
}

}  // namespace

int run_aoestart(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_arguments(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  const auto channel = parse_channel(arguments->operands);
  if (!channel) {
    return misused(call, kForm, console, channel.error().message);
  }
  return report_end(call, start(call, *arguments, *channel), console);
}

}  // namespace aoe::compat::solaris
