#include "base/crc32c.h"

#include <array>
#include <span>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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
// A linear map of 32 bits onto 32 bits: what each bit of the argument contributes.
using BitMap = std::array<std::uint32_t, 32>;

constexpr std::uint32_t multiply(const BitMap& map, std::uint32_t value) {
  std::uint32_t sum = 0;
  for (std::size_t bit = 0; bit < map.size(); ++bit) {
    sum ^= (value >> bit & 1U) != 0 ? map[bit] : 0U;
  }
  return sum;
}

// What `kBytes` (a power of two) zero bytes do to a checksum, by its four bytes.
template <std::size_t kBytes>
constexpr auto kZeros = [] {
  static_assert((kBytes & (kBytes - 1)) == 0);
  BitMap map{};
  for (std::size_t bit = 0; bit < map.size(); ++bit) {
    const std::uint32_t crc = 1U << bit;
    map[bit] = (crc >> 8U) ^ kTables[0][crc & 0xFFU];
  }
  for (std::size_t done_bytes = 1; done_bytes < kBytes; done_bytes *= 2) {
    BitMap twice{};
    for (std::size_t bit = 0; bit < map.size(); ++bit) {
      twice[bit] = multiply(map, map[bit]);
    }
    map = twice;
  }
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  for (std::uint32_t value = 0; value < 256; ++value) {
    for (std::uint32_t k = 0; k < tables.size(); ++k) {
      tables[k][value] = multiply(map, value << (8 * k));
    }
  }
  return tables;
}();

// load_le64() on a processor that is little-endian; compilers don't see through the former where
// there are several of them.
std::uint64_t load_word(const std::byte* at) {
  std::array<std::uint64_t, 1> word{};
  copy_bytes(std::as_writable_bytes(std::span(word)), ConstByteSpan(at, sizeof word));
  return word[0];
}

template <std::size_t kBytes>
std::uint64_t append_zeros(std::uint64_t crc) {
  const auto& zeros = kZeros<kBytes>;
  return zeros[0][crc & 0xFFU] ^ zeros[1][crc >> 8U & 0xFFU] ^ zeros[2][crc >> 16U & 0xFFU] ^
         zeros[3][crc >> 24U & 0xFFU];
}

// Takes three blocks of kBytes at a time off the front while there are three. The instruction takes
// a new operand every cycle but needs three for its result: three streams keep it busy, and what
// the first two contribute is moved to its place by the zeros that follow it.
template <std::size_t kBytes>
[[gnu::target("sse4.2")]] std::uint64_t take_three_streams(std::uint64_t crc,
                                                           ConstByteSpan& bytes) {
  while (bytes.size() >= 3 * kBytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    const std::byte* from = bytes.data();
    for (const std::byte* end = from + kBytes; from != end; from += 8) {
      crc = __builtin_ia32_crc32di(crc, load_word(from));
      second = __builtin_ia32_crc32di(second, load_word(from + kBytes));
      third = __builtin_ia32_crc32di(third, load_word(from + 2 * kBytes));
    }
    crc = append_zeros<kBytes>(append_zeros<kBytes>(crc) ^ second) ^ third;
    bytes = bytes.subspan(3 * kBytes);
  }
  return crc;
}

[[gnu::target("sse4.2")]] std::uint64_t take_streams(std::uint64_t crc, ConstByteSpan& bytes) {
  crc = take_three_streams<1024>(crc, bytes);
  return take_three_streams<128>(crc, bytes);
}

// x to the power of n modulo the polynomial, reflected as checksums are.
constexpr std::uint32_t power_of_x(unsigned n) {
  std::uint32_t value = 0x80000000U;
  for (; n > 0; --n) {
    value = (value >> 1U) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
  }
  return value;
}

#define AOE_WIDE gnu::target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.2")

// Factors that move 128 bits behind `kBits` others, one for each half: "Fast CRC Computation for
// Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009). Products of reflected factors lie
// one bit too low, hence 31 and 33 where the paper has 32.
template <unsigned kBits>
constexpr std::array<long long, 2> kMove = {power_of_x(kBits + 31), power_of_x(kBits - 33)};

template <unsigned kBits>
[[AOE_WIDE]] inline __m512i move_all() {
  const auto& move = kMove<kBits>;
  return _mm512_set_epi64(move[1], move[0], move[1], move[0], move[1], move[0], move[1], move[0]);
}

[[AOE_WIDE]] inline __m512i move_and_add(__m512i value, __m512i move, __m512i add) {
  constexpr int kXorOfThree = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(value, move, 0x00),
                                   _mm512_clmulepi64_epi128(value, move, 0x11), add, kXorOfThree);
}

// Takes them off the front.
[[AOE_WIDE]] inline __m512i take_64_bytes(ConstByteSpan& bytes) {
  const __m512i taken = _mm512_loadu_si512(bytes.data());
  bytes = bytes.subspan(64);
  return taken;
}

// Takes as much as it can off the front of at least 256 bytes: 256 at a time, then 64. A sum of
// products over 64 bytes stands for all that came before it, and becomes a checksum at the end.
[[AOE_WIDE]] std::uint64_t take_wide(std::uint64_t crc, ConstByteSpan& bytes) {
  const __m512i start = _mm512_set_epi64(0, 0, 0, 0, 0, 0, 0, static_cast<long long>(crc));
  __m512i a = _mm512_xor_si512(take_64_bytes(bytes), start);
  __m512i b = take_64_bytes(bytes);
  __m512i c = take_64_bytes(bytes);
  __m512i d = take_64_bytes(bytes);
  const __m512i by_four = move_all<4 * 512>();
  while (bytes.size() >= 256) {
    a = move_and_add(a, by_four, take_64_bytes(bytes));
    b = move_and_add(b, by_four, take_64_bytes(bytes));
    c = move_and_add(c, by_four, take_64_bytes(bytes));
    d = move_and_add(d, by_four, take_64_bytes(bytes));
  }
  const __m512i by_one = move_all<512>();
  a = move_and_add(move_and_add(move_and_add(a, by_one, b), by_one, c), by_one, d);
  while (bytes.size() >= 64) {
    a = move_and_add(a, by_one, take_64_bytes(bytes));
  }
  // Three quarters move behind the fourth, which stays where it is.
  const __m512i moves = _mm512_set_epi64(0, 0, kMove<128>[1], kMove<128>[0], kMove<256>[1],
                                         kMove<256>[0], kMove<384>[1], kMove<384>[0]);
  const __m512i last = _mm512_maskz_mov_epi64(0xC0, a);
  std::array<std::uint64_t, 8> quarters{};
  _mm512_storeu_si512(quarters.data(), move_and_add(a, moves, last));
  const std::uint64_t low = quarters[0] ^ quarters[2] ^ quarters[4] ^ quarters[6];
  const std::uint64_t high = quarters[1] ^ quarters[3] ^ quarters[5] ^ quarters[7];
  return __builtin_ia32_crc32di(__builtin_ia32_crc32di(0, low), high);
}

bool has_wide() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("pclmul");
}

[[gnu::target("sse4.2")]] std::uint32_t crc32c_sse42(ConstByteSpan bytes, std::uint32_t seed) {
  // Below this, starting and ending cost what the middle saves.
  constexpr std::size_t kWideBytes = 256;
  std::uint64_t wide = ~seed;
  if (bytes.size() >= kWideBytes && has_wide()) {
    wide = take_wide(wide, bytes);
  }
  wide = take_streams(wide, bytes);
  while (bytes.size() >= 8) {
    wide = __builtin_ia32_crc32di(wide, load_word(bytes.data()));
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
