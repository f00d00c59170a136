// The argument of AoE command 0, Issue ATA Command (AoEr11 3.1).
//
//   off len field
//    24   1 flags: 40h extended (48 bit), 10h device bit, 02h asynchronous write, 01h data-out
//    25   1 request: feature register; reply: error register
//    26   1 request: count register;   reply: count register after the command
//    27   1 request: command register; reply: status register
//    28   6 LBA, least significant byte first (the one little-endian field of the header)
//    34   2 reserved, zero
//    36   n data, 512 bytes a sector
#pragma once

#include "protocol/aoe_frame.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe::protocol {

inline constexpr std::size_t kAtaHeaderBytes = 36;  // where data starts

inline constexpr std::uint8_t kAtaFlagExtended = 0x40;
inline constexpr std::uint8_t kAtaFlagDevice = 0x10;
inline constexpr std::uint8_t kAtaFlagAsync = 0x02;
inline constexpr std::uint8_t kAtaFlagWrite = 0x01;

// As it lies in the frame.
struct AtaArgument {
  std::uint8_t flags = 0;
  std::uint8_t feature_error = 0;  // feature register in a request, error register in a reply
  std::uint8_t sector_count = 0;
  std::uint8_t command_status = 0;  // command register in a request, status register in a reply
  std::array<std::uint8_t, 6> lba{};
  friend bool operator==(const AtaArgument&, const AtaArgument&) = default;

  [[nodiscard]] constexpr bool is_extended() const { return (flags & kAtaFlagExtended) != 0; }

  [[nodiscard]] constexpr bool has_write_flag() const { return (flags & kAtaFlagWrite) != 0; }

  // All six bytes, for a 48-bit command.
  [[nodiscard]] constexpr Lba lba48() const { return Lba{from_le48(lba)}; }

  // Bits 27:0, for a 28-bit command: the high nibble of byte 3 is the device register image (Linux
  // sends E0h, iPXE E0h, aoeping 00h there) and is not part of the address.
  [[nodiscard]] constexpr Lba lba28() const { return Lba{lba48().value & (kLba28Limit - 1)}; }

  constexpr void set_lba48(Lba value) { lba = to_le48(value.value); }

  // Keeps the device nibble 0xE0 (LBA mode and the two obsolete bits), as the Linux driver sends
  // it.
  constexpr void set_lba28(Lba value) {
    set_lba48(Lba{value.value & (kLba28Limit - 1)});
    lba[3] = static_cast<std::uint8_t>(lba[3] | 0xE0U);
  }
};

static_assert(sizeof(AtaArgument) == 10);

struct AtaFrame {
  AtaArgument argument{};
  // Everything behind the argument: the data, and possibly Ethernet padding or the dummy payload of
  // a path probe. Its length says what arrived, never what was meant. Borrows from the frame.
  ConstByteSpan data{};
};

[[nodiscard]] Result<AtaFrame, WireError> parse_ata(ConstByteSpan frame);

// Writes bytes 24..35 of `frame`, which must hold them.
void build_ata(ByteSpan frame, const AtaArgument& argument);

// How many whole sectors an ATA frame can carry on an interface with this MTU, 0..255.
//
// The exact bound is (mtu - 22) / 512: 10 bytes of AoE header and 12 of argument lie inside the
// MTU. The Linux driver, vblade and ggaoed charge the Ethernet header too, (mtu - 36) / 512, and so
// do we for what we advertise; what we accept is the exact bound (AoEr11 3.1; targets differ by one
// sector for MTUs 512k+22..512k+35).
[[nodiscard]] std::uint8_t ata_sectors_exact(std::size_t mtu_bytes);
[[nodiscard]] std::uint8_t ata_sectors_advertised(std::size_t mtu_bytes);

}  // namespace aoe::protocol
