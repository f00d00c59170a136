// The AoE frame: one bounds-checked parser and one builder for both roles. Nothing else in the tree
// looks at the bytes of a frame header.
//
// Offsets count from the first byte of the Ethernet destination address; the FCS is never seen. All
// multi-byte fields are big-endian (AoEr11 2.1).
//
//   off len field
//     0   6 destination MAC
//     6   6 source MAC
//    12   2 EtherType 88A2h
//    14   1 version (7:4), flags (3:0): 08h response, 04h error, 02h and 01h reserved
//    15   1 error code, meaningful only with the error flag
//    16   2 shelf ("major"), FFFFh = every shelf
//    18   1 slot ("minor"), FFh = every slot
//    19   1 command
//    20   4 tag, copied into the reply
//    24   n argument, laid out by the command
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>

namespace aoe::protocol {

inline constexpr std::uint16_t kEtherType = 0x88A2;
inline constexpr std::size_t kEthernetHeaderBytes = 14;
inline constexpr std::size_t kHeaderBytes = 24;  // Ethernet header + AoE header
// Ethernet's minimum without FCS. veth and tap do not pad on transmit, and aoeping and aoecfg
// ignore shorter replies, so every frame we build is padded (tests/interop/aoetools.bats).
inline constexpr std::size_t kFrameBytesMin = 60;
inline constexpr std::uint8_t kVersion = 1;

inline constexpr Shelf kAllShelves{0xFFFF};
inline constexpr Slot kAllSlots{0xFF};
// Coraid shelves with unset DIP switches answer with it; the Linux driver refuses such a device
// (aoecmd_cfg_rsp), so nobody may export it.
inline constexpr Shelf kUnsetShelf{0x0FFF};

enum class Command : std::uint8_t {
  ata = 0,
  config = 1,
  mac_mask = 2,
  reserve = 3,
  keyed_reserve = 4,  // declared in a Coraid header of 2011 only; answered with unknown_command
};

// First of the codes left to vendors, F0h..FFh (AoEr11 2.4; the Linux driver draws the same line).
inline constexpr std::uint8_t kVendorCommandFirst = 0xF0;

enum class AoeError : std::uint8_t {
  none = 0,
  unknown_command = 1,
  bad_argument = 2,
  device_unavailable = 3,
  config_string_present = 4,
  unsupported_version = 5,
  target_reserved = 6,  // since AoEr11
};

// "unrecognised command code" and so on; "error N" has no name of its own and reads "unknown
// error".
[[nodiscard]] const char* aoe_error_text(std::uint8_t code);

struct FrameHeader {
  MacAddress destination{};
  MacAddress source{};
  std::uint8_t version = kVersion;
  bool is_response = false;
  bool is_error = false;
  std::uint8_t error = 0;    // an AoeError, or any byte a peer sent
  DeviceAddress address{};   // may hold the wildcards
  std::uint8_t command = 0;  // a Command, a vendor code, or any byte a peer sent
  Tag tag{};
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// Why bytes are not the frame, or not the argument, that was asked for.
enum class WireError : std::uint8_t {
  runt,            // shorter than the 24 bytes of a header
  not_aoe,         // another EtherType
  short_argument,  // the fixed part of the argument is cut off
  bad_length,      // a length or count in the argument reaches past the end of the frame
};

[[nodiscard]] const char* wire_error_text(WireError error);

// The header of a frame of at least 24 bytes with EtherType 88A2h. Reserved flag bits are ignored,
// as the protocol asks (aoeping sets one by accident).
[[nodiscard]] Result<FrameHeader, WireError> parse_header(ConstByteSpan frame);

// Writes the 24 header bytes to the front of `frame`, which must hold them.
void build_header(ByteSpan frame, const FrameHeader& header);

// The header of the reply to `request` from a target at `address` sending from `port_mac`:
// addresses swapped, our own shelf and slot even where the request used wildcards, command and tag
// verbatim, version 1, no stale error.
[[nodiscard]] FrameHeader reply_header(const FrameHeader& request, const MacAddress& port_mac,
                                       DeviceAddress address);

}  // namespace aoe::protocol
