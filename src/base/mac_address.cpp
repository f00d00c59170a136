#include "base/mac_address.h"

namespace aoe {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string hex_octets(const MacAddress& mac, std::string_view separator) {
  std::string text;
  for (const std::uint8_t octet : mac.octets) {
    if (!text.empty()) {
      text += separator;
    }
    text += kHexDigits[octet >> 4U];
    text += kHexDigits[octet & 0xFU];
  }
  return text;
}

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  if (c >= 'a' && c <= 'f') {
    return static_cast<unsigned>(c - 'a') + 10U;
  }
  if (c >= 'A' && c <= 'F') {
    return static_cast<unsigned>(c - 'A') + 10U;
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(const MacAddress& mac) {
  return hex_octets(mac, ":");
}

std::string to_bare_string(const MacAddress& mac) {
  return hex_octets(mac, "");
}

std::optional<MacAddress> parse_mac_address(std::string_view text) {
  const bool separated = text.size() == 17;
  if (!separated && text.size() != 12) {
    return std::nullopt;
  }
  MacAddress mac;
  const std::size_t stride = separated ? 3 : 2;
  for (std::size_t i = 0; i < mac.octets.size(); ++i) {
    const std::size_t at = i * stride;
    if (separated && i > 0 && (text[at - 1] != text[2] || (text[2] != ':' && text[2] != '-'))) {
      return std::nullopt;
    }
    const auto high = hex_value(text[at]);
    const auto low = hex_value(text[at + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    mac.octets[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return mac;
}

}  // namespace aoe
