#include "compat/solaris/target_address.h"

#include "base/parse.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::solaris {
namespace {

struct Field {
  const char* name;
  std::uint32_t max;
};

// The wildcards of the protocol, 65535 and 255, are no addresses.
constexpr std::array kFields{Field{"channel", kChannelMax}, Field{"major", 65534},
                             Field{"minor", 254}};
constexpr std::size_t kAddressesMax = 4096;

auto wrong(std::string_view text, std::string what) {
  return fail_with(Errc::invalid_argument, 0, fmt::format("{}: {}", text, what));
}

// The pieces between slashes; at most one more than there are fields.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos || pieces.size() > kFields.size()) {
      return pieces;
    }
    text = text.substr(at + 1);
  }
}

Result<std::uint32_t> number_of(std::string_view whole, std::string_view text, const Field& field) {
  const auto number = parse_unsigned(text);
  if (!number || *number > field.max) {
    return wrong(whole, fmt::format("{}: '{}' (expected 0 to {})", field.name, text, field.max));
  }
  return static_cast<std::uint32_t>(*number);
}

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

Result<Range> range_of(std::string_view whole, std::string_view text, const Field& field) {
  const std::size_t dash = text.find('-');
  AOE_TRY_ASSIGN(const std::uint32_t first, number_of(whole, text.substr(0, dash), field));
  if (dash == std::string_view::npos) {
    return Range{first, first};
  }
  AOE_TRY_ASSIGN(const std::uint32_t last, number_of(whole, text.substr(dash + 1), field));
  if (last < first) {
    return wrong(whole, fmt::format("{}: '{}' ends before it begins", field.name, text));
  }
  return Range{first, last};
}

}  // namespace

std::string to_string(const TargetAddress& address) {
  return fmt::format("{}/{}/{}", address.channel, address.device.shelf.value,
                     address.device.slot.value);
}

bool AddressPattern::matches(const TargetAddress& address) const {
  return (!channel || *channel == address.channel) &&
         (!major || *major == address.device.shelf.value) &&
         (!minor || *minor == address.device.slot.value);
}

Result<AddressPattern> parse_address_pattern(std::string_view text) {
  const auto pieces = split(text, '/');
  if (pieces.size() > kFields.size()) {
    return wrong(text, "more than channel/major/minor");
  }
  std::array<std::optional<std::uint32_t>, kFields.size()> values;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!pieces[i].empty()) {
      AOE_TRY_ASSIGN(values[i], number_of(text, pieces[i], kFields[i]));
    }
  }
  AddressPattern pattern;
  pattern.channel = values[0];
  if (values[1]) {
    pattern.major = static_cast<std::uint16_t>(*values[1]);
  }
  if (values[2]) {
    pattern.minor = static_cast<std::uint8_t>(*values[2]);
  }
  return pattern;
}

bool looks_like_addresses(std::string_view text) {
  return text.find('/') != std::string_view::npos && text.front() != '/' &&
         text.find_first_not_of("0123456789/-") == std::string_view::npos;
}

Result<std::vector<TargetAddress>> parse_address_ranges(std::string_view text) {
  const auto pieces = split(text, '/');
  if (pieces.size() != kFields.size()) {
    return wrong(text, "expected channel/major/minor");
  }
  std::array<Range, kFields.size()> ranges;
  std::size_t count = 1;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    AOE_TRY_ASSIGN(ranges[i], range_of(text, pieces[i], kFields[i]));
    count *= ranges[i].last - ranges[i].first + 1;
  }
  if (count > kAddressesMax) {
    return wrong(text, fmt::format("{} addresses (at most {})", count, kAddressesMax));
  }
  std::vector<TargetAddress> addresses;
  for (std::uint32_t channel = ranges[0].first; channel <= ranges[0].last; ++channel) {
    for (std::uint32_t major = ranges[1].first; major <= ranges[1].last; ++major) {
      for (std::uint32_t minor = ranges[2].first; minor <= ranges[2].last; ++minor) {
        addresses.push_back(
            {channel,
             {Shelf{static_cast<std::uint16_t>(major)}, Slot{static_cast<std::uint8_t>(minor)}}});
      }
    }
  }
  return addresses;
}

std::optional<std::uint32_t> standard_instance(const TargetAddress& address) {
  constexpr std::uint32_t kTwoDigits = 99;
  const std::uint32_t major = address.device.shelf.value;
  const std::uint32_t minor = address.device.slot.value;
  if (major > kTwoDigits || minor > kTwoDigits) {
    return std::nullopt;
  }
  return address.channel * 10'000 + major * 100 + minor;
}

}  // namespace aoe::compat::solaris
