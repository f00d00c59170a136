#include "targetd/reload_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace aoe::targetd {
namespace {

using ExportsByAddress = std::map<DeviceAddress, const ExportConfig*>;

ExportsByAddress by_address(const TargetConfig& config) {
  ExportsByAddress exports;
  for (const ExportConfig& unit : config.exports) {
    exports.emplace(unit.address, &unit);
  }
  return exports;
}

// Two values are equal when they would be written the same: the tables need no comparison of their
// own, and a new key cannot be forgotten here.
template <class Config>
std::vector<ChangedKey> changed_keys(std::span<const ConfigKey<Config>> keys, const Config& running,
                                     const Config& wanted) {
  std::vector<ChangedKey> changed;
  for (const ConfigKey<Config>& key : keys) {
    if (key.print(running) != key.print(wanted)) {
      changed.push_back({key.name, key.effect});
    }
  }
  return changed;
}

std::string names_of(const std::vector<DeviceAddress>& addresses) {
  std::vector<std::string> names;
  names.reserve(addresses.size());
  for (const DeviceAddress address : addresses) {
    names.push_back(to_string(address));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string names_of(const std::vector<ChangedKey>& keys) {
  std::vector<std::string_view> names;
  names.reserve(keys.size());
  for (const ChangedKey& key : keys) {
    names.push_back(key.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool ChangedExport::needs_reopen() const {
  return std::any_of(keys.begin(), keys.end(),
                     [](const ChangedKey& key) { return key.effect == ChangeEffect::reopen; });
}

ReloadPlan diff(const ReloadPair& configs) {
  ReloadPlan plan;
  plan.daemon_keys = changed_keys(target_keys(), configs.running, configs.wanted);
  const ExportsByAddress running = by_address(configs.running);
  const ExportsByAddress wanted = by_address(configs.wanted);
  for (const auto& [address, unit] : running) {
    const auto next = wanted.find(address);
    if (next == wanted.end()) {
      plan.removed.push_back(address);
      continue;
    }
    std::vector<ChangedKey> keys = changed_keys(export_keys(), *unit, *next->second);
    if (keys.empty()) {
      plan.unchanged.push_back(address);
    } else {
      plan.changed.push_back({address, std::move(keys)});
    }
  }
  for (const auto& [address, unit] : wanted) {
    if (!running.contains(address)) {
      plan.added.push_back(address);
    }
  }
  return plan;
}

std::string to_string(const ReloadPlan& plan) {
  std::vector<std::string> parts;
  if (!plan.added.empty()) {
    parts.push_back(fmt::format("{} added ({})", plan.added.size(), names_of(plan.added)));
  }
  if (!plan.removed.empty()) {
    parts.push_back(fmt::format("{} removed ({})", plan.removed.size(), names_of(plan.removed)));
  }
  if (!plan.changed.empty()) {
    std::vector<std::string> exports;
    for (const ChangedExport& unit : plan.changed) {
      exports.push_back(fmt::format("{}: {}", to_string(unit.address), names_of(unit.keys)));
    }
    parts.push_back(fmt::format("{} changed ({})", plan.changed.size(), fmt::join(exports, "; ")));
  }
  parts.push_back(fmt::format("{} unchanged", plan.unchanged.size()));
  std::string text = fmt::format("{}", fmt::join(parts, ", "));
  std::vector<ChangedKey> later;
  std::copy_if(plan.daemon_keys.begin(), plan.daemon_keys.end(), std::back_inserter(later),
               [](const ChangedKey& key) { return key.effect == ChangeEffect::restart; });
  if (!later.empty()) {
    text += fmt::format("; needs a restart: {}", names_of(later));
  }
  return text;
}

}  // namespace aoe::targetd
