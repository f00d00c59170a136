#include "initiatord/device_users.h"

#include <fmt/format.h>

namespace aoe::initiatord {

bool DeviceUsers::need_daemon() const {
  return open_files != 0 || is_changing || (!block_device.empty() && !outlives_daemon);
}

std::string to_string(const DeviceUsers& users) {
  if (!users.block_device.empty()) {
    return "attached as " + users.block_device;
  }
  if (users.is_changing) {
    return "being attached";
  }
  if (users.open_files == 0) {
    return {};
  }
  return users.open_files == 1 ? std::string("its file is open")
                               : fmt::format("its file is open {} times", users.open_files);
}

}  // namespace aoe::initiatord
