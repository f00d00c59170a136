#include "targetd/config_keys.h"

#include "base/mac_address.h"
#include "base/parse.h"
#include "config/daemon_keys.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::targetd {
namespace {

using config::assign;
using config::ChangeEffect;
using config::ConfigValue;
using config::in_quotes;
using config::Printed;
using config::read_texts;
using config::toml_macs;
using config::toml_names;
using config::toml_string;
using config::toml_unless_empty;
using Done = config::ReadResult<void>;

constexpr std::array kModeWords{std::string_view("write-through"), std::string_view("write-back"),
                                std::string_view("read-only")};
constexpr std::array kModes{ExportMode::write_through, ExportMode::write_back,
                            ExportMode::read_only};

constexpr std::array kDirectWords{std::string_view("on"), std::string_view("off"),
                                  std::string_view("auto")};
constexpr std::array kDirects{DirectIo::on, DirectIo::off, DirectIo::automatic};

constexpr std::array kShadowFullWords{std::string_view("thaw"), std::string_view("refuse")};
constexpr std::array kShadowFulls{WhenShadowFull::thaw, WhenShadowFull::refuse};

constexpr std::array kGeometryWords{std::string_view("native"), std::string_view("chs")};
constexpr std::array kGeometries{SizeGeometry::native, SizeGeometry::chs};

constexpr std::array kAllowWords{std::string_view("any")};
constexpr std::array kAdminWords{std::string_view("initiators"), std::string_view("none")};

Done read_buffers(const ConfigValue& value, ExportConfig& config) {
  auto count = read_count(value, {kBuffersMin, kBuffersMax});
  if (!count) {
    const bool is_one = value.integer == 1 || value.text == "1";
    return fail(std::move(count).error() +
                (is_one ? " (the Linux driver never sends to a target with 1 buffer)" : ""));
  }
  config.buffers = static_cast<std::uint32_t>(*count);
  return {};
}

Done read_overlay_max(const ConfigValue& value, ExportConfig& config) {
  AOE_TRY_ASSIGN(const std::uint64_t count, read_count(value, {1, kOverlaysMax}));
  config.overlay_max = static_cast<std::uint32_t>(count);
  return {};
}

Done read_allow(const ConfigValue& value, ExportConfig& config) {
  if (is_word(value, "any")) {
    config.allow = AllowList{};
    return {};
  }
  AOE_TRY_ASSIGN(std::vector<MacAddress> macs, read_macs(value, kAllowWords));
  config.allow = AllowList{false, std::move(macs)};
  return {};
}

Printed print_allow(const ExportConfig& config) {
  return config.allow.any ? toml_string("any") : toml_macs(config.allow.macs);
}

Done read_remote_admin(const ConfigValue& value, ExportConfig& config) {
  using Who = RemoteAdmin::Who;
  if (is_word(value, "initiators") || is_word(value, "none")) {
    config.remote_admin = RemoteAdmin{value.text == "none" ? Who::none : Who::initiators, {}};
    return {};
  }
  AOE_TRY_ASSIGN(std::vector<MacAddress> macs, read_macs(value, kAdminWords));
  config.remote_admin = RemoteAdmin{Who::listed, std::move(macs)};
  return {};
}

Printed print_remote_admin(const ExportConfig& config) {
  switch (config.remote_admin.who) {
    case RemoteAdmin::Who::initiators:
      return toml_string("initiators");
    case RemoteAdmin::Who::none:
      return toml_string("none");
    case RemoteAdmin::Who::listed:
      break;
  }
  return toml_macs(config.remote_admin.macs);
}

// Items like 02:00:00:00:0a:10=4.
Done read_weights(const ConfigValue& value, ExportConfig& config) {
  AOE_TRY_ASSIGN(const std::vector<std::string> items,
                 read_texts(value, "a list of MAC=WEIGHT, such as 02:00:00:00:0a:10=4"));
  std::vector<InitiatorWeight> weights;
  for (const std::string& item : items) {
    const std::size_t equals = item.find('=');
    const auto mac = parse_mac_address(item.substr(0, equals));
    const auto weight =
        parse_unsigned(equals == std::string::npos ? std::string() : item.substr(equals + 1));
    if (!mac || !weight || *weight < 1 || *weight > kWeightMax) {
      return fail(in_quotes(item) + ": expected MAC=WEIGHT with a weight from 1 to " +
                  std::to_string(kWeightMax));
    }
    const auto same = [&mac](const InitiatorWeight& other) { return other.mac == *mac; };
    if (std::any_of(weights.begin(), weights.end(), same)) {
      return fail(in_quotes(item) + ": this address has a weight already");
    }
    weights.push_back({.mac = *mac, .weight = static_cast<std::uint32_t>(*weight)});
  }
  config.weights = std::move(weights);
  return {};
}

Printed print_weights(const ExportConfig& config) {
  if (config.weights.empty()) {
    return {};
  }
  std::vector<std::string> items;
  for (const InitiatorWeight& item : config.weights) {
    items.push_back(to_string(item.mac) + "=" + std::to_string(item.weight));
  }
  return toml_names(items);
}

// The order is the order of the dump.
constexpr std::array<ExportKey, 30> kExportKeys{{
    {"address", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.address, read_device_address(value));
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(to_string(config.address).substr(1));
     }},
    {"store", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.store, read_text(value,
                                             "a path, file:PATH, memory:SIZE, null:SIZE or "
                                             "rbd:POOL/IMAGE[@SNAP]"));
     },
     [](const ExportConfig& config) -> Printed { return toml_string(config.store); }},
    {"mode", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign_enum(config.mode, value, kModeWords, kModes);
     },
     [](const ExportConfig& config) -> Printed { return toml_string(to_string(config.mode)); }},
    {"buffers", ChangeEffect::reopen, read_buffers,
     [](const ExportConfig& config) -> Printed { return std::to_string(config.buffers); }},
    {"offset", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.offset_sectors, read_sectors(value, {0, kLbaLimit - 1}));
     },
     [](const ExportConfig& config) -> Printed { return std::to_string(config.offset_sectors); }},
    {"length", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.length_sectors, read_sectors(value, {1, kLbaLimit}));
     },
     [](const ExportConfig& config) -> Printed {
       return config.length_sectors ? std::to_string(*config.length_sectors) : Printed{};
     }},
    {"geometry", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign_enum(config.geometry, value, kGeometryWords, kGeometries);
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(config.geometry == SizeGeometry::chs ? "chs" : "native");
     }},
    {"direct", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign_enum(config.direct, value, kDirectWords, kDirects);
     },
     [](const ExportConfig& config) -> Printed { return toml_string(to_string(config.direct)); }},
    {"cache", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.cache_bytes, read_size(value, kCacheBytesMax));
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(format_size(config.cache_bytes));
     }},
    {"allow", ChangeEffect::live, read_allow, print_allow},
    {"shadow", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.shadow, read_text(value, "the path of a shadow file"));
     },
     [](const ExportConfig& config) { return toml_unless_empty(config.shadow); }},
    {"shadow_full", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign_enum(config.when_shadow_full, value, kShadowFullWords, kShadowFulls);
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(config.when_shadow_full == WhenShadowFull::thaw ? "thaw" : "refuse");
     }},
    {"thaw_rate", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.thaw_rate_bytes, read_size(value, kThawRateMax));
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(format_size(config.thaw_rate_bytes));
     }},
    {"overlay", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.overlay, read_text(value, "the path of a directory for overlays"));
     },
     [](const ExportConfig& config) { return toml_unless_empty(config.overlay); }},
    {"overlay_max", ChangeEffect::live, read_overlay_max,
     [](const ExportConfig& config) -> Printed { return std::to_string(config.overlay_max); }},
    {"snapshots", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.snapshots, read_text(value, "the path of a directory for snapshots"));
     },
     [](const ExportConfig& config) { return toml_unless_empty(config.snapshots); }},
    {"integrity", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.integrity, read_text(value, "the path of a file for checksums"));
     },
     [](const ExportConfig& config) { return toml_unless_empty(config.integrity); }},
    {"scrub_rate", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.scrub_rate_bytes, read_size(value, kThawRateMax));
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(format_size(config.scrub_rate_bytes));
     }},
    {"iops", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.iops, read_count(value, {0, kIopsMax}));
     },
     [](const ExportConfig& config) -> Printed { return std::to_string(config.iops); }},
    {"bandwidth", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.bandwidth_bytes, read_size(value, kBandwidthMax));
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(format_size(config.bandwidth_bytes));
     }},
    {"initiator_iops", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.initiator_iops, read_count(value, {0, kIopsMax}));
     },
     [](const ExportConfig& config) -> Printed { return std::to_string(config.initiator_iops); }},
    {"initiator_bandwidth", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.initiator_bandwidth_bytes, read_size(value, kBandwidthMax));
     },
     [](const ExportConfig& config) -> Printed {
       return toml_string(format_size(config.initiator_bandwidth_bytes));
     }},
    {"weights", ChangeEffect::live, read_weights, print_weights},
    {"duplicate_memory", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.duplicate_memory, read_boolean(value));
     },
     [](const ExportConfig& config) -> Printed {
       return std::string(config.duplicate_memory ? "true" : "false");
     }},
    {"late_write_guard", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.late_write_guard, read_boolean(value));
     },
     [](const ExportConfig& config) -> Printed {
       return std::string(config.late_write_guard ? "true" : "false");
     }},
    {"model", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.model, read_printable(value, kModelCharsMax));
     },
     [](const ExportConfig& config) { return toml_unless_empty(config.model); }},
    {"serial", ChangeEffect::reopen,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.serial, read_printable(value, kSerialCharsMax));
     },
     [](const ExportConfig& config) { return toml_unless_empty(config.serial); }},
    {"remote_admin", ChangeEffect::live, read_remote_admin, print_remote_admin},
    {"interfaces", ChangeEffect::live,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.interfaces, read_interfaces(value));
     },
     [](const ExportConfig& config) {
       return config.interfaces.empty() ? Printed{} : toml_names(config.interfaces);
     }},
    {"start_offline", ChangeEffect::restart,
     [](const ConfigValue& value, ExportConfig& config) {
       return assign(config.start_offline, read_boolean(value));
     },
     [](const ExportConfig& config) -> Printed {
       return std::string(config.start_offline ? "true" : "false");
     }},
}};

using Common = config::DaemonKeys<TargetConfig>;

constexpr std::array<TargetKey, 11> kTargetKeys{{
    Common::kInterfaces,
    Common::kPort,
    {"state_dir", ChangeEffect::restart,
     [](const ConfigValue& value, TargetConfig& config) {
       return assign(config.state_dir, read_text(value, "the path of a directory"));
     },
     [](const TargetConfig& config) -> Printed { return toml_string(config.state_dir); }},
    Common::kControl,
    Common::kLogLevel,
    {"metrics", ChangeEffect::restart,
     [](const ConfigValue& value, TargetConfig& config) {
       return assign(config.metrics, read_listen_address(value));
     },
     [](const TargetConfig& config) -> Printed {
       return config.metrics ? toml_string(to_string(*config.metrics)) : Printed{};
     }},
    {"frame_life", ChangeEffect::restart,
     [](const ConfigValue& value, TargetConfig& config) {
       return assign(config.frame_life, read_duration(value, {Duration{}, kFrameLifeMax}));
     },
     [](const TargetConfig& config) -> Printed {
       return toml_string(format_duration(config.frame_life));
     }},
    {"shards", ChangeEffect::restart,
     [](const ConfigValue& value, TargetConfig& config) -> Done {
       if (is_word(value, "auto")) {
         config.shards = 0;
         return {};
       }
       AOE_TRY_ASSIGN(const std::uint64_t count, read_count(value, {1, kShardsMax}));
       config.shards = static_cast<std::uint16_t>(count);
       return {};
     },
     [](const TargetConfig& config) -> Printed {
       return config.shards == 0 ? toml_string("auto") : std::to_string(config.shards);
     }},
    Common::kBusyPoll,
    Common::kUser,
    Common::kGroup,
}};

}  // namespace

std::span<const ExportKey> export_keys() {
  return kExportKeys;
}

std::span<const TargetKey> target_keys() {
  return kTargetKeys;
}

}  // namespace aoe::targetd
