// From what users say of a device to what the core takes.
#pragma once

#include "base/result.h"
#include "client/device.h"
#include "client/uri.h"
#include "initiator/options.h"

namespace aoe::client {

// What the URI says goes before what the options said.
void apply_uri(const DeviceUri& uri, DeviceOptions& options);

// Errors: invalid_argument (payload is no multiple of 512).
[[nodiscard]] Result<initiator::DeviceSettings> device_settings(DeviceAddress address,
                                                                const DeviceOptions& options);

}  // namespace aoe::client
