#include "protocol/dissect_text.h"

#include <algorithm>

namespace aoe::protocol {

std::string hex_text(std::uint64_t value, unsigned digits) {
  std::string text(digits, '0');
  for (std::size_t i = text.size(); i > 0; --i) {
    text[i - 1] = "0123456789abcdef"[value & 0xFU];
    value >>= 4U;
  }
  return text;
}

std::string quoted_text(ConstByteSpan bytes) {
  std::string text = "\"";
  for (const std::byte b : bytes) {
    const auto value = std::to_integer<std::uint8_t>(b);
    if (value >= 0x20 && value < 0x7F && value != '"' && value != '\\') {
      text += static_cast<char>(value);
    } else {
      text += "\\x" + hex_text(value, 2);
    }
  }
  return text + "\"";
}

void FieldLines::add(std::string_view name, std::string_view value) {
  text_.append(name).append(": ").append(value).append("\n");
}

void FieldLines::add_hex(std::string_view name, std::uint64_t value, unsigned digits,
                         std::string_view meaning) {
  std::string text = hex_text(value, digits);
  if (!meaning.empty()) {
    text.append(" (").append(meaning).append(")");
  }
  add(name, text);
}

void FieldLines::add_dump(std::string_view name, ConstByteSpan bytes) {
  constexpr std::size_t kBytesPerLine = 16;
  for (std::size_t at = 0; at < bytes.size(); at += kBytesPerLine) {
    const ConstByteSpan row = bytes.subspan(at, std::min(kBytesPerLine, bytes.size() - at));
    std::string text;
    for (const std::byte b : row) {
      text += (text.empty() ? "" : " ") + hex_text(std::to_integer<std::uint8_t>(b), 2);
    }
    add(std::string(name) + " " + hex_text(at, 4), text);
  }
}

void add_trailing(FieldLines& lines, ConstByteSpan trailing, PayloadDetail detail) {
  if (trailing.empty()) {
    return;
  }
  const bool is_zero =
      std::all_of(trailing.begin(), trailing.end(), [](std::byte b) { return b == std::byte{0}; });
  lines.add("trailing",
            std::to_string(trailing.size()) + (is_zero ? " bytes, all zero" : " bytes, not zero"));
  if (detail == PayloadDetail::hex && !is_zero) {
    lines.add_dump("trailing", trailing);
  }
}

}  // namespace aoe::protocol
