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

void Device::limit_path(Path& path, const PortInfo& port, std::uint32_t frame_sectors_max) const {
  std::uint32_t sectors = protocol::ata_sectors_exact(port.mtu_bytes);
  sectors =
      std::min(sectors, path.target.sector_count == 0 ? kSectorsUnsaid : path.target.sector_count);
  sectors = std::min(sectors, frame_sectors_max);
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
