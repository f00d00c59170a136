#include "tools/values.h"

#include "base/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace aoe::tools {
namespace {

constexpr double kNsPerSecond = 1e9;

auto bad_value(std::string_view text, std::string_view expected) {
  return fail_with(Errc::invalid_argument, 0, fmt::format("{}: {}", text, expected));
}

// Three significant digits, but no fraction where there is none.
std::string three_digits(double value) {
  if (value >= 99.95 || value == std::floor(value)) {
    return fmt::format("{:.0f}", value);
  }
  return value >= 9.995 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

}  // namespace

Result<ByteCount> parse_byte_count(std::string_view text) {
  const auto bytes = parse_size(text);
  if (bytes) {
    return ByteCount{*bytes};
  }
  switch (bytes.error()) {
    case ParseErrc::too_large:
      return bad_value(text, "too large a size (it must fit 64 bits)");
    case ParseErrc::not_a_number:
    case ParseErrc::unknown_suffix:
      break;
  }
  return bad_value(text, "not a size (like 512, 64K, 10G, or 20480s for sectors)");
}

Result<Duration> parse_duration(std::string_view text) {
  const auto duration = aoe::parse_duration(text);
  if (duration) {
    return *duration;
  }
  return duration.error() == ParseErrc::too_large
             ? bad_value(text, "too long a time (a year at most)")
             : bad_value(text, "not a time (like 2, 0.5, 100ms or 5m; seconds by default)");
}

Result<std::vector<MacAddress>> parse_macs(const std::vector<std::string>& texts) {
  std::vector<MacAddress> macs;
  for (const std::string& text : texts) {
    const auto mac = parse_mac_address(text);
    if (!mac) {
      return bad_value(text, "not an Ethernet address (like 02:00:00:00:0a:10)");
    }
    if (mac->is_group() || mac->is_zero()) {
      return bad_value(text, "no host has this Ethernet address (a group address or zero)");
    }
    macs.push_back(*mac);
  }
  return macs;
}

Result<std::vector<std::string>> split_interfaces(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    std::size_t start = 0;
    while (start <= list.size()) {
      const std::size_t comma = std::min(list.find(',', start), list.size());
      const std::string name = list.substr(start, comma - start);
      if (name.empty()) {
        return bad_value(list, "not a list of interfaces (like eth1 or eth1,eth2)");
      }
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
      start = comma + 1;
    }
  }
  return names;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array kUnitNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr double kStep = 1024;
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  double value = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  // What would round up to 1024 of a unit is 1 of the next.
  while (value >= kStep - 0.5 && unit + 1 < kUnitNames.size()) {
    value /= kStep;
    ++unit;
  }
  return fmt::format("{} {}", three_digits(value), kUnitNames[unit]);
}

std::string duration_text(Duration duration) {
  constexpr std::int64_t kMinuteNs = 60'000'000'000;
  const auto ns = static_cast<double>(duration.ns);
  if (duration.ns >= 2 * kMinuteNs) {
    return fmt::format("{}:{:02}", duration.ns / kMinuteNs,
                       duration.ns % kMinuteNs / 1'000'000'000);
  }
  if (ns >= kNsPerSecond) {
    return three_digits(ns / kNsPerSecond) + " s";
  }
  if (ns >= 1e6) {
    return three_digits(ns / 1e6) + " ms";
  }
  return ns >= 1e3 ? three_digits(ns / 1e3) + " us" : fmt::format("{} ns", duration.ns);
}

std::string rate_text(std::uint64_t bytes, Duration duration) {
  if (duration.ns <= 0) {
    return "-";
  }
  const double per_second =
      static_cast<double>(bytes) * kNsPerSecond / static_cast<double>(duration.ns);
  return size_text(static_cast<std::uint64_t>(per_second)) + "/s";
}

std::string printable_text(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      text.push_back(c);
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::string hex_text(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

}  // namespace aoe::tools
