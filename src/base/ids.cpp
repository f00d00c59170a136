#include "base/ids.h"

#include <charconv>

namespace aoe {

std::string to_string(DeviceAddress address) {
  return "e" + std::to_string(address.shelf.value) + "." + std::to_string(address.slot.value);
}

std::optional<DeviceAddress> parse_device_address(std::string_view text) {
  if (text.starts_with('e')) {
    text.remove_prefix(1);
  }
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  const auto number = [](std::string_view digits, unsigned max) -> std::optional<unsigned> {
    unsigned value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc{} || stop != end || value > max) {
      return std::nullopt;
    }
    return value;
  };
  const auto shelf = number(text.substr(0, dot), 65534);
  const auto slot = number(text.substr(dot + 1), 254);
  if (!shelf || !slot) {
    return std::nullopt;
  }
  return DeviceAddress{Shelf{static_cast<std::uint16_t>(*shelf)},
                       Slot{static_cast<std::uint8_t>(*slot)}};
}

}  // namespace aoe
