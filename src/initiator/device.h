// One open device: who it is, how big, and by which paths it is reached.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "initiator/cache_watch.h"
#include "initiator/device_flow.h"
#include "initiator/device_loss.h"
#include "initiator/discovery.h"
#include "initiator/options.h"
#include "initiator/path_set.h"
#include "initiator/peer_sessions.h"
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

enum class DeviceState : std::uint8_t {
  opening,  // was never up
  up,
  down,         // no live path; comes back by itself
  quarantined,  // the same, and whoever answers for it is not to be trusted
  closing,      // takes nothing new
};

[[nodiscard]] const char* device_state_name(DeviceState state);

class Device {
 public:
  // `first_sequence`: beyond those of an earlier opening, see PeerSessions::next_sequence().
  Device(DeviceAddress address, const DeviceSettings& settings, const CoreOptions& options,
         std::uint32_t first_sequence)
      : address_(address),
        settings_(settings),
        paths_(options.limits.paths_max),
        sessions_(options.limits.paths_max, options.limits.frames_max, first_sequence),
        loss_(settings.loss),
        flow_(options.rtt),
        query_({.min = options.query_interval_min, .max = options.query_interval_max}) {}

  [[nodiscard]] DeviceAddress address() const { return address_; }

  [[nodiscard]] const DeviceSettings& settings() const { return settings_; }

  // From now on. What paths may carry, and which may be used, is for the caller to look at.
  void change_settings(const DeviceSettings& settings) {
    settings_ = settings;
    loss_.set_options(settings.loss);
  }

  [[nodiscard]] PathSet& paths() { return paths_; }

  [[nodiscard]] const PathSet& paths() const { return paths_; }

  [[nodiscard]] PeerSessions& sessions() { return sessions_; }

  [[nodiscard]] const PeerSessions& sessions() const { return sessions_; }

  // What its requests do while no path reaches it.
  [[nodiscard]] DeviceLoss& loss() { return loss_; }

  [[nodiscard]] const DeviceLoss& loss() const { return loss_; }

  // What its target has answered and not flushed.
  [[nodiscard]] CacheWatch& cache() { return cache_; }

  // What its traffic has shown.
  [[nodiscard]] DeviceFlow& flow() { return flow_; }

  [[nodiscard]] const DeviceFlow& flow() const { return flow_; }

  // When to ask for the device.
  [[nodiscard]] QuerySchedule& query() { return query_; }

  [[nodiscard]] const QuerySchedule& query() const { return query_; }

  // Empty until the first IDENTIFY answer, unless one was expected; kept while the device is down.
  [[nodiscard]] const std::optional<protocol::IdentifyModel>& identity() const { return identity_; }

  [[nodiscard]] std::uint64_t sectors() const { return identity_ ? identity_->sector_count : 0; }

  // What the first answer is compared with. Nothing once there was one.
  void expect(const protocol::IdentifyModel& disk) {
    if (!identity_) {
      identity_ = disk;
    }
  }

  // Judges an answer that came over a path. Serial, model and world wide name make the identity.
  // The size may change when a path that serves says so, or when none serves; a newcomer that
  // disagrees about the size with a disk in use is not trusted. Adopts what is `first`, `same` or
  // `resized`.
  enum class Standing : std::uint8_t { newcomer, newcomer_while_others_serve, serving };
  [[nodiscard]] IdentityVerdict judge(const protocol::IdentifyModel& answer, Standing standing);

  // Payload of the path from both sides: what the port's MTU holds, what the target says, what the
  // settings and the buffers of this core (of `frame_bytes_max`) allow.
  void limit_path(Path& path, const PortInfo& port, std::size_t frame_bytes_max) const;

  [[nodiscard]] bool is_up() const { return up_; }

  [[nodiscard]] DeviceState state() const;

  // Takes no new requests any more; those that it has end as they would.
  void start_closing() { closing_ = true; }

  [[nodiscard]] bool is_closing() const { return closing_; }

  // A target instance that serves over another path, if it is not the one at the far end of `path`.
  // Plain targets count as one.
  [[nodiscard]] bool other_instance_serves(std::uint32_t path) const;

  // Whether the settings allow a path to this MAC, and a disk with this serial number.
  [[nodiscard]] bool allows(const MacAddress& mac) const;
  [[nodiscard]] bool allows(const protocol::IdentifyModel& disk) const;

  // Compares with the paths; true when it changed.
  [[nodiscard]] bool refresh_up();

 private:
  DeviceAddress address_;
  DeviceSettings settings_;
  PathSet paths_;
  PeerSessions sessions_;
  DeviceLoss loss_;
  CacheWatch cache_;
  DeviceFlow flow_;
  QuerySchedule query_;
  std::optional<protocol::IdentifyModel> identity_;
  bool up_ = false;
  bool closing_ = false;
};

}  // namespace aoe::initiator
