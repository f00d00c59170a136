// Hello and seal: what our own initiator and target add to the protocol when they meet each other.
// docs/PROTOCOL-EXTENSION.md has the rules; this is the form of the bytes, for both roles.
//
// Hello is the vendor command FAh, 76 bytes, big-endian. A reply of kind renew says "I do not know
// your session" and answers a sealed frame, whose tag it carries.
//
//   off len field                                            request      reply
//    24   4 magic 616F656Bh ("aoek")
//    28   1 version                                          1            1
//    29   1 kind                                             0            0, 1 = renew
//    30   2 capabilities: 01h sequences, 02h CRC             wanted       granted
//    32   8 initiator instance                                            echoed (renew: 0)
//    40   8 target instance                                  0
//    48   4 session                                          0            never 0
//    52   4 frame life in milliseconds                       ours         the target's
//    56   4 sequence window                                  0            granted
//    60   4 lowest open sequence                                          echoed (renew: 0)
//    64   8 cache epoch                                      0            the export's (renew: 0)
//    72   4 CRC-32C of bytes 0..71
//
// The seal is a trailer of 20 bytes on ATA frames of a session, in both directions. It is the end
// of a frame of more than 60 bytes; a shorter frame carries no data, and there it follows the
// argument, at byte 36, in front of the padding.
//
//   off len field
//     0   2 magic AE5Ah
//     2   1 version 1
//     3   1 flags: 01h CRC present
//     4   4 session
//     8   4 sequence of the request; 0 = may be executed twice (replies echo it)
//    12   4 lowest open sequence (replies echo it)
//    16   4 CRC-32C of the frame from byte 0 to here; 0 without the flag
#pragma once

#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace aoe::protocol {

inline constexpr std::uint8_t kHelloCommand = 0xFA;
inline constexpr std::size_t kHelloBytes = 76;
inline constexpr std::uint8_t kSessionVersion = 1;

enum class HelloKind : std::uint8_t { hello = 0, renew = 1 };

inline constexpr std::uint16_t kCapabilitySequences = 0x0001;
inline constexpr std::uint16_t kCapabilityCrc = 0x0002;

struct Hello {
  HelloKind kind = HelloKind::hello;
  std::uint16_t capabilities = 0;  // may hold bits that this version does not know
  std::uint64_t initiator_instance = 0;
  std::uint64_t target_instance = 0;
  std::uint32_t session = 0;
  std::uint32_t frame_life_ms = 0;
  std::uint32_t sequence_window = 0;
  std::uint32_t sequence_low = 0;
  std::uint64_t cache_epoch = 0;
  friend bool operator==(const Hello&, const Hello&) = default;
};

enum class HelloError : std::uint8_t {
  foreign,      // another vendor's command of this number: too short for a magic, or not ours
  damaged,      // ours, but cut off or with a wrong CRC: nothing in it can be believed
  unsupported,  // intact, but of another version or kind
};

// The argument of a frame whose header says kHelloCommand. Bytes behind the 76 are ignored.
[[nodiscard]] Result<Hello, HelloError> parse_hello(ConstByteSpan frame);

// Writes bytes 24..75 of `frame`, which must hold them and must have its final header already: the
// CRC covers it.
void build_hello(ByteSpan frame, const Hello& hello);

inline constexpr std::size_t kSealBytes = 20;
inline constexpr std::uint16_t kSealMagic = 0xAE5A;

struct Seal {
  bool has_crc = false;
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;
  std::uint32_t sequence_low = 0;
  friend bool operator==(const Seal&, const Seal&) = default;
};

enum class SealError : std::uint8_t {
  absent,       // a plain frame
  unsupported,  // another version, or a flag that this version does not know
  damaged,      // the CRC does not match: neither data nor header can be believed
};

// What stands where a frame of this length would have its seal, when that looks like one: magic,
// version and flags fit. The CRC was not compared: of a frame that is known to be damaged.
[[nodiscard]] std::optional<Seal> claimed_seal(ConstByteSpan frame);

// Where the seal of an ATA frame of this length stands; nothing for a length that no sealed frame
// has. In front of the seal lie whole sectors, behind the one of a frame without data up to 4 bytes
// of padding. So data that merely look like a seal, at the end of a plain write, are never taken
// for one: plain frames end with their sectors.
[[nodiscard]] std::optional<std::size_t> seal_offset(std::size_t frame_bytes);

// The seal of an ATA frame, after its CRC (if it has one) was compared with the frame.
[[nodiscard]] Result<Seal, SealError> parse_seal(ConstByteSpan frame);

// The same, with two CRC-32Cs that fall off on the way: of the 24 bytes of the header, and of
// everything in front of the seal. Both are 0 without the flag.
struct SealedFrame {
  Seal seal;
  std::uint32_t header_crc = 0;
  std::uint32_t content_crc = 0;
};

[[nodiscard]] Result<SealedFrame, SealError> parse_sealed(ConstByteSpan frame);

// The length of a sealed ATA frame with so much data, a multiple of 512.
[[nodiscard]] constexpr std::size_t sealed_frame_bytes(std::size_t data_bytes) {
  return data_bytes == 0 ? kFrameBytesMin : kAtaHeaderBytes + data_bytes + kSealBytes;
}

// Writes the seal into `frame`, whose length is one of sealed_frame_bytes() and whose other bytes
// are final: the CRC covers them. With `has_crc` this reads the whole frame.
void build_seal(ByteSpan frame, const Seal& seal);

// The ATA frame without its seal: the header, the argument and whole sectors. `frame` has a seal.
[[nodiscard]] ConstByteSpan without_seal(ConstByteSpan frame);

// How many whole sectors a sealed ATA frame can carry on an interface with this MTU, 0..255; the
// seal costs a sector for few MTUs, and none for 1500 and 9000 (compare ata_sectors_advertised).
[[nodiscard]] std::uint8_t ata_sectors_sealed(std::size_t mtu_bytes);

// Sequences are numbers on a circle of 2^32; `b` is ahead of `a` by less than half of it or behind.
[[nodiscard]] constexpr bool sequence_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

// 0 means "none" and is skipped. Its place on the circle still counts: a window of n covers n
// numbers, one of which may be 0.
[[nodiscard]] constexpr std::uint32_t next_sequence(std::uint32_t sequence) {
  return sequence == 0xFFFFFFFFU ? 1 : sequence + 1;
}

}  // namespace aoe::protocol
