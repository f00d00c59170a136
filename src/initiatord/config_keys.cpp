#include "initiatord/config_keys.h"

#include "base/parse.h"
#include "config/daemon_keys.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace aoe::initiatord {
namespace {

using config::assign;
using config::assign_enum;
using config::ChangeEffect;
using config::ConfigValue;
using config::Printed;
using config::toml_string;
using Done = config::ReadResult<void>;

constexpr std::array kOpenWords{std::string_view("found"), std::string_view("configured")};
constexpr std::array kOpens{OpenPolicy::found, OpenPolicy::configured};
constexpr std::array kLossWords{std::string_view("queue"), std::string_view("fail")};
constexpr std::array kLosses{initiator::OnPathLoss::queue, initiator::OnPathLoss::fail};
using Instances = initiator::DeviceSettings::Instances;
constexpr std::array kInstanceWords{std::string_view("one"), std::string_view("many")};
constexpr std::array kInstances{Instances::one, Instances::many};
using initiator::PathPolicy;
constexpr std::array kPolicyWords{std::string_view("fastest"), std::string_view("round-robin"),
                                  std::string_view("active-passive")};
constexpr std::array kPolicies{PathPolicy::fastest, PathPolicy::round_robin,
                               PathPolicy::active_passive};
constexpr std::array kAttachWords{std::string_view("no"), std::string_view("auto"),
                                  std::string_view("ublk"), std::string_view("nbd"),
                                  std::string_view("loop")};
constexpr std::array kMacWords{std::string_view("any")};
constexpr std::size_t kSerialCharsMax = 20;  // IDENTIFY words 10-19 (ATA8-ACS 7.16)

std::string toml_boolean(bool value) {
  return value ? "true" : "false";
}

// 0 and "auto" leave the choice to path and target.
bool is_automatic(const ConfigValue& value) {
  return config::is_word(value, "auto");
}

// 0 stands for never.
config::ReadResult<Duration> read_time(const ConfigValue& value) {
  if (config::is_word(value, "never")) {
    return Duration{};
  }
  return config::read_duration(value, {kTimeoutMin, kTimeoutMax});
}

std::string toml_time(Duration time) {
  return toml_string(time == Duration{} ? "never" : format_duration(time));
}

Done read_trusted_macs(const ConfigValue& value, DeviceConfig& config) {
  if (config::is_word(value, "any")) {
    config.macs.clear();
    return {};
  }
  return assign(config.macs, config::read_macs(value, kMacWords));
}

Done read_payload(const ConfigValue& value, DeviceConfig& config) {
  if (is_automatic(value)) {
    config.payload_bytes = 0;
    return {};
  }
  AOE_TRY_ASSIGN(const std::uint64_t bytes, config::read_size(value, kPayloadBytesMax));
  if (bytes % kSectorBytes != 0) {
    return fail(fmt::format("{} is not a multiple of {} bytes", bytes, kSectorBytes));
  }
  config.payload_bytes = static_cast<std::uint32_t>(bytes);
  return {};
}

Done read_window(const ConfigValue& value, DeviceConfig& config) {
  if (is_automatic(value)) {
    config.window_frames = 0;
    return {};
  }
  AOE_TRY_ASSIGN(const std::uint64_t frames, config::read_count(value, {0, kWindowMax}));
  config.window_frames = static_cast<std::uint32_t>(frames);
  return {};
}

Done read_attach(const ConfigValue& value, DeviceConfig& config) {
  AOE_TRY_ASSIGN(const std::size_t index, config::read_word(value, kAttachWords));
  config.attach = index == 0 ? std::string_view() : kAttachWords[index];
  return {};
}

Done read_directory(const ConfigValue& value, std::string& directory) {
  if (config::is_word(value, "none")) {
    directory.clear();
    return {};
  }
  AOE_TRY_ASSIGN(std::string path,
                 config::read_text(value, "the absolute path of a directory, or \"none\""));
  if (path.front() != '/') {
    return fail(config::in_quotes(path) +
                ": expected the absolute path of a directory, or \"none\"");
  }
  directory = std::move(path);
  return {};
}

Printed toml_directory(const std::string& directory) {
  return toml_string(directory.empty() ? std::string_view("none") : directory);
}

// The order is the order of the dump.
constexpr std::array<DeviceKey, 14> kDeviceKeys{{
    {"address", ChangeEffect::reopen,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.address, config::read_device_address(value));
     },
     [](const DeviceConfig& config) -> Printed {
       return toml_string(to_string(config.address).substr(1));
     }},
    {"enabled", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.enabled, config::read_boolean(value));
     },
     [](const DeviceConfig& config) -> Printed { return toml_boolean(config.enabled); }},
    {"read_only", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) -> Done {
       AOE_TRY_ASSIGN(const bool read_only, config::read_boolean(value));
       config.access = read_only ? DeviceAccess::read_only : DeviceAccess::read_write;
       return {};
     },
     [](const DeviceConfig& config) -> Printed {
       return toml_boolean(config.access == DeviceAccess::read_only);
     }},
    {"attach", ChangeEffect::live, read_attach,
     [](const DeviceConfig& config) -> Printed {
       return toml_string(config.attach.empty() ? kAttachWords[0] : config.attach);
     }},
    {"timeout", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.timeout, read_time(value));
     },
     [](const DeviceConfig& config) -> Printed { return toml_time(config.timeout); }},
    {"on_path_loss", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign_enum(config.on_path_loss, value, kLossWords, kLosses);
     },
     [](const DeviceConfig& config) -> Printed {
       return toml_string(config.on_path_loss == initiator::OnPathLoss::queue ? "queue" : "fail");
     }},
    {"fast_io_fail", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.fast_io_fail, read_time(value));
     },
     [](const DeviceConfig& config) -> Printed { return toml_time(config.fast_io_fail); }},
    {"device_loss", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.device_loss, read_time(value));
     },
     [](const DeviceConfig& config) -> Printed { return toml_time(config.device_loss); }},
    {"policy", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign_enum(config.policy, value, kPolicyWords, kPolicies);
     },
     [](const DeviceConfig& config) -> Printed { return toml_string(policy_word(config.policy)); }},
    {"payload", ChangeEffect::live, read_payload,
     [](const DeviceConfig& config) -> Printed {
       return config.payload_bytes == 0 ? toml_string("auto")
                                        : std::to_string(config.payload_bytes);
     }},
    {"window", ChangeEffect::live, read_window,
     [](const DeviceConfig& config) -> Printed {
       return config.window_frames == 0 ? toml_string("auto")
                                        : std::to_string(config.window_frames);
     }},
    {"macs", ChangeEffect::live, read_trusted_macs,
     [](const DeviceConfig& config) -> Printed {
       return config.macs.empty() ? toml_string("any") : config::toml_macs(config.macs);
     }},
    {"serial", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.serial, config::read_printable(value, kSerialCharsMax));
     },
     [](const DeviceConfig& config) { return config::toml_unless_empty(config.serial); }},
    {"instances", ChangeEffect::live,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign_enum(config.instances, value, kInstanceWords, kInstances);
     },
     [](const DeviceConfig& config) -> Printed {
       return toml_string(config.instances == Instances::one ? "one" : "many");
     }},
}};

// --- the parameters of the Linux driver, under its names ---

// A list in one text, with the driver's separators (aoenet.c). None: every interface, which is what
// `auto` is here.
Done read_iflist(const ConfigValue& value, InitiatorConfig& config) {
  if (value.kind == ConfigValue::Kind::string && value.text.empty()) {
    config.interfaces = {"auto"};
    return {};
  }
  AOE_TRY_ASSIGN(const std::string text, config::read_text(value, "names of interfaces"));
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" ,", at), text.size());
    if (end > at) {
      names.push_back(text.substr(at, end - at));
    }
    at = end + 1;
  }
  return assign(config.interfaces,
                config::read_interfaces(ConfigValue::list(std::move(names), value.where)));
}

// Both that a request takes too long, and that a device is gone.
Done read_deadsecs(const ConfigValue& value, InitiatorConfig& config) {
  AOE_TRY_ASSIGN(
      const std::uint64_t seconds,
      config::read_count(value, {0, static_cast<std::uint64_t>(kTimeoutMax.ns) / 1'000'000'000}));
  config.defaults.timeout = Duration::seconds(static_cast<std::int64_t>(seconds));
  config.defaults.device_loss = config.defaults.timeout;
  return {};
}

Printed print_deadsecs(const InitiatorConfig& config) {
  return config.defaults.timeout == kTimeoutDefault
             ? Printed{}
             : std::to_string(config.defaults.timeout.ns / 1'000'000'000);
}

Done read_maxout(const ConfigValue& value, InitiatorConfig& config) {
  AOE_TRY_ASSIGN(const std::uint64_t frames, config::read_count(value, {1, kWindowMax}));
  config.defaults.window_frames = static_cast<std::uint32_t>(frames);
  return {};
}

Printed print_maxout(const InitiatorConfig& config) {
  return config.defaults.window_frames == 0 ? Printed{}
                                            : std::to_string(config.defaults.window_frames);
}

// The driver's own default is above our maximum, and no error.
Done read_maxsectors(const ConfigValue& value, InitiatorConfig& config) {
  AOE_TRY_ASSIGN(const std::uint64_t sectors,
                 config::read_count(value, {kRequestSectorsMin, 65535}));
  config.request_sectors_max =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(sectors, kRequestSectorsMax));
  return {};
}

Printed print_maxsectors(const InitiatorConfig& config) {
  return config.request_sectors_max == kRequestSectorsMax
             ? Printed{}
             : std::to_string(config.request_sectors_max);
}

using Common = config::DaemonKeys<InitiatorConfig>;

constexpr std::array<InitiatorKey, 14> kInitiatorKeys{{
    Common::kInterfaces,
    Common::kPort,
    {"open", ChangeEffect::live,
     [](const ConfigValue& value, InitiatorConfig& config) {
       return assign_enum(config.open, value, kOpenWords, kOpens);
     },
     [](const InitiatorConfig& config) -> Printed {
       return toml_string(config.open == OpenPolicy::found ? "found" : "configured");
     }},
    {"mount", ChangeEffect::restart,
     [](const ConfigValue& value, InitiatorConfig& config) {
       return read_directory(value, config.mount);
     },
     [](const InitiatorConfig& config) { return toml_directory(config.mount); }},
    {"links", ChangeEffect::restart,
     [](const ConfigValue& value, InitiatorConfig& config) {
       return read_directory(value, config.links);
     },
     [](const InitiatorConfig& config) { return toml_directory(config.links); }},
    Common::kControl,
    Common::kLogLevel,
    Common::kBusyPoll,
    Common::kUser,
    Common::kGroup,
    {"aoe_iflist", ChangeEffect::live, read_iflist,
     [](const InitiatorConfig& /*config*/) { return Printed{}; }},  // as interfaces
    {"aoe_deadsecs", ChangeEffect::live, read_deadsecs, print_deadsecs},
    {"aoe_maxout", ChangeEffect::live, read_maxout, print_maxout},
    {"aoe_maxsectors", ChangeEffect::restart, read_maxsectors, print_maxsectors},
}};

}  // namespace

std::span<const DeviceKey> device_keys() {
  return kDeviceKeys;
}

std::span<const InitiatorKey> initiator_keys() {
  return kInitiatorKeys;
}

}  // namespace aoe::initiatord
