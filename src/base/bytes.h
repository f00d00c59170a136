// Reading and writing integers in byte buffers. The only place that turns bytes into numbers.
//
// Every function takes a span whose length it relies on: callers slice first, so a short buffer is
// caught by the bounds-checked slice and not by a wild read.
#pragma once

#include "base/mac_address.h"
#include "base/octets.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace aoe {

using ByteSpan = std::span<std::byte>;
using ConstByteSpan = std::span<const std::byte>;

namespace bytes_detail {

// The whole integer is sliced and moved at once: one check of the length, and no loop over bytes.
template <class T>
[[nodiscard]] constexpr T load(ConstByteSpan bytes, std::size_t at) {
  const auto from = bytes.subspan(at).template first<sizeof(T)>();
  if (std::is_constant_evaluated()) {
    std::array<std::byte, sizeof(T)> raw{};
    std::copy(from.begin(), from.end(), raw.begin());
    return std::bit_cast<T>(raw);
  }
  T value{};
  std::memcpy(&value, from.data(), sizeof value);
  return value;
}

template <class T>
constexpr void store(ByteSpan bytes, std::size_t at, const T& value) {
  const auto to = bytes.subspan(at).template first<sizeof(T)>();
  if (std::is_constant_evaluated()) {
    const auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
    std::copy(raw.begin(), raw.end(), to.begin());
  } else {
    std::memcpy(to.data(), &value, sizeof value);
  }
}

constexpr std::uint16_t swapped(std::uint16_t value) {
  return __builtin_bswap16(value);
}

constexpr std::uint32_t swapped(std::uint32_t value) {
  return __builtin_bswap32(value);
}

constexpr std::uint64_t swapped(std::uint64_t value) {
  return __builtin_bswap64(value);
}

// From and to the order of bytes that the machine has.
template <class T>
[[nodiscard]] constexpr T big(T value) {
  return std::endian::native == std::endian::big ? value : swapped(value);
}

template <class T>
[[nodiscard]] constexpr T little(T value) {
  return std::endian::native == std::endian::little ? value : swapped(value);
}

}  // namespace bytes_detail

[[nodiscard]] constexpr std::uint8_t load_u8(ConstByteSpan bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

[[nodiscard]] constexpr std::uint16_t load_be16(ConstByteSpan bytes, std::size_t at) {
  return bytes_detail::big(bytes_detail::load<std::uint16_t>(bytes, at));
}

[[nodiscard]] constexpr std::uint32_t load_be32(ConstByteSpan bytes, std::size_t at) {
  return bytes_detail::big(bytes_detail::load<std::uint32_t>(bytes, at));
}

[[nodiscard]] constexpr std::uint64_t load_be64(ConstByteSpan bytes, std::size_t at) {
  return bytes_detail::big(bytes_detail::load<std::uint64_t>(bytes, at));
}

[[nodiscard]] constexpr std::uint16_t load_le16(ConstByteSpan bytes, std::size_t at) {
  return bytes_detail::little(bytes_detail::load<std::uint16_t>(bytes, at));
}

[[nodiscard]] constexpr std::uint32_t load_le32(ConstByteSpan bytes, std::size_t at) {
  return bytes_detail::little(bytes_detail::load<std::uint32_t>(bytes, at));
}

[[nodiscard]] constexpr std::uint64_t load_le64(ConstByteSpan bytes, std::size_t at) {
  return bytes_detail::little(bytes_detail::load<std::uint64_t>(bytes, at));
}

constexpr void store_u8(ByteSpan bytes, std::size_t at, std::uint8_t value) {
  bytes[at] = std::byte{value};
}

constexpr void store_be16(ByteSpan bytes, std::size_t at, std::uint16_t value) {
  bytes_detail::store(bytes, at, bytes_detail::big(value));
}

constexpr void store_be32(ByteSpan bytes, std::size_t at, std::uint32_t value) {
  bytes_detail::store(bytes, at, bytes_detail::big(value));
}

constexpr void store_be64(ByteSpan bytes, std::size_t at, std::uint64_t value) {
  bytes_detail::store(bytes, at, bytes_detail::big(value));
}

constexpr void store_le16(ByteSpan bytes, std::size_t at, std::uint16_t value) {
  bytes_detail::store(bytes, at, bytes_detail::little(value));
}

constexpr void store_le32(ByteSpan bytes, std::size_t at, std::uint32_t value) {
  bytes_detail::store(bytes, at, bytes_detail::little(value));
}

constexpr void store_le64(ByteSpan bytes, std::size_t at, std::uint64_t value) {
  bytes_detail::store(bytes, at, bytes_detail::little(value));
}

// A structure of octets alone, which lie in it as they do in the frame.
template <class T>
[[nodiscard]] constexpr T load_octets(ConstByteSpan bytes, std::size_t at) {
  static_assert(alignof(T) == 1, "only octets have no order of bytes");
  return bytes_detail::load<T>(bytes, at);
}

template <class T>
constexpr void store_octets(ByteSpan bytes, std::size_t at, const T& value) {
  static_assert(alignof(T) == 1, "only octets have no order of bytes");
  bytes_detail::store(bytes, at, value);
}

[[nodiscard]] constexpr MacAddress load_mac(ConstByteSpan bytes, std::size_t at) {
  return load_octets<MacAddress>(bytes, at);
}

constexpr void store_mac(ByteSpan bytes, std::size_t at, const MacAddress& mac) {
  store_octets(bytes, at, mac);
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
