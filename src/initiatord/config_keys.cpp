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

std::string toml_boolean(bool value) {
  return value ? "true" : "false";
}

// 0 and "auto" leave the choice to path and target.
bool is_automatic(const ConfigValue& value) {
  return config::is_word(value, "auto");
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

Done read_mount(const ConfigValue& value, InitiatorConfig& config) {
  if (config::is_word(value, "none")) {
    config.mount.clear();
    return {};
  }
  AOE_TRY_ASSIGN(std::string path,
                 config::read_text(value, "the absolute path of a directory, or \"none\""));
  if (path.front() != '/') {
    return fail(config::in_quotes(path) +
                ": expected the absolute path of a directory, or \"none\"");
  }
  config.mount = std::move(path);
  return {};
}

// The order is the order of the dump.
constexpr std::array<DeviceKey, 6> kDeviceKeys{{
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
    {"read_only", ChangeEffect::reopen,
     [](const ConfigValue& value, DeviceConfig& config) -> Done {
       AOE_TRY_ASSIGN(const bool read_only, config::read_boolean(value));
       config.access = read_only ? DeviceAccess::read_only : DeviceAccess::read_write;
       return {};
     },
     [](const DeviceConfig& config) -> Printed {
       return toml_boolean(config.access == DeviceAccess::read_only);
     }},
    {"timeout", ChangeEffect::reopen,
     [](const ConfigValue& value, DeviceConfig& config) {
       return assign(config.timeout, config::read_duration(value, {kTimeoutMin, kTimeoutMax}));
     },
     [](const DeviceConfig& config) -> Printed {
       return toml_string(format_duration(config.timeout));
     }},
    {"payload", ChangeEffect::reopen, read_payload,
     [](const DeviceConfig& config) -> Printed {
       return config.payload_bytes == 0 ? toml_string("auto")
                                        : std::to_string(config.payload_bytes);
     }},
    {"window", ChangeEffect::reopen, read_window,
     [](const DeviceConfig& config) -> Printed {
       return config.window_frames == 0 ? toml_string("auto")
                                        : std::to_string(config.window_frames);
     }},
}};

using Common = config::DaemonKeys<InitiatorConfig>;

constexpr std::array<InitiatorKey, 7> kInitiatorKeys{{
    Common::interfaces,
    {"open", ChangeEffect::live,
     [](const ConfigValue& value, InitiatorConfig& config) {
       return assign_enum(config.open, value, kOpenWords, kOpens);
     },
     [](const InitiatorConfig& config) -> Printed {
       return toml_string(config.open == OpenPolicy::found ? "found" : "configured");
     }},
    {"mount", ChangeEffect::restart, read_mount,
     [](const InitiatorConfig& config) -> Printed {
       return toml_string(config.mount.empty() ? std::string_view("none") : config.mount);
     }},
    Common::control,
    Common::log_level,
    Common::user,
    Common::group,
}};

}  // namespace

std::span<const DeviceKey> device_keys() {
  return kDeviceKeys;
}

std::span<const InitiatorKey> initiator_keys() {
  return kInitiatorKeys;
}

}  // namespace aoe::initiatord
