// AoE frames as text for people: `aoe wire decode`, logs at the finest level, failing tests.
//
// Both functions take any bytes of any length, never read outside them, and name what is wrong with
// those that are not a frame. One 802.1Q or 802.1ad tag in front of the EtherType, as captures show
// it, is read over.
//
// The text is for reading: it may change, and programs that want fields use the parsers.
#pragma once

#include "base/bytes.h"
#include "protocol/aoe_ata.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aoe::protocol {

enum class PayloadDetail : std::uint8_t {
  length,   // how many bytes
  decoded,  // IDENTIFY, SMART and TRIM data field by field
  hex,      // that, and every byte behind the argument as a dump
};

struct DissectOptions {
  PayloadDetail payload = PayloadDetail::length;
  // The argument of the ATA request that a reply answers, which the caller matched by addresses and
  // tag. A reply carries the status in the place of the opcode, so without this its data and its
  // registers are only numbers. Not looked at for requests and other commands.
  std::optional<AtaArgument> request{};
};

// "02:00:00:00:00:01 > 02:00:00:00:0a:10 e7.1 request 00000003 READ SECTORS EXT lba 131070 count
// 2"; without a line end.
[[nodiscard]] std::string dissect_line(ConstByteSpan frame, const DissectOptions& options = {});

// One "name: value" a line, every line ended. What is stated in the frame comes in the frame's
// order.
[[nodiscard]] std::string dissect_fields(ConstByteSpan frame, const DissectOptions& options = {});

// "DRDY ERR"; "none" for 0. Every bit has a name, obsolete ones too (ATA8-ACS 6.2, 6.3).
[[nodiscard]] std::string ata_status_text(std::uint8_t status);
[[nodiscard]] std::string ata_error_text(std::uint8_t error);

// "ATA", "config", .. "vendor", "unknown".
[[nodiscard]] const char* command_text(std::uint8_t command);

// Printable ASCII in double quotes, everything else (and '"' and '\') as \xNN.
[[nodiscard]] std::string quoted_text(ConstByteSpan bytes);

}  // namespace aoe::protocol
