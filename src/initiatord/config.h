// What the initiator daemon is told to do: interfaces, devices, places. Plain values, made by the
// command line (options.h) or a TOML file (config_file.h).
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "config/daemon_config.h"
#include "initiator/options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::initiatord {

// The driver of Linux gives a request up after 180 s (aoe_deadsecs); nobody waits longer than a
// day.
inline constexpr Duration kTimeoutDefault = Duration::seconds(180);
inline constexpr Duration kTimeoutMin = Duration::milliseconds(100);
inline constexpr Duration kTimeoutMax = Duration::seconds(86400);

// The sector count of a frame is one byte (AoEr11, ATA argument).
inline constexpr std::uint32_t kPayloadBytesMax = 255 * 512;

inline constexpr std::uint32_t kWindowMax = 65535;

// 256 KiB; larger requests come in pieces of that size (fuse::Server). The least is a page.
inline constexpr std::uint32_t kRequestSectorsMax = 512;
inline constexpr std::uint32_t kRequestSectorsMin = 8;

enum class DeviceAccess : std::uint8_t { read_write, read_only };

// Which devices are opened and kept.
enum class OpenPolicy : std::uint8_t {
  found,       // every target that answers, and what is configured
  configured,  // what is configured
};

struct DeviceConfig {
  DeviceAddress address;
  bool enabled = true;  // false: known, but not opened until told `enable`
  DeviceAccess access = DeviceAccess::read_write;
  Duration timeout = kTimeoutDefault;  // until a request fails; 0 = never
  // What requests do while no path reaches the device (initiator/device_loss.h); 0 = never.
  initiator::OnPathLoss on_path_loss = initiator::OnPathLoss::queue;
  Duration fast_io_fail{};
  Duration device_loss = kTimeoutDefault;
  initiator::PathPolicy policy = initiator::PathPolicy::fastest;  // which path a request takes
  std::uint32_t payload_bytes = 0;  // data a frame; 0: what path and target allow
  std::uint32_t window_frames = 0;  // in flight on one path; 0: the target's buffer count
  std::vector<MacAddress> macs;     // of the targets to trust; empty: whoever answers first
  std::string attach;               // through which front end, by itself; empty: not by itself
  std::string serial;               // of the disk to trust; empty: whichever answers first
  initiator::DeviceSettings::Instances instances = initiator::DeviceSettings::Instances::one;

  // Where it was written, for messages: "aoe-initiatord.toml:12:1"; empty for one that was found.
  std::string origin;
};

struct InitiatorConfig : config::DaemonConfig {
  InitiatorConfig() { control_path = "/run/aoekit/initiator.sock"; }

  OpenPolicy open = OpenPolicy::found;
  std::string mount = "/run/aoekit/etherd";  // empty: no directory is mounted
  std::string links = "/dev/etherd";         // names of attached devices; empty: they get none
  std::uint32_t request_sectors_max = kRequestSectorsMax;  // of one request for a device's file
  DeviceConfig defaults;  // what devices have where nothing else is said; no address
  std::vector<DeviceConfig> devices;
};

// "round-robin": as it is written in a configuration and in an URI.
[[nodiscard]] std::string_view policy_word(initiator::PathPolicy policy);

// The settings of a device that the configuration does not name.
[[nodiscard]] DeviceConfig found_device(const DeviceConfig& defaults, DeviceAddress address);

// nullptr when the configuration does not name it.
[[nodiscard]] const DeviceConfig* find_device(const InitiatorConfig& config, DeviceAddress address);

}  // namespace aoe::initiatord
