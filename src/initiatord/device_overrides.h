// Settings of devices that somebody gave the running daemon, over those of its configuration.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "control/message.h"
#include "initiatord/config.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace aoe::initiatord {

// A file may name disks by the hundred that are not there.
inline constexpr std::size_t kOverridesMax = 4096;

// What is absent stays as the configuration has it.
struct DeviceOverride {
  std::optional<Duration> timeout{};  // 0 = never
  std::optional<std::uint32_t> payload_bytes{};
  std::optional<std::uint32_t> window_frames{};

  friend bool operator==(const DeviceOverride&, const DeviceOverride&) = default;
};

// Those of all devices come together, from one file of somebody else's form, and replace those of
// before: then what the file no longer says is gone. Devices that nobody has found yet may be among
// them.
struct DeviceOverrides {
  std::map<DeviceAddress, DeviceOverride> devices{};
  std::string origin{};  // where they were written, for people: "/etc/aoed.conf"

  // The settings with what is overridden.
  [[nodiscard]] DeviceConfig apply(DeviceConfig config) const;
};

// From {"devices": {"e7.1": {"timeout_ns": N, "payload_bytes": N, "window_frames": N}, ..},
// "origin": ".."}. Errors: invalid_argument, with the device and the limit.
[[nodiscard]] Result<DeviceOverrides> parse_overrides(const control::Json& params);

// The same form.
[[nodiscard]] control::Json to_json(const DeviceOverrides& overrides);

}  // namespace aoe::initiatord
