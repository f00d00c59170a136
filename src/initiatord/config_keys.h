// Every key of a device and of the initiator daemon, once. See config/key.h.
#pragma once

#include "config/key.h"
#include "initiatord/config.h"

#include <span>

namespace aoe::initiatord {

using DeviceKey = config::ConfigKey<DeviceConfig>;
using InitiatorKey = config::ConfigKey<InitiatorConfig>;

[[nodiscard]] std::span<const DeviceKey> device_keys();
[[nodiscard]] std::span<const InitiatorKey> initiator_keys();

}  // namespace aoe::initiatord
