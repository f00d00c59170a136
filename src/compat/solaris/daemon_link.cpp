#include "compat/solaris/daemon_link.h"

#include <algorithm>

namespace aoe::compat::solaris {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

DaemonPlaces places_of(const Call& call, const Arguments& arguments) {
  DaemonPlaces places{call.places.run + "/aoekit/initiator.sock",
                      call.places.run + "/aoekit/channels"};
  if (const std::string* const path = arguments.find("control")) {
    places.control = *path;
  }
  if (const std::string* const directory = arguments.find("d")) {
    places.channels = *directory;
  }
  return places;
}

Result<std::unique_ptr<control::Client>> connect(const DaemonPlaces& places) {
  return control::Client::connect(places.control, {.timeout = Duration::seconds(30)});
}

Result<std::vector<DaemonTarget>> ask_targets(control::Client& client,
                                              const std::vector<Channel>& channels) {
  AOE_TRY_ASSIGN(const Json list, client.call("initiator.list", Json::object()));
  AOE_TRY_ASSIGN(const Json stats, client.call("initiator.stats", Json::object()));
  return targets_of(list, stats, channels);
}

Result<std::vector<std::string>> ask_interfaces(control::Client& client) {
  AOE_TRY_ASSIGN(const Json result, client.call("initiator.interfaces", Json::object()));
  const auto interfaces = result.find("interfaces");
  if (interfaces == result.end() || !interfaces->is_array()) {
    return fail_with(Errc::corrupt, 0, "the daemon's answer has no interfaces");
  }
  std::vector<std::string> names;
  for (const Json& interface : *interfaces) {
    if (const auto name = interface.find("interface");
        name != interface.end() && name->is_string()) {
      names.push_back(name->get<std::string>());
    }
  }
  return names;
}

Result<void> use_interface(control::Client& client, const Channel& channel) {
  AOE_TRY_ASSIGN(std::vector<std::string> names, ask_interfaces(client));
  Json params{{"interface", channel.interface}, {"mtu_bytes", channel.mtu_bytes}};
  if (!contains(names, channel.interface)) {
    names.push_back(channel.interface);
    params["set"] = names;
  }
  AOE_TRY(client.call("initiator.interfaces", params));
  return {};
}

Result<void> leave_interface(control::Client& client, const Channel& channel) {
  AOE_TRY_ASSIGN(std::vector<std::string> names, ask_interfaces(client));
  if (!contains(names, channel.interface)) {
    return {};
  }
  names.erase(std::remove(names.begin(), names.end(), channel.interface), names.end());
  AOE_TRY(client.call("initiator.interfaces",
                      {{"set", names}, {"interface", channel.interface}, {"mtu_bytes", 0}}));
  return {};
}

}  // namespace aoe::compat::solaris
