// The addresses of the Solaris package: channel/major/minor, 0/7/3.
#pragma once

#include "base/ids.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

inline constexpr std::uint32_t kChannelMax = 9;

// A channel is a network interface of ours, by number.
struct TargetAddress {
  std::uint32_t channel = 0;  // 0..9
  DeviceAddress device;

  friend constexpr auto operator<=>(const TargetAddress&, const TargetAddress&) = default;
};

// "0/7/3"
[[nodiscard]] std::string to_string(const TargetAddress& address);

// What matches any value is empty.
struct AddressPattern {
  std::optional<std::uint32_t> channel;
  std::optional<std::uint16_t> major;
  std::optional<std::uint8_t> minor;

  [[nodiscard]] bool matches(const TargetAddress& address) const;

  friend bool operator==(const AddressPattern&, const AddressPattern&) = default;
};

// "0/7/3", "0/1", "0//2", "0", "/7", "": missing and empty fields match any value. Errors:
// invalid_argument, naming the field and its limit.
[[nodiscard]] Result<AddressPattern> parse_address_pattern(std::string_view text);

// Whether a word is meant as addresses for aoemkconf, right or wrong: digits, slashes and dashes
// only.
[[nodiscard]] bool looks_like_addresses(std::string_view text);

// "0/7/9-11" is 0/7/9, 0/7/10 and 0/7/11; each of the three fields may be a range. At most 4096
// addresses. Errors: invalid_argument.
[[nodiscard]] Result<std::vector<TargetAddress>> parse_address_ranges(std::string_view text);

// The number in device names: cMMmm in decimal digits, without leading zeros: 0/1/7 is 107. nullopt
// for a major or minor above 99, which has no such number.
[[nodiscard]] std::optional<std::uint32_t> standard_instance(const TargetAddress& address);

}  // namespace aoe::compat::solaris
