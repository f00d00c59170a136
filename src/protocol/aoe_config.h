// The argument of AoE command 1, Query Config Information (AoEr11 3.2).
//
//   off len field
//    24   2 buffer count: how many messages the target holds; what exceeds it may be dropped
//    26   2 firmware version, opaque
//    28   1 sector count: the most sectors an ATA request may carry, 0 = 2 (reserved until AoEr10)
//    29   1 AoE protocol version (7:4), sub-command (3:0)
//    30   2 config string length, 0..1024
//    32   n config string: arbitrary octets, no terminator
#pragma once

#include "protocol/aoe_frame.h"

#include <cstddef>
#include <cstdint>

namespace aoe::protocol {

inline constexpr std::size_t kConfigHeaderBytes = 32;  // where the string starts
inline constexpr std::size_t kConfigStringBytesMax = 1024;

enum class ConfigCommand : std::uint8_t {
  read = 0,
  test = 1,         // answer only if the argument equals the string
  prefix_test = 2,  // answer only if the argument is a prefix of the string
  set = 3,          // store if there is none
  force_set = 4,    // store
};

struct ConfigFrame {
  std::uint16_t buffer_count = 0;
  std::uint16_t firmware_version = 0;
  std::uint8_t sector_count = 0;
  std::uint8_t protocol_version = 0;  // 4 bits; peers send 0 or 1 in requests
  std::uint8_t command = 0;           // 4 bits, a ConfigCommand or anything a peer sent
  ConstByteSpan string{};             // at most 1024 bytes; borrows from the frame
};

// For a read request the length field is not looked at and `string` is empty: aoeping sends 1024
// there without meaning it (aoetools 36). Otherwise a length above 1024 or past the end of the
// frame is bad_length.
[[nodiscard]] Result<ConfigFrame, WireError> parse_config(ConstByteSpan frame);

// Writes bytes 24..31 and the string; `frame` must hold kConfigHeaderBytes + string.size() bytes.
// Returns that length.
std::size_t build_config(ByteSpan frame, const ConfigFrame& config);

}  // namespace aoe::protocol
