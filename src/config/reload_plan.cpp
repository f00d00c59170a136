#include "config/reload_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace aoe::config {
namespace {

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

bool ChangedItem::needs_reopen() const {
  return std::any_of(keys.begin(), keys.end(),
                     [](const ChangedKey& key) { return key.effect == ChangeEffect::reopen; });
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
    std::vector<std::string> items;
    for (const ChangedItem& item : plan.changed) {
      items.push_back(fmt::format("{}: {}", to_string(item.address), names_of(item.keys)));
    }
    parts.push_back(fmt::format("{} changed ({})", plan.changed.size(), fmt::join(items, "; ")));
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

}  // namespace aoe::config
