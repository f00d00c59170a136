#include "client/device_settings.h"

#include <fmt/core.h>

namespace aoe::client {

using initiator::DeviceSettings;

void apply_uri(const DeviceUri& uri, DeviceOptions& options) {
  options.timeout = uri.timeout.value_or(options.timeout);
  options.payload_bytes_max = uri.payload_bytes.value_or(options.payload_bytes_max);
  options.window_max = uri.window.value_or(options.window_max);
  options.policy = uri.policy.value_or(options.policy);
  options.access = uri.access.value_or(options.access);
  options.on_path_loss = uri.on_path_loss.value_or(options.on_path_loss);
  options.fast_io_fail = uri.fast_io_fail.value_or(options.fast_io_fail);
  options.device_loss = uri.device_loss.value_or(options.device_loss);
  options.instances = uri.instances.value_or(options.instances);
  if (!uri.macs.empty()) {
    options.pinned_macs = uri.macs;
  }
  if (!uri.serial.empty()) {
    options.pinned_serial = uri.serial;
  }
}

Result<DeviceSettings> device_settings(DeviceAddress address, const DeviceOptions& options) {
  if (options.payload_bytes_max % kSectorBytes != 0) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: payload of {} bytes: not a multiple of {}",
                                 to_string(address), options.payload_bytes_max, kSectorBytes));
  }
  return DeviceSettings{
      .access = options.access == Access::read_only ? DeviceSettings::Access::read_only
                                                    : DeviceSettings::Access::read_write,
      .deadline = options.timeout,
      .loss = {.on_path_loss = options.on_path_loss,
               .fast_io_fail = options.fast_io_fail,
               .device_loss = options.device_loss},
      .payload_sectors_max = options.payload_bytes_max / kSectorBytes,
      .window_max = options.window_max,
      .policy = options.policy,
      .pinned_macs = options.pinned_macs,
      .pinned_serial = options.pinned_serial,
      .instances = options.instances,
  };
}

}  // namespace aoe::client
