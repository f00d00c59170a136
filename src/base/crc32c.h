// CRC-32C (Castagnoli), the checksum of our state files and of sealed frames.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace aoe {

// Reflected polynomial 82F63B78h, initial value and final XOR FFFFFFFFh: "123456789" gives
// E3069283h (RFC 3720 appendix B.4). `seed` continues a checksum over several pieces: pass the last
// result. Uses what the processor has for it, found out at run time: an instruction (SSE 4.2), and
// carry-less products of 64 bytes at a time (AVX-512, VPCLMULQDQ).
[[nodiscard]] std::uint32_t crc32c(ConstByteSpan bytes, std::uint32_t seed = 0);

// The same from tables: what other processors get, and what tests compare the instruction with.
[[nodiscard]] std::uint32_t crc32c_portable(ConstByteSpan bytes, std::uint32_t seed = 0);

}  // namespace aoe
