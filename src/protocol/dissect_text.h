// Building blocks of the dissector's text. Private to the module.
#pragma once

#include "base/bytes.h"
#include "protocol/dissect.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aoe::protocol {

// `digits` lower-case hexadecimal digits, 1..16, without a prefix.
[[nodiscard]] std::string hex_text(std::uint64_t value, unsigned digits);

// Collects "name: value" lines.
class FieldLines {
 public:
  void add(std::string_view name, std::string_view value);

  void add(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }

  // "41 (extended, write)"; only the number when `meaning` is empty.
  void add_hex(std::string_view name, std::uint64_t value, unsigned digits,
               std::string_view meaning = {});
  // Sixteen bytes a line with their offset; nothing for no bytes.
  void add_dump(std::string_view name, ConstByteSpan bytes);

  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

// What lies behind the argument and its data: padding, or the dummy payload of a path probe.
void add_trailing(FieldLines& lines, ConstByteSpan trailing, PayloadDetail detail);

// The ATA part, whose argument is known to be there.
enum class FrameRole : std::uint8_t { request, reply, error_reply };
[[nodiscard]] std::string ata_line(const AtaFrame& ata, FrameRole role,
                                   const DissectOptions& options);
void add_ata_fields(FieldLines& lines, const AtaFrame& ata, FrameRole role,
                    const DissectOptions& options);

// Hello, renew and seals (aoe_session.h). A seal with a wrong CRC is shown, and said to be damaged.
[[nodiscard]] std::string hello_line(ConstByteSpan frame);
void add_hello_fields(FieldLines& lines, ConstByteSpan frame, PayloadDetail detail);
// The ATA frame in front of its seal; all of `frame` when it has none.
[[nodiscard]] ConstByteSpan in_front_of_seal(ConstByteSpan frame);
// " seal 0000abcd sequence 5 low 3"; nothing for a frame without a seal.
[[nodiscard]] std::string seal_line(ConstByteSpan frame);
void add_seal_fields(FieldLines& lines, ConstByteSpan frame);

// Data whose meaning `request` tells, field by field; nothing for plain sectors. `data` is what
// arrived of it.
void add_payload_fields(FieldLines& lines, const AtaArgument& request, ConstByteSpan data);

}  // namespace aoe::protocol
