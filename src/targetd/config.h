// What the target daemon is told to do: interfaces, exports, places. Plain values, made by the
// command line (options.h), a TOML file (config_file.h) or a control request (export_spec.h).
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "config/daemon_config.h"
#include "config/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::targetd {

// The Linux driver starts with half the advertised buffers as its window and rounds down: a count
// of 1 leaves it with none, and the device never becomes usable (aoecmd.c:1447). The field of the
// reply has 16 bits (AoEr11, Query Config Information, Buffer Count).
inline constexpr std::uint32_t kBuffersMin = 2;
inline constexpr std::uint32_t kBuffersMax = 65535;
inline constexpr std::uint32_t kBuffersDefault = 64;

inline constexpr std::size_t kModelCharsMax = 40;   // IDENTIFY words 27-46 (ATA8-ACS 7.16)
inline constexpr std::size_t kSerialCharsMax = 20;  // IDENTIFY words 10-19 (ATA8-ACS 7.16)

inline constexpr std::uint64_t kCacheBytesMax = std::uint64_t{1} << 44;  // 16 TiB

// When a write is acknowledged; and whether there are writes at all.
enum class ExportMode : std::uint8_t {
  write_through,  // after it is on stable storage
  write_back,     // once it is visible to reads; FLUSH CACHE makes it stable
  read_only,      // never: writes are refused
};

// Whether file I/O goes around the page cache.
enum class DirectIo : std::uint8_t {
  automatic,  // where the backing can
  on,         // or refuse to open
  off,
};

// Which size an export shows.
enum class SizeGeometry : std::uint8_t {
  native,  // all of the store
  chs,     // whole cylinders of 255 heads with 63 sectors
};

// Sectors of such a cylinder: 8225280 bytes. WinAoE does not use what is behind the last whole one,
// and data that another host puts there is lost (vblade.8, BUGS).
inline constexpr std::uint64_t kCylinderSectors = 255ULL * 63;

// Whose frames an export answers.
struct AllowList {
  bool any = true;
  std::vector<MacAddress> macs;  // when not any: 1..config::kMacListMax, no two equal
  friend bool operator==(const AllowList&, const AllowList&) = default;
};

// Who of the allowed may change config string, mask list and reservation by wire.
struct RemoteAdmin {
  enum class Who : std::uint8_t { initiators, none, listed };
  Who who = Who::initiators;
  std::vector<MacAddress> macs;  // when listed: 1..config::kMacListMax, no two equal
  friend bool operator==(const RemoteAdmin&, const RemoteAdmin&) = default;
};

// What happens when the shadow of a frozen export has no room left.
enum class WhenShadowFull : std::uint8_t {
  thaw,    // the frozen state is given up, and no write fails
  refuse,  // the frozen state stays, and writes fail
};

// Each initiator's layer is a file and, while it is used, about 100 KiB of memory.
inline constexpr std::uint32_t kOverlaysDefault = 256;
inline constexpr std::uint32_t kOverlaysMax = 4096;

inline constexpr std::uint64_t kThawRateDefault = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kThawRateMax = std::uint64_t{1} << 40U;

struct InitiatorWeight {
  MacAddress mac;
  std::uint32_t weight = 1;  // 1..kWeightMax
  friend bool operator==(const InitiatorWeight&, const InitiatorWeight&) = default;
};

inline constexpr std::uint32_t kWeightMax = 1000;
inline constexpr std::uint64_t kIopsMax = 1'000'000'000;
inline constexpr std::uint64_t kBandwidthMax = std::uint64_t{1} << 40;

struct ExportConfig {
  DeviceAddress address;
  std::string store;  // raw STORE text: a path, file:PATH, memory:SIZE, null:SIZE, rbd:POOL/IMAGE
  ExportMode mode = ExportMode::write_through;
  std::uint32_t buffers = kBuffersDefault;      // kBuffersMin..kBuffersMax
  std::uint64_t offset_sectors = 0;             // where in the store the export begins
  std::optional<std::uint64_t> length_sectors;  // at least 1; absent: to the store's end
  SizeGeometry geometry = SizeGeometry::native;
  DirectIo direct = DirectIo::automatic;
  std::uint64_t cache_bytes = 0;  // 0: no block cache of our own
  AllowList allow;
  std::string shadow;  // path of the shadow file; empty: beside the state
  WhenShadowFull when_shadow_full = WhenShadowFull::thaw;
  std::uint64_t thaw_rate_bytes = kThawRateDefault;  // a second; 0: as fast as it goes
  std::string overlay;  // directory of the initiators' layers; empty: all write to the store
  std::uint32_t overlay_max = kOverlaysDefault;  // 1..kOverlaysMax
  std::string snapshots;  // directory of what snapshots need; empty: none can be taken
  std::string integrity;  // path of the checksums; empty: none
  std::uint64_t scrub_rate_bytes = kThawRateDefault;  // a second; 0: as fast as it goes
  // Caps, 0: none. Requests and bytes a second, of the export and of each of its initiators.
  std::uint64_t iops = 0;
  std::uint64_t bandwidth_bytes = 0;
  std::uint64_t initiator_iops = 0;
  std::uint64_t initiator_bandwidth_bytes = 0;
  std::vector<InitiatorWeight> weights;  // of initiators that get more than others
  // Commands of initiators of our own kind are executed once.
  bool duplicate_memory = true;
  // Writes of Linux hosts that come after newer ones are dropped.
  bool late_write_guard = true;
  std::string model;   // at most kModelCharsMax printable characters; empty: the default text
  std::string serial;  // at most kSerialCharsMax printable characters; empty: made from the address
  RemoteAdmin remote_admin;
  std::vector<std::string> interfaces;  // a subset of the daemon's; empty: all of them
  bool start_offline = false;           // opened and checked, but silent until told `online`

  // Where it was written, for messages: "aoe-targetd.toml:12:1" or "-e 7.1=/srv/a.img".
  std::string origin;
  // By a control request while the daemon runs: no file has it.
  bool is_added_at_run_time = false;
};

// Half a turn of the fastest clock in the tags of Linux hosts is 32 s, and stamps live up to twice
// as long as frames (target/write_stamps.h).
inline constexpr Duration kFrameLifeMax = Duration::seconds(10);

// Every one has a receive ring on every interface, and the kernel looks at a frame once for each.
inline constexpr std::uint16_t kShardsMax = 64;

struct TargetConfig : config::DaemonConfig {
  TargetConfig() { control_path = "/run/aoekit/target.sock"; }

  std::vector<ExportConfig> exports;
  std::string state_dir = "/var/lib/aoekit";
  std::optional<config::ListenAddress> metrics;
  Duration frame_life = Duration::seconds(1);  // 0..kFrameLifeMax
  // Threads that divide the exports between them, 1..kShardsMax; 0: one for each processor.
  std::uint16_t shards = 1;
};

// The words that a configuration uses.
[[nodiscard]] std::string_view to_string(ExportMode mode);
[[nodiscard]] std::string_view to_string(DirectIo direct);

}  // namespace aoe::targetd
