// Who uses a device: what a stop, a flush and a disable must not take it from.
#pragma once

#include <cstdint>
#include <string>

namespace aoe::initiatord {

struct DeviceUsers {
  std::uint32_t open_files = 0;  // of the mounted directory
  std::string block_device;      // "/dev/loop0" while it is attached
  std::string front_end;         // through which: "loop"
  bool outlives_daemon = false;  // a process of its own serves the block device
  bool is_changing = false;      // it is being attached or detached

  [[nodiscard]] bool any() const { return open_files != 0 || !block_device.empty() || is_changing; }

  // Whom the end of the daemon would take it from.
  [[nodiscard]] bool need_daemon() const;
};

// "attached as /dev/loop0", "open in 2 programs"; empty when nobody does.
[[nodiscard]] std::string to_string(const DeviceUsers& users);

}  // namespace aoe::initiatord
