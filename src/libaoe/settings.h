// What callers pass as numbers and texts, checked.
#pragma once

#include "base/result.h"

#include <cstdint>

namespace aoe::libaoe {

// What one read or write may move; documented in aoe.h.
inline constexpr std::uint64_t kTransferBytesMax = std::uint64_t{1} << 30U;

// Errors: invalid_argument (no multiple of a sector, or more than a frame can count).
[[nodiscard]] Result<std::uint32_t> check_payload(std::uint32_t bytes);

// A good unit of I/O: what a frame carries, as a power of two because block layers want one, but
// never less than a block of the disk.
[[nodiscard]] std::uint32_t preferred_block(std::uint32_t payload_bytes,
                                            std::uint32_t physical_sector_bytes);

}  // namespace aoe::libaoe
