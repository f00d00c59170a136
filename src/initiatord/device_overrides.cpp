#include "initiatord/device_overrides.h"

#include "control/params.h"

#include <fmt/format.h>

#include <utility>

namespace aoe::initiatord {

using control::Json;

namespace {

auto wrong(DeviceAddress address, const std::string& what) {
  return fail_with(Errc::invalid_argument, 0,
                   fmt::format("settings of {}: {}", to_string(address), what));
}

Result<DeviceOverride> parse_override(DeviceAddress address, const Json& settings) {
  if (!settings.is_object()) {
    return wrong(address, "not an object");
  }
  AOE_TRY_ASSIGN(const auto timeout_ns, control::optional_number_param(settings, "timeout_ns"));
  AOE_TRY_ASSIGN(const auto payload, control::optional_number_param(settings, "payload_bytes"));
  AOE_TRY_ASSIGN(const auto window, control::optional_number_param(settings, "window_frames"));
  DeviceOverride parsed;
  if (timeout_ns) {
    const auto max_ns = static_cast<std::uint64_t>(kTimeoutMax.ns);
    if (*timeout_ns != 0 &&
        (*timeout_ns < static_cast<std::uint64_t>(kTimeoutMin.ns) || *timeout_ns > max_ns)) {
      return wrong(address, fmt::format("timeout_ns {}: expected 0 or {} to {}", *timeout_ns,
                                        kTimeoutMin.ns, kTimeoutMax.ns));
    }
    parsed.timeout = Duration::nanoseconds(static_cast<std::int64_t>(*timeout_ns));
  }
  if (payload) {
    if (*payload > kPayloadBytesMax || *payload % kSectorBytes != 0) {
      return wrong(address, fmt::format("payload_bytes {}: expected a multiple of {} up to {}",
                                        *payload, kSectorBytes, kPayloadBytesMax));
    }
    parsed.payload_bytes = static_cast<std::uint32_t>(*payload);
  }
  if (window) {
    if (*window > kWindowMax) {
      return wrong(address,
                   fmt::format("window_frames {}: expected up to {}", *window, kWindowMax));
    }
    parsed.window_frames = static_cast<std::uint32_t>(*window);
  }
  return parsed;
}

}  // namespace

DeviceConfig DeviceOverrides::apply(DeviceConfig config) const {
  const auto found = devices.find(config.address);
  if (found == devices.end()) {
    return config;
  }
  const DeviceOverride& over = found->second;
  config.timeout = over.timeout.value_or(config.timeout);
  config.payload_bytes = over.payload_bytes.value_or(config.payload_bytes);
  config.window_frames = over.window_frames.value_or(config.window_frames);
  return config;
}

Result<DeviceOverrides> parse_overrides(const Json& params) {
  AOE_TRY_ASSIGN(auto origin, control::optional_text_param(params, "origin"));
  const auto devices = params.find("devices");
  if (devices == params.end() || !devices->is_object()) {
    return fail_with(Errc::invalid_argument, 0, "params: devices: expected an object");
  }
  if (devices->size() > kOverridesMax) {
    return fail_with(
        Errc::invalid_argument, 0,
        fmt::format("params: devices: {} devices, at most {}", devices->size(), kOverridesMax));
  }
  DeviceOverrides overrides;
  overrides.origin = std::move(origin).value_or("");
  for (const auto& [name, settings] : devices->items()) {
    const auto address = parse_device_address(name);
    if (!address) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("params: devices: '{}': expected an address like e7.1", name));
    }
    AOE_TRY_ASSIGN(overrides.devices[*address], parse_override(*address, settings));
  }
  return overrides;
}

Json to_json(const DeviceOverrides& overrides) {
  Json devices = Json::object();
  for (const auto& [address, over] : overrides.devices) {
    Json settings = Json::object();
    if (over.timeout) {
      settings["timeout_ns"] = over.timeout->ns;
    }
    if (over.payload_bytes) {
      settings["payload_bytes"] = *over.payload_bytes;
    }
    if (over.window_frames) {
      settings["window_frames"] = *over.window_frames;
    }
    devices[to_string(address)] = std::move(settings);
  }
  return Json{{"devices", std::move(devices)},
              {"origin", overrides.origin.empty() ? Json() : Json(overrides.origin)}};
}

}  // namespace aoe::initiatord
