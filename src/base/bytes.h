// Reading and writing integers in byte buffers. The only place that turns bytes into numbers.
//
// Every function takes a span whose length it relies on: callers slice first, so a short buffer is
// caught by the bounds-checked slice and not by a wild read.
#pragma once

#include "base/mac_address.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace aoe {

using ByteSpan = std::span<std::byte>;
using ConstByteSpan = std::span<const std::byte>;

[[nodiscard]] constexpr std::uint8_t load_u8(ConstByteSpan bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

[[nodiscard]] constexpr std::uint16_t load_be16(ConstByteSpan bytes, std::size_t at) {
  return static_cast<std::uint16_t>(load_u8(bytes, at) << 8U | load_u8(bytes, at + 1));
}

[[nodiscard]] constexpr std::uint32_t load_be32(ConstByteSpan bytes, std::size_t at) {
  return std::uint32_t{load_be16(bytes, at)} << 16U | load_be16(bytes, at + 2);
}

[[nodiscard]] constexpr std::uint64_t load_be64(ConstByteSpan bytes, std::size_t at) {
  return std::uint64_t{load_be32(bytes, at)} << 32U | load_be32(bytes, at + 4);
}

[[nodiscard]] constexpr std::uint16_t load_le16(ConstByteSpan bytes, std::size_t at) {
  return static_cast<std::uint16_t>(load_u8(bytes, at + 1) << 8U | load_u8(bytes, at));
}

[[nodiscard]] constexpr std::uint32_t load_le32(ConstByteSpan bytes, std::size_t at) {
  return std::uint32_t{load_le16(bytes, at + 2)} << 16U | load_le16(bytes, at);
}

[[nodiscard]] constexpr std::uint64_t load_le64(ConstByteSpan bytes, std::size_t at) {
  return std::uint64_t{load_le32(bytes, at + 4)} << 32U | load_le32(bytes, at);
}

constexpr void store_u8(ByteSpan bytes, std::size_t at, std::uint8_t value) {
  bytes[at] = std::byte{value};
}

constexpr void store_be16(ByteSpan bytes, std::size_t at, std::uint16_t value) {
  store_u8(bytes, at, static_cast<std::uint8_t>(value >> 8U));
  store_u8(bytes, at + 1, static_cast<std::uint8_t>(value & 0xFFU));
}

constexpr void store_be32(ByteSpan bytes, std::size_t at, std::uint32_t value) {
  store_be16(bytes, at, static_cast<std::uint16_t>(value >> 16U));
  store_be16(bytes, at + 2, static_cast<std::uint16_t>(value & 0xFFFFU));
}

constexpr void store_be64(ByteSpan bytes, std::size_t at, std::uint64_t value) {
  store_be32(bytes, at, static_cast<std::uint32_t>(value >> 32U));
  store_be32(bytes, at + 4, static_cast<std::uint32_t>(value & 0xFFFFFFFFU));
}

constexpr void store_le16(ByteSpan bytes, std::size_t at, std::uint16_t value) {
  store_u8(bytes, at, static_cast<std::uint8_t>(value & 0xFFU));
  store_u8(bytes, at + 1, static_cast<std::uint8_t>(value >> 8U));
}

constexpr void store_le32(ByteSpan bytes, std::size_t at, std::uint32_t value) {
  store_le16(bytes, at, static_cast<std::uint16_t>(value & 0xFFFFU));
  store_le16(bytes, at + 2, static_cast<std::uint16_t>(value >> 16U));
}

constexpr void store_le64(ByteSpan bytes, std::size_t at, std::uint64_t value) {
  store_le32(bytes, at, static_cast<std::uint32_t>(value & 0xFFFFFFFFU));
  store_le32(bytes, at + 4, static_cast<std::uint32_t>(value >> 32U));
}

[[nodiscard]] constexpr MacAddress load_mac(ConstByteSpan bytes, std::size_t at) {
  MacAddress mac;
  for (std::size_t i = 0; i < mac.octets.size(); ++i) {
    mac.octets[i] = load_u8(bytes, at + i);
  }
  return mac;
}

constexpr void store_mac(ByteSpan bytes, std::size_t at, const MacAddress& mac) {
  for (std::size_t i = 0; i < mac.octets.size(); ++i) {
    store_u8(bytes, at + i, mac.octets[i]);
  }
}

// Copies all of `from` to the front of `to`, which must be at least as long (checked by the slice).
inline void copy_bytes(ByteSpan to, ConstByteSpan from) {
  if (!from.empty()) {
    std::memcpy(to.first(from.size()).data(), from.data(), from.size());
  }
}

inline void fill_zero(ByteSpan bytes) {
  if (!bytes.empty()) {
    std::memset(bytes.data(), 0, bytes.size());
  }
}

[[nodiscard]] inline bool equal_bytes(ConstByteSpan a, ConstByteSpan b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

// The bytes of a text, and the text of some bytes; both borrow.
[[nodiscard]] inline ConstByteSpan as_byte_span(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

[[nodiscard]] inline std::string_view as_text(ConstByteSpan bytes) {
  // Bytes and chars may alias; this is the one place that says so.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace aoe
