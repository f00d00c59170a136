#include "initiatord/takeover.h"

#include "os/open_files.h"

#include <algorithm>

namespace aoe::initiatord {

Takeover::Takeover(Instant now, const std::string& mount, Parts parts, Times times)
    : not_before_(now + times.frame_life), deadline_(now + times.patience) {
  for (const auto& [name, users] : os::open_files_of(mount)) {
    const auto address = parse_device_address(name);
    KeptDevice* device = address ? parts.keeper.keep(now, *address) : nullptr;
    if (device == nullptr) {
      continue;
    }
    if (const auto* const disk = parts.record.disk(*address); disk != nullptr) {
      parts.keeper.expect_disk(*device, *disk);
    }
    parts.server.adopt_open(*address);
    device->users.open_files =
        users.descriptors + static_cast<std::uint32_t>(users.loop_devices.size());
    if (!users.loop_devices.empty()) {
      device->users.block_device = users.loop_devices.front();
      device->users.front_end = "loop";
    }
    devices_.push_back(*address);
  }
}

bool Takeover::is_ready(Instant now, DeviceKeeper& keeper) const {
  const auto is_up = [&](DeviceAddress address) {
    const KeptDevice* device = keeper.find(address);
    const initiator::Device* open = device == nullptr ? nullptr : keeper.view(*device);
    return open != nullptr && open->is_up() && open->sectors() > 0;
  };
  return now >= not_before_ &&
         (now >= deadline_ || std::all_of(devices_.begin(), devices_.end(), is_up));
}

}  // namespace aoe::initiatord
