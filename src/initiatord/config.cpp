#include "initiatord/config.h"

#include <algorithm>

namespace aoe::initiatord {

std::string_view policy_word(initiator::PathPolicy policy) {
  switch (policy) {
    case initiator::PathPolicy::fastest:
      return "fastest";
    case initiator::PathPolicy::round_robin:
      return "round-robin";
    case initiator::PathPolicy::active_passive:
      return "active-passive";
  }
  return "fastest";
}

DeviceConfig found_device(const DeviceConfig& defaults, DeviceAddress address) {
  DeviceConfig config = defaults;
  config.address = address;
  return config;
}

const DeviceConfig* find_device(const InitiatorConfig& config, DeviceAddress address) {
  const auto found =
      std::find_if(config.devices.begin(), config.devices.end(),
                   [address](const DeviceConfig& item) { return item.address == address; });
  return found == config.devices.end() ? nullptr : &*found;
}

}  // namespace aoe::initiatord
