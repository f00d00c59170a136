#include "initiator/device.h"

#include "protocol/aoe_ata.h"

#include <algorithm>
#include <utility>

namespace aoe::initiator {
namespace {

// A target that says 0 takes two sectors: the field was reserved before AoEr10.
constexpr std::uint32_t kSectorsUnsaid = 2;

}  // namespace

IdentityVerdict Device::judge(const protocol::IdentifyModel& answer, Standing standing) {
  if (!identity_) {
    identity_ = answer;
    return IdentityVerdict::first;
  }
  if (answer.serial != identity_->serial || answer.model != identity_->model ||
      answer.world_wide_name != identity_->world_wide_name) {
    return IdentityVerdict::foreign;
  }
  if (answer.sector_count == identity_->sector_count) {
    // Features such as the write cache may change.
    identity_ = answer;
    return IdentityVerdict::same;
  }
  if (standing == Standing::newcomer_while_others_serve) {
    return IdentityVerdict::foreign;
  }
  identity_ = answer;
  return IdentityVerdict::resized;
}

const char* device_state_name(DeviceState state) {
  switch (state) {
    case DeviceState::opening:
      return "opening";
    case DeviceState::up:
      return "up";
    case DeviceState::down:
      return "down";
    case DeviceState::quarantined:
      return "quarantined";
    case DeviceState::closing:
      return "closing";
  }
  return "unknown";
}

DeviceState Device::state() const {
  if (closing_) {
    return DeviceState::closing;
  }
  if (up_) {
    return DeviceState::up;
  }
  if (paths_.are_quarantined()) {
    return DeviceState::quarantined;
  }
  return identity_ ? DeviceState::down : DeviceState::opening;
}

bool Device::other_instance_serves(std::uint32_t path) const {
  const auto instance = [this](const Path& of) {
    return of.peer == Peer::session ? sessions_.at(of.session).instance : 0;
  };
  for (std::uint32_t i = 0; i < paths_.size(); ++i) {
    const Path& other = paths_.at(i);
    if (i != path && other.state == PathState::live && other.peer != Peer::unknown &&
        instance(other) != instance(paths_.at(path))) {
      return true;
    }
  }
  return false;
}

bool Device::allows(const MacAddress& mac) const {
  return settings_.pinned_macs.empty() ||
         std::find(settings_.pinned_macs.begin(), settings_.pinned_macs.end(), mac) !=
             settings_.pinned_macs.end();
}

bool Device::allows(const protocol::IdentifyModel& disk) const {
  return settings_.pinned_serial.empty() || settings_.pinned_serial == disk.serial;
}

void Device::limit_path(Path& path, const PortInfo& port, std::size_t frame_bytes_max) const {
  const std::size_t mtu_bytes =
      std::min(port.mtu_bytes, frame_bytes_max - protocol::kEthernetHeaderBytes);
  std::uint32_t sectors = path.peer == Peer::session ? protocol::ata_sectors_sealed(mtu_bytes)
                                                     : protocol::ata_sectors_exact(mtu_bytes);
  sectors =
      std::min(sectors, path.target.sector_count == 0 ? kSectorsUnsaid : path.target.sector_count);
  if (settings_.payload_sectors_max != 0) {
    sectors = std::min(sectors, settings_.payload_sectors_max);
  }
  path.payload.set_allowed(sectors);
  std::uint32_t window = path.target.buffer_count;
  if (settings_.window_max != 0) {
    window = std::min(window, settings_.window_max);
  }
  path.window.set_limit(window);
}

bool Device::refresh_up() {
  const bool up = identity_.has_value() && paths_.any_live();
  return std::exchange(up_, up) != up;
}

}  // namespace aoe::initiator
