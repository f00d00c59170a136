#include "compat/solaris/device_settings.h"

#include "base/ids.h"

#include <algorithm>
#include <map>
#include <optional>

namespace aoe::compat::solaris {
namespace {

using control::Json;

struct Wish {
  std::optional<std::uint64_t> timeout_ns;
  std::optional<std::uint64_t> payload_bytes;
  std::optional<std::uint64_t> window_frames;
};

void add(Wish& wish, const AoedDevice& entry) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  if (entry.timeout_ms) {
    // The daemon tries everything at least this long; shorter, and no frame would be sent twice.
    constexpr std::int64_t kLeastNs = 100 * kNsPerMs;
    const auto ns = static_cast<std::uint64_t>(
        std::max(*entry.timeout_ms * kNsPerMs * kTimeoutsUntilGivenUp, kLeastNs));
    constexpr std::uint64_t kMostNs = 86'400ULL * 1000 * kNsPerMs;
    wish.timeout_ns = std::max(wish.timeout_ns.value_or(0), std::min(ns, kMostNs));
  }
  if (entry.data_bytes_max) {
    const std::uint64_t bytes = *entry.data_bytes_max / kSectorBytes * kSectorBytes;
    wish.payload_bytes = std::min(wish.payload_bytes.value_or(bytes), bytes);
  }
  if (entry.commands_max) {
    const std::uint64_t frames = *entry.commands_max;
    wish.window_frames = std::min(wish.window_frames.value_or(frames), frames);
  }
}

}  // namespace

Json settings_of(const std::vector<AoedDevice>& entries, const std::string& origin) {
  std::map<DeviceAddress, Wish> wishes;
  for (const AoedDevice& entry : entries) {
    if (entry.timeout_ms || entry.data_bytes_max || entry.commands_max) {
      add(wishes[entry.address.device], entry);
    }
  }
  Json devices = Json::object();
  for (const auto& [address, wish] : wishes) {
    Json& device = devices[aoe::to_string(address)] = Json::object();
    if (wish.timeout_ns) {
      device["timeout_ns"] = *wish.timeout_ns;
    }
    if (wish.payload_bytes) {
      device["payload_bytes"] = *wish.payload_bytes;
    }
    if (wish.window_frames) {
      device["window_frames"] = *wish.window_frames;
    }
  }
  return Json{{"devices", std::move(devices)}, {"origin", origin}};
}

Result<void> apply_settings(control::Client& client, const std::vector<AoedDevice>& entries,
                            const std::string& origin) {
  AOE_TRY(client.call("initiator.settings", settings_of(entries, origin)));
  return {};
}

}  // namespace aoe::compat::solaris
