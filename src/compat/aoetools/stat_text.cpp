#include "compat/aoetools/stat_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat::aoetools {
namespace {

constexpr std::string_view kAbsent = "(NA)";

std::string shown(const std::optional<std::string>& text) {
  return text ? *text : std::string(kAbsent);
}

std::string line_of(const DeviceFiles& device, bool has_payload_column) {
  const std::string size = device.sectors ? size_column(*device.sectors) : std::string(kAbsent);
  const std::string netif = shown(device.netif);
  const std::string state = shown(device.state);
  if (!has_payload_column) {
    return fmt::format("{:>10} {:>15} {:>6} {:<14}", device.name, size, netif, state);
  }
  // A device without that file has its state one column early, and the last one empty.
  return fmt::format("{:>10} {:>15} {:>10} {:<5} {:<14}", device.name, size, netif,
                     device.payload ? *device.payload : state, device.payload ? state : "");
}

}  // namespace

std::string size_column(std::uint64_t sectors) {
  // 512 bytes a sector, 10^6 a unit: 64 / 125000, which 48-bit addresses do not carry past 64 bits.
  std::string digits = fmt::format("{:04}", sectors * 64 / 125'000);
  digits.insert(digits.size() - 3, ".");
  return digits + "GB";
}

std::vector<std::string> stat_lines(std::span<const DeviceFiles> devices) {
  const bool has_payload_column =
      std::any_of(devices.begin(), devices.end(),
                  [](const DeviceFiles& device) { return device.payload.has_value(); });
  std::vector<std::string> lines;
  for (const DeviceFiles& device : devices) {
    lines.push_back(line_of(device, has_payload_column));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace aoe::compat::aoetools
