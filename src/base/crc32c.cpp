#include "base/crc32c.h"

#include <array>

namespace aoe {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78U;

// kTables[k][b]: what byte b contributes when k more bytes follow it; eight at a time then cost
// eight look-ups and no shifts in between.
constexpr auto kTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t value = 0; value < 256; ++value) {
    std::uint32_t crc = value;
    for (int i = 0; i < 8; ++i) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    }
    tables[0][value] = crc;
  }
  for (std::uint32_t value = 0; value < 256; ++value) {
    for (std::size_t k = 1; k < tables.size(); ++k) {
      const std::uint32_t previous = tables[k - 1][value];
      tables[k][value] = (previous >> 8U) ^ tables[0][previous & 0xFFU];
    }
  }
  return tables;
}();

#if defined(__x86_64__)
// One stream: 8 bytes in the 3 cycles that the instruction takes. Several streams at once would be
// quicker, but then the frame's copy into memory is what takes the time.
[[gnu::target("sse4.2")]] std::uint32_t crc32c_sse42(ConstByteSpan bytes, std::uint32_t seed) {
  std::uint64_t wide = ~seed;
  while (bytes.size() >= 8) {
    wide = __builtin_ia32_crc32di(wide, load_le64(bytes, 0));
    bytes = bytes.subspan(8);
  }
  auto crc = static_cast<std::uint32_t>(wide);
  for (const std::byte b : bytes) {
    crc = __builtin_ia32_crc32qi(crc, std::to_integer<std::uint8_t>(b));
  }
  return ~crc;
}
#endif

}  // namespace

std::uint32_t crc32c(ConstByteSpan bytes, std::uint32_t seed) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    return crc32c_sse42(bytes, seed);
  }
#endif
  return crc32c_portable(bytes, seed);
}

std::uint32_t crc32c_portable(ConstByteSpan bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  while (bytes.size() >= 8) {
    const std::uint32_t low = crc ^ load_le32(bytes, 0);
    const std::uint32_t high = load_le32(bytes, 4);
    crc = kTables[7][low & 0xFFU] ^ kTables[6][low >> 8U & 0xFFU] ^ kTables[5][low >> 16U & 0xFFU] ^
          kTables[4][low >> 24U] ^ kTables[3][high & 0xFFU] ^ kTables[2][high >> 8U & 0xFFU] ^
          kTables[1][high >> 16U & 0xFFU] ^ kTables[0][high >> 24U];
    bytes = bytes.subspan(8);
  }
  for (const std::byte b : bytes) {
    crc = (crc >> 8U) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(b)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace aoe
