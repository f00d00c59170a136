// What lies between the configuration that runs and a new one.
#pragma once

#include "base/ids.h"
#include "targetd/config.h"
#include "targetd/config_keys.h"

#include <string>
#include <string_view>
#include <vector>

namespace aoe::targetd {

struct ChangedKey {
  std::string_view name;
  ChangeEffect effect = ChangeEffect::restart;
  friend bool operator==(const ChangedKey&, const ChangedKey&) = default;
};

struct ChangedExport {
  DeviceAddress address;
  std::vector<ChangedKey> keys;  // at least one, in the order of config_keys.h

  // Whether one of the keys needs the export to be opened anew.
  [[nodiscard]] bool needs_reopen() const;
};

// Exports are told apart by their address and listed in its order. One that is in `unchanged` must
// not be touched by a reload: not closed, not announced, its initiators not even delayed.
struct ReloadPlan {
  std::vector<ChangedKey> daemon_keys;  // of the daemon itself
  std::vector<DeviceAddress> added;
  std::vector<DeviceAddress> removed;
  std::vector<ChangedExport> changed;
  std::vector<DeviceAddress> unchanged;

  [[nodiscard]] bool empty() const {
    return daemon_keys.empty() && added.empty() && removed.empty() && changed.empty();
  }
};

struct ReloadPair {
  const TargetConfig& running;
  const TargetConfig& wanted;
};

// Both configurations are valid: no address twice. Origins are not compared.
[[nodiscard]] ReloadPlan diff(const ReloadPair& configs);

// "1 added (e7.2), 1 changed (e7.1: mode), 3 unchanged; needs a restart: state_dir": for the log.
[[nodiscard]] std::string to_string(const ReloadPlan& plan);

}  // namespace aoe::targetd
