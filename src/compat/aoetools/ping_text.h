// What aoeping prints.
#pragma once

#include "base/bytes.h"
#include "protocol/aoe_ata.h"

#include <optional>
#include <string>
#include <string_view>

namespace aoe::compat::aoetools {

// Sixteen bytes a line, a blank behind each, a line end behind each whole line.
[[nodiscard]] std::string hex_lines(ConstByteSpan bytes);

// The fields of IDENTIFY that -I shows; `sector` has 512 bytes.
[[nodiscard]] std::string identify_fields(ConstByteSpan sector);

// Word 82 bit 0.
[[nodiscard]] bool supports_smart(ConstByteSpan sector);

[[nodiscard]] std::string register_lines(const protocol::AtaArgument& registers);

struct SmartCommand {
  std::uint8_t feature = 0;
  std::uint8_t parameter = 0;  // LBA low
  // Which way one sector goes.
  bool reads = false;
  bool writes = false;
};

// NAME or NAME:PARAMETER, where PARAMETER is decimal, octal or hexadecimal as in C, and the NAME
// before it may be shortened. nullopt for a name that is none.
[[nodiscard]] std::optional<SmartCommand> parse_smart_command(const std::string& text);

}  // namespace aoe::compat::aoetools
