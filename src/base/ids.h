// Strong types for the numbers of the field, so that a shelf is never passed where a slot belongs.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe {

// A number with a meaning. Conversion is explicit both ways: Shelf{7}, shelf.value.
template <class Meaning, class Rep>
struct Id {
  Rep value{};
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

using Shelf = Id<struct ShelfMeaning, std::uint16_t>;  // "major" on the wire, 0..65534
using Slot = Id<struct SlotMeaning, std::uint8_t>;     // "minor" on the wire, 0..254
using Tag = Id<struct TagMeaning, std::uint32_t>;      // opaque to a target, returned verbatim
using Lba = Id<struct LbaMeaning, std::uint64_t>;      // 512-byte sector number, < 2^48

using PortId = Id<struct PortMeaning, std::uint8_t>;         // index of a packet port
using ExportId = Id<struct ExportMeaning, std::uint32_t>;    // index + generation, see target
using StoreTag = Id<struct StoreTagMeaning, std::uint32_t>;  // names one operation of a store

inline constexpr std::uint32_t kSectorBytes = 512;
inline constexpr std::uint64_t kLbaLimit = std::uint64_t{1} << 48;  // first LBA out of reach
inline constexpr std::uint64_t kLba28Limit = std::uint64_t{1}
                                             << 28;  // the same for 28-bit commands

// shelf.slot, written e7.1.
struct DeviceAddress {
  Shelf shelf;
  Slot slot;
  friend constexpr auto operator<=>(const DeviceAddress&, const DeviceAddress&) = default;
};

// "e7.1"
[[nodiscard]] std::string to_string(DeviceAddress address);

// Accepts "7.1" and "e7.1" in decimal, shelf 0..65534 and slot 0..254 (65535 and 255 are the
// wildcards of the protocol), nothing before or after. Leading zeros are accepted.
[[nodiscard]] std::optional<DeviceAddress> parse_device_address(std::string_view text);

}  // namespace aoe
