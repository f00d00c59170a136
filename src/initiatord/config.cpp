#include "initiatord/config.h"

#include <algorithm>

namespace aoe::initiatord {

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
