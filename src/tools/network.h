// How a command that talks AoE itself reaches its devices.
#pragma once

#include "base/mac_address.h"
#include "base/result.h"
#include "base/time.h"
#include "client/session.h"
#include "client/uri.h"
#include "tools/output.h"

#include <memory>
#include <string>
#include <vector>

namespace aoe::tools {

class CommandLine;

// The arguments that such commands share.
struct NetworkOptions {
  std::vector<std::string> interface_lists;
  Duration timeout = Duration::seconds(5);

  void define(CommandLine& line);
  void define_interfaces(CommandLine& line);
};

// The interfaces of the URI, else those of the options, else "auto". Errors: invalid_argument, and
// those of Session::open.
[[nodiscard]] Result<std::unique_ptr<client::Session>> open_session(const NetworkOptions& options,
                                                                    const client::DeviceUri* uri);

// A session and one way to the device that was just seen to work.
struct Contact {
  std::unique_ptr<client::Session> session;
  client::Peer peer;
  Duration timeout{};

  [[nodiscard]] client::ExchangeOptions exchange_options() const { return {.timeout = timeout}; }
};

// Parses the device, opens the session and looks for the device. Errors: not_found when nothing
// answers, and those of open_session().
[[nodiscard]] Result<Contact> find_device(const std::string& device, const NetworkOptions& options);

// "eth1,eth2", for messages.
[[nodiscard]] std::string interfaces_text(const client::Session& session);

// The addresses of this host's interfaces that the session uses.
[[nodiscard]] Result<std::vector<MacAddress>> own_macs(const client::Session& session);

// ["02:..", ..] and one a line.
[[nodiscard]] Json macs_json(const std::vector<MacAddress>& macs);
[[nodiscard]] std::string macs_text(const std::vector<MacAddress>& macs);

}  // namespace aoe::tools
