// CRC-32 as Ethernet, zip and GPT have it.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace aoe::labels {

// Reflected polynomial EDB88320h, initial value and final XOR FFFFFFFFh: "123456789" is CBF43926h.
// `seed` is the value of what comes before `bytes`.
[[nodiscard]] std::uint32_t crc32(ConstByteSpan bytes, std::uint32_t seed = 0);

}  // namespace aoe::labels
