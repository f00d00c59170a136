// A kept device as an URI: for processes that serve it with an initiator of their own.
#pragma once

#include "initiatord/config.h"

#include <string>
#include <vector>

namespace aoe::initiatord {

// With the interfaces of the daemon, and every setting of the device that is not the default of an
// URI (aoe(1), URI): "aoe://eth1,eth2/e7.1?timeout=30".
[[nodiscard]] std::string device_uri(const DeviceConfig& device,
                                     const std::vector<std::string>& interfaces,
                                     DeviceAccess access);

}  // namespace aoe::initiatord
