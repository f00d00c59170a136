#include "tools/network.h"

#include "os/netif.h"
#include "tools/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::tools {
namespace {

// How long a device may take to be found; it asks again inside this time.
constexpr Duration kFindTimeMax = Duration::seconds(2);

}  // namespace

void NetworkOptions::define(CommandLine& line) {
  define_interfaces(line);
  line.option({"--timeout", "TIME", "How long to wait for an answer (default 5s)"}, timeout);
}

void NetworkOptions::define_interfaces(CommandLine& line) {
  line.option({"-i,--interface", "IF[,IF..]",
               "Network interfaces to use (default: Ethernet hardware with carrier)"},
              interface_lists);
}

Result<std::unique_ptr<client::Session>> open_session(const NetworkOptions& options,
                                                      const client::DeviceUri* uri) {
  client::SessionOptions session_options;
  if (uri != nullptr && !uri->interfaces.empty()) {
    session_options.interfaces = uri->interfaces;
  } else {
    AOE_TRY_ASSIGN(session_options.interfaces, split_interfaces(options.interface_lists));
  }
  if (uri != nullptr) {
    session_options.port = uri->port.value_or(PortKind::automatic);
  }
  if (session_options.interfaces.empty()) {
    session_options.interfaces.emplace_back("auto");
  }
  return client::Session::open(session_options);
}

Result<Contact> find_device(const std::string& device, const NetworkOptions& options) {
  AOE_TRY_ASSIGN(const client::DeviceUri uri, client::parse_device_uri(device));
  Contact contact;
  contact.timeout = uri.timeout.value_or(options.timeout);
  AOE_TRY_ASSIGN(contact.session, open_session(options, &uri));
  const Duration wait = std::min(contact.timeout, kFindTimeMax);
  const bool by_serial = !uri.serial.empty();
  const auto found =
      contact.session->discover({.address = uri.address,
                                 .macs = uri.macs,
                                 .wait = wait,
                                 .linger = by_serial ? client::kRivalsAnswerWithin : Duration{}});
  if (found.empty()) {
    return fail_with(Errc::not_found, 0,
                     fmt::format("{}: discover: no answer on {} within {} (is the target running, "
                                 "and may this host use it?)",
                                 to_string(uri.address), interfaces_text(*contact.session),
                                 duration_text(wait)));
  }
  for (const client::DiscoveredTarget& target : found) {
    contact.peer = {uri.address, target.mac, target.interface};
    if (!by_serial) {
      return contact;
    }
    const auto identity = contact.session->identify(contact.peer, contact.exchange_options());
    if (identity && identity->view.model.serial == uri.serial) {
      return contact;
    }
  }
  return fail_with(Errc::not_found, 0,
                   fmt::format("{}: none of the targets that answer has serial number {} (aoe "
                               "identify shows the one of each: mac= says which target is meant)",
                               to_string(uri.address), uri.serial));
}

std::string interfaces_text(const client::Session& session) {
  std::string text;
  for (const std::string& name : session.interfaces()) {
    text += (text.empty() ? "" : ",") + name;
  }
  return text;
}

Result<std::vector<MacAddress>> own_macs(const client::Session& session) {
  std::vector<MacAddress> macs;
  for (const std::string& name : session.interfaces()) {
    AOE_TRY_ASSIGN(const os::NetInterface interface, os::query_interface(name));
    macs.push_back(interface.mac);
  }
  return macs;
}

Json macs_json(const std::vector<MacAddress>& macs) {
  Json list = Json::array();
  for (const MacAddress& mac : macs) {
    list.push_back(to_string(mac));
  }
  return list;
}

std::string macs_text(const std::vector<MacAddress>& macs) {
  std::string text;
  for (const MacAddress& mac : macs) {
    text += to_string(mac) + "\n";
  }
  return text;
}

}  // namespace aoe::tools
