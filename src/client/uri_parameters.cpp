#include "client/uri_parameters.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace aoe::client {
namespace {

using initiator::DeviceSettings;
using initiator::OnPathLoss;

constexpr double kSecondsMax = 1e6;
constexpr std::uint32_t kWindowMax = 65535;
constexpr std::size_t kSerialMax = 20;  // IDENTIFY words 10-19

// What was expected, when the value is not it.
using SetResult = Result<void, std::string>;

template <class T>
std::optional<T> parse_number(std::string_view digits) {
  T value{};
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  return error == std::errc{} && stop == end ? std::optional<T>(value) : std::nullopt;
}

std::optional<Duration> parse_seconds(std::string_view value) {
  const auto seconds = parse_number<double>(value);
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > kSecondsMax) {
    return std::nullopt;
  }
  const auto nanoseconds = std::llround(*seconds * 1e9);
  // What is not 0 must not become the 0 that means "never".
  return Duration::nanoseconds(*seconds > 0 ? std::max<std::int64_t>(nanoseconds, 1) : 0);
}

SetResult set_payload(std::string_view value, DeviceUri& uri) {
  const auto bytes = parse_number<std::uint32_t>(value);
  if (!bytes || *bytes == 0 || *bytes > kPayloadBytesMax || *bytes % kSectorBytes != 0) {
    return aoe::fail(fmt::format("a multiple of 512, at most {}", kPayloadBytesMax));
  }
  uri.payload_bytes = bytes;
  return {};
}

SetResult set_timeout(std::string_view value, DeviceUri& uri) {
  const auto time = parse_seconds(value);
  if (!time || *time == Duration{}) {
    return aoe::fail<std::string>("seconds above 0, as 30 or 2.5");
  }
  uri.timeout = time;
  return {};
}

SetResult set_policy(std::string_view value, DeviceUri& uri) {
  if (value == "fastest") {
    uri.policy = PathPolicy::fastest;
  } else if (value == "round-robin") {
    uri.policy = PathPolicy::round_robin;
  } else if (value == "active-passive") {
    uri.policy = PathPolicy::active_passive;
  } else {
    return aoe::fail<std::string>("fastest, round-robin or active-passive");
  }
  return {};
}

SetResult set_window(std::string_view value, DeviceUri& uri) {
  const auto frames = parse_number<std::uint32_t>(value);
  if (!frames || *frames == 0 || *frames > kWindowMax) {
    return aoe::fail(fmt::format("frames, 1 to {}", kWindowMax));
  }
  uri.window = frames;
  return {};
}

SetResult set_mode(std::string_view value, DeviceUri& uri) {
  if (value == "read-only") {
    uri.access = Access::read_only;
  } else if (value == "read-write") {
    uri.access = Access::read_write;
  } else {
    return aoe::fail<std::string>("read-only or read-write");
  }
  return {};
}

SetResult set_on_path_loss(std::string_view value, DeviceUri& uri) {
  if (value == "queue") {
    uri.on_path_loss = OnPathLoss::queue;
  } else if (value == "fail") {
    uri.on_path_loss = OnPathLoss::fail;
  } else {
    return aoe::fail<std::string>("queue or fail");
  }
  return {};
}

SetResult set_fast_io_fail(std::string_view value, DeviceUri& uri) {
  uri.fast_io_fail = parse_seconds(value);
  if (!uri.fast_io_fail) {
    return aoe::fail<std::string>("seconds, 0 for never");
  }
  return {};
}

SetResult set_device_loss(std::string_view value, DeviceUri& uri) {
  uri.device_loss = parse_seconds(value);
  if (!uri.device_loss) {
    return aoe::fail<std::string>("seconds, 0 for never");
  }
  return {};
}

SetResult set_mac(std::string_view value, DeviceUri& uri) {
  for (;;) {
    const std::size_t plus = value.find('+');
    const auto mac = parse_mac_address(value.substr(0, plus));
    if (!mac || mac->is_group() || mac->is_zero()) {
      return aoe::fail<std::string>("MAC[+MAC..] of targets, as 02:00:00:00:0a:10");
    }
    uri.macs.push_back(*mac);
    if (plus == std::string_view::npos) {
      return {};
    }
    value.remove_prefix(plus + 1);
  }
}

SetResult set_serial(std::string_view value, DeviceUri& uri) {
  if (value.empty() || value.size() > kSerialMax) {
    return aoe::fail(fmt::format("1 to {} characters", kSerialMax));
  }
  uri.serial = value;
  return {};
}

SetResult set_instances(std::string_view value, DeviceUri& uri) {
  if (value == "one") {
    uri.instances = DeviceSettings::Instances::one;
  } else if (value == "many") {
    uri.instances = DeviceSettings::Instances::many;
  } else {
    return aoe::fail<std::string>("one or many");
  }
  return {};
}

SetResult set_port(std::string_view value, DeviceUri& uri) {
  const auto* const word = std::find(kPortKindWords.begin(), kPortKindWords.end(), value);
  if (word == kPortKindWords.end()) {
    return aoe::fail<std::string>("auto, packet or xdp");
  }
  uri.port = kPortKinds.at(static_cast<std::size_t>(word - kPortKindWords.begin()));
  return {};
}

struct Parameter {
  std::string_view key;
  SetResult (*set)(std::string_view value, DeviceUri& uri);
};

constexpr std::array<Parameter, 12> kParameters{{
    {"payload", set_payload},
    {"timeout", set_timeout},
    {"policy", set_policy},
    {"window", set_window},
    {"mode", set_mode},
    {"on_path_loss", set_on_path_loss},
    {"fast_io_fail", set_fast_io_fail},
    {"device_loss", set_device_loss},
    {"mac", set_mac},
    {"serial", set_serial},
    {"instances", set_instances},
    {"port", set_port},
}};

std::string known_keys() {
  std::string keys;
  for (const Parameter& parameter : kParameters) {
    keys += (keys.empty() ? "" : ", ") + std::string(parameter.key);
  }
  return keys;
}

}  // namespace

Result<void> set_uri_parameter(std::string_view text, std::string_view key, std::string_view value,
                               DeviceUri& uri) {
  const auto* const parameter =
      std::find_if(kParameters.begin(), kParameters.end(),
                   [key](const Parameter& candidate) { return candidate.key == key; });
  if (parameter == kParameters.end()) {
    return fail_with(
        Errc::invalid_argument, 0,
        fmt::format("{}: unknown parameter '{}' (known: {})", text, key, known_keys()));
  }
  if (const auto set = parameter->set(value, uri); !set) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: {}={}: expected {}", text, key, value, set.error()));
  }
  return {};
}

}  // namespace aoe::client
