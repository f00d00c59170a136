// Sizes as people write them.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aoe::storage {

// "512", "64K", "1G", "1GiB", "2048s": bytes; powers of 1024 for K M G T P (and KiB .. PiB), in
// either case; 512-byte sectors for s. "KB" and its like are refused, because half of the readers
// take them for powers of 1000. Overflow is an error.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// The shortest exact form that parse_size takes: "1G", "1536K", "512".
[[nodiscard]] std::string size_text(std::uint64_t size_bytes);

}  // namespace aoe::storage
