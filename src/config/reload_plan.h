// What lies between the configuration that runs and a new one.
#pragma once

#include "base/ids.h"
#include "config/key.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aoe::config {

struct ChangedKey {
  std::string_view name;
  ChangeEffect effect = ChangeEffect::restart;
  friend bool operator==(const ChangedKey&, const ChangedKey&) = default;
};

struct ChangedItem {
  DeviceAddress address;
  std::vector<ChangedKey> keys;  // at least one, in the order of their table

  // Whether one of the keys needs the item to be opened anew.
  [[nodiscard]] bool needs_reopen() const;
};

// The items of a daemon (exports, devices) are told apart by their address and listed in its order.
// One that is in `unchanged` must not be touched by a reload: not closed, not announced, its users
// not even delayed.
struct ReloadPlan {
  std::vector<ChangedKey> daemon_keys;  // of the daemon itself
  std::vector<DeviceAddress> added;
  std::vector<DeviceAddress> removed;
  std::vector<ChangedItem> changed;
  std::vector<DeviceAddress> unchanged;

  [[nodiscard]] bool empty() const {
    return daemon_keys.empty() && added.empty() && removed.empty() && changed.empty();
  }
};

// "1 added (e7.2), 1 changed (e7.1: mode), 3 unchanged; needs a restart: state_dir": for the log.
[[nodiscard]] std::string to_string(const ReloadPlan& plan);

template <class T>
struct ReloadPair {
  const T& running;
  const T& wanted;
};

// Two values are equal when they would be written the same: the tables need no comparison of their
// own, and a new key cannot be forgotten here.
template <class Config>
[[nodiscard]] std::vector<ChangedKey> changed_keys(std::span<const ConfigKey<Config>> keys,
                                                   const ReloadPair<Config>& configs) {
  std::vector<ChangedKey> changed;
  for (const ConfigKey<Config>& key : keys) {
    if (key.print(configs.running) != key.print(configs.wanted)) {
      changed.push_back({key.name, key.effect});
    }
  }
  return changed;
}

// Puts the items into the plan. Both lists are valid: no address twice. Origins are not compared.
template <class Item>
void plan_items(std::span<const ConfigKey<Item>> keys, const ReloadPair<std::vector<Item>>& items,
                ReloadPlan& plan) {
  const auto by_address = [](const std::vector<Item>& list) {
    std::map<DeviceAddress, const Item*> sorted;
    for (const Item& item : list) {
      sorted.emplace(item.address, &item);
    }
    return sorted;
  };
  const auto running = by_address(items.running);
  const auto wanted = by_address(items.wanted);
  for (const auto& [address, item] : running) {
    const auto next = wanted.find(address);
    if (next == wanted.end()) {
      plan.removed.push_back(address);
      continue;
    }
    std::vector<ChangedKey> changed = changed_keys<Item>(keys, {*item, *next->second});
    if (changed.empty()) {
      plan.unchanged.push_back(address);
    } else {
      plan.changed.push_back({address, std::move(changed)});
    }
  }
  for (const auto& [address, item] : wanted) {
    if (!running.contains(address)) {
      plan.added.push_back(address);
    }
  }
}

}  // namespace aoe::config
