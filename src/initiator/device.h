// One open device: who it is, how big, and by which paths it is reached.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "initiator/device_flow.h"
#include "initiator/discovery.h"
#include "initiator/options.h"
#include "initiator/path_set.h"
#include "protocol/ata_identify.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// What an IDENTIFY over a path means for it.
enum class IdentityVerdict : std::uint8_t {
  first,    // nothing was known: this is the device now
  same,     // the disk that is open
  resized,  // the disk that is open, with another size
  foreign,  // another disk under the same address
};

class Device {
 public:
  Device(DeviceAddress address, const DeviceSettings& settings, const CoreOptions& options)
      : address_(address),
        settings_(settings),
        paths_(options.limits.paths_max),
        flow_(options.rtt),
        query_({.min = options.query_interval_min, .max = options.query_interval_max}) {}

  [[nodiscard]] DeviceAddress address() const { return address_; }

  [[nodiscard]] const DeviceSettings& settings() const { return settings_; }

  [[nodiscard]] PathSet& paths() { return paths_; }

  [[nodiscard]] const PathSet& paths() const { return paths_; }

  [[nodiscard]] DeviceFlow& flow() { return flow_; }

  [[nodiscard]] const DeviceFlow& flow() const { return flow_; }

  // When to ask for the device.
  [[nodiscard]] QuerySchedule& query() { return query_; }

  [[nodiscard]] const QuerySchedule& query() const { return query_; }

  // Empty until the first IDENTIFY answer; kept while the device is down.
  [[nodiscard]] const std::optional<protocol::IdentifyModel>& identity() const { return identity_; }

  [[nodiscard]] std::uint64_t sectors() const { return identity_ ? identity_->sector_count : 0; }

  // Judges an answer that came over a path. Serial, model and world wide name make the identity.
  // The size may change when a path that serves says so, or when none serves; a newcomer that
  // disagrees about the size with a disk in use is not trusted. Adopts what is `first`, `same` or
  // `resized`.
  enum class Standing : std::uint8_t { newcomer, newcomer_while_others_serve, serving };
  [[nodiscard]] IdentityVerdict judge(const protocol::IdentifyModel& answer, Standing standing);

  // Payload of the path from both sides: what the port's MTU holds, what the target says, what the
  // settings and the buffers of this core allow.
  void limit_path(Path& path, const PortInfo& port, std::uint32_t frame_sectors_max) const;

  [[nodiscard]] bool is_up() const { return up_; }

  // Compares with the paths; true when it changed.
  [[nodiscard]] bool refresh_up();

 private:
  DeviceAddress address_;
  DeviceSettings settings_;
  PathSet paths_;
  DeviceFlow flow_;
  QuerySchedule query_;
  std::optional<protocol::IdentifyModel> identity_;
  bool up_ = false;
};

}  // namespace aoe::initiator
