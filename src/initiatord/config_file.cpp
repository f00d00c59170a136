#include "initiatord/config_file.h"

#include "initiatord/config_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace aoe::initiatord {
namespace {

using config::Diagnostics;
using config::KeySetter;
using config::RequiredKey;
using config::TomlEntry;
using config::TomlTable;

// The driver's name for interfaces.
constexpr std::string_view kDriverInterfaces = "aoe_iflist";

constexpr std::array kRequired{RequiredKey{"address", "SHELF.SLOT in quotes, such as \"7.1\""}};

void read_device(const TomlTable& table, LoadedConfig& loaded) {
  DeviceConfig config = loaded.config.defaults;
  config.origin = table.where;
  KeySetter<DeviceConfig> setter(device_keys(), config, loaded.diagnostics);
  for (const TomlEntry& entry : table.entries) {
    setter.set(entry.name, entry.where, entry.value);
  }
  setter.require(kRequired, config.origin, "device");
  if (setter.was_set("address")) {
    loaded.config.devices.push_back(std::move(config));
  }
}

}  // namespace

LoadedConfig parse_config_text(std::string_view text, const std::string& file_name) {
  LoadedConfig loaded;
  loaded.config.origin = file_name;
  const auto root = config::parse_toml(text, file_name, loaded.diagnostics);
  if (!root) {
    return loaded;
  }
  KeySetter<InitiatorConfig> setter(initiator_keys(), loaded.config, loaded.diagnostics);
  setter.also_known("device");
  for (const TomlEntry& entry : root->entries) {
    if (entry.name != "device") {
      setter.set(entry.name, entry.where, entry.value);
    }
  }
  if (setter.was_given(kDriverInterfaces) && setter.was_given("interfaces")) {
    loaded.diagnostics.add_error(
        file_name, std::string(kDriverInterfaces) + ": beside interfaces: expected one of them");
  }
  // Devices begin with what the keys of the daemon say for all.
  for (const TomlEntry& entry : root->entries) {
    if (entry.name == "device") {
      config::for_each_table(entry, loaded.diagnostics,
                             [&](const TomlTable& table) { read_device(table, loaded); });
    }
  }
  return loaded;
}

LoadedConfig read_config_file(const std::string& path) {
  LoadedConfig failed;
  failed.config.origin = path;
  const auto text = config::read_file(path, failed.diagnostics);
  return text ? parse_config_text(*text, path) : failed;
}

Diagnostics validate(const InitiatorConfig& config) {
  Diagnostics diagnostics;
  const std::vector<std::string>& names = config.interfaces;
  if (names.empty()) {
    diagnostics.add_error(config.origin,
                          "interfaces: missing: expected at least one interface name, or \"auto\"");
  }
  if (names.size() > 1 && std::find(names.begin(), names.end(), "auto") != names.end()) {
    diagnostics.add_error(config.origin,
                          "interfaces: \"auto\" beside other names: expected it alone");
  }
  if (!config.group.empty() && config.user.empty()) {
    diagnostics.add_error(config.origin, "group: given without user: expected both or user alone");
  }
  if (config.open == OpenPolicy::configured && config.devices.empty()) {
    diagnostics.add_error(config.origin,
                          "open: \"configured\" without any [[device]]: expected at least one");
  }
  std::map<DeviceAddress, const DeviceConfig*> firsts;
  for (const DeviceConfig& device : config.devices) {
    const auto [first, is_new] = firsts.try_emplace(device.address, &device);
    if (!is_new) {
      diagnostics.add_error(device.origin,
                            fmt::format("address: {} is used twice (first at {})",
                                        to_string(device.address), first->second->origin));
    }
  }
  return diagnostics;
}

std::string dump(const InitiatorConfig& config) {
  std::string text = config::dump_keys(initiator_keys(), config);
  for (const DeviceConfig& device : config.devices) {
    text += "\n[[device]]\n" + config::dump_keys(device_keys(), device);
  }
  return text;
}

config::ReloadPlan diff(const config::ReloadPair<InitiatorConfig>& configs) {
  config::ReloadPlan plan;
  plan.daemon_keys = config::changed_keys(initiator_keys(), configs);
  config::plan_items<DeviceConfig>(device_keys(), {configs.running.devices, configs.wanted.devices},
                                   plan);
  return plan;
}

}  // namespace aoe::initiatord
