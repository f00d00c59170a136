#include "compat/aoetools/sancheck.h"

#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/files.h"
#include "os/netif.h"
#include "protocol/ata_command.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat::aoetools {
namespace {

constexpr Duration kListen = Duration::seconds(2);
// Sent three times within this time: one lost frame is not taken for a small path.
constexpr Duration kProbeTimeout = Duration::seconds(1);

constexpr const char* kHelp =
    "Looks on all Ethernet interfaces for AoE targets, finds out how large frames to each may be,\n"
    "and says what is not as it could be.\n\n"
    "  -v              Show every path\n";

// Whether an IDENTIFY as long as so much data is answered.
bool passes(client::Session& session, const client::Peer& peer, std::uint32_t sectors) {
  const std::vector<std::byte> padding(std::size_t{sectors} * kSectorBytes);
  client::AtaRequest request{.registers = {}, .data_out = padding, .data_in_bytes = 0};
  request.registers.sector_count = 1;
  request.registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::identify);
  return session.ata(peer, request, {.timeout = kProbeTimeout}).has_value();
}

// What is larger than a frame that does not pass does not pass either.
std::uint32_t largest_that_passes(client::Session& session, const client::Peer& peer,
                                  std::uint32_t sectors_max) {
  if (sectors_max == 0 || passes(session, peer, sectors_max)) {
    return sectors_max;
  }
  std::uint32_t good = 0;
  std::uint32_t bad = sectors_max;
  while (bad - good > 1) {
    const std::uint32_t middle = good + (bad - good) / 2;
    (passes(session, peer, middle) ? good : bad) = middle;
  }
  return good;
}

// Of a file that says "0x8086\n".
std::string four_digits(const std::string& path) {
  const auto text = read_small_file(path);
  return text && text->size() >= 6 ? text->substr(2, 4) : std::string();
}

std::string pci_id(const Places& places, const std::string& interface) {
  const std::string device = fmt::format("{}/class/net/{}/device/", places.sys, interface);
  const std::string vendor = four_digits(device + "vendor");
  const std::string product = four_digits(device + "device");
  return vendor.empty() || product.empty() ? std::string() : vendor + ":" + product;
}

SanInterface check_interface(const os::NetInterface& netif, const Places& places,
                             Console& console) {
  SanInterface interface {
    .name = netif.name, .up = netif.up, .mtu_bytes = netif.mtu_bytes,
    .pci_id = pci_id(places, netif.name)
  };
  if (!netif.up) {
    console.error(fmt::format("skipping {}, discover failure: Network is down\n", netif.name));
    return interface;
  }
  client::SessionOptions options;
  options.interfaces = {netif.name};
  const auto session = client::Session::open(options);
  if (!session) {
    console.error(session.error().message + "\n");
    interface.mtu_bytes = 0;
    return interface;
  }
  interface.paths = probe_paths(**session, netif.name, sectors_tried(netif.mtu_bytes));
  return interface;
}

}  // namespace

std::vector<SanPath> probe_paths(client::Session& session, const std::string& interface,
                                 std::uint32_t sectors_max) {
  client::DiscoverOptions discovery;
  discovery.wait = kListen;
  std::vector<SanPath> paths;
  for (const client::DiscoveredTarget& target : session.discover(discovery)) {
    const client::Peer peer{.address = target.address, .mac = target.mac, .interface = interface};
    paths.push_back({.address = target.address,
                     .mac = target.mac,
                     .sectors_offered = target.sector_count,
                     .sectors_passed = largest_that_passes(session, peer, sectors_max)});
  }
  return paths;
}

int check_san(const Call& call, Console& console) {
  const ParsedCall parsed = parse_call(call, "v", console);
  if (parsed.is_answered(network_help_text("aoe-sancheck [options]", kHelp), console)) {
    return parsed.answered_status();
  }
  console.out("Probing...");
  const auto all = os::list_interfaces();
  if (!all) {
    console.error(all.error().message + "\n");
    return 1;
  }
  std::vector<SanInterface> interfaces;
  for (const os::NetInterface& netif : *all) {
    if (os::is_ethernet(netif) && !netif.no_arp) {
      interfaces.push_back(check_interface(netif, call.places, console));
    }
  }
  console.out("done.\n");
  const SanReport report = san_report(interfaces);
  console.out(report.text);
  if (!parsed.letters.empty()) {
    console.out(path_list(interfaces));
  }
  const bool is_well = report.devices > 0 && report.advices == 0;
  return is_well || parsed.common.strict == Strict::no ? 0 : 1;
}

}  // namespace aoe::compat::aoetools
