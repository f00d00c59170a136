// Numbers and sizes as people write them, for command lines and configuration files.
#pragma once

#include "base/result.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aoe {

enum class ParseErrc : std::uint8_t {
  not_a_number,    // empty, or something else than decimal digits where digits must stand
  unknown_suffix,  // digits, and behind them something that is none of the suffixes
  too_large,       // does not fit 64 bits
};

// Decimal digits alone: no sign, no blanks, no base prefix. Leading zeros are accepted.
[[nodiscard]] Result<std::uint64_t, ParseErrc> parse_unsigned(std::string_view text);

// A size in bytes: decimal digits, and at most one suffix. K M G T P (either case) multiply by
// powers of 1024, and so do KiB to PiB; `s` by the sector of 512 bytes: "512", "64K", "10GiB",
// "20480s". "KB" is refused: half of its readers take it for 1000.
[[nodiscard]] Result<std::uint64_t, ParseErrc> parse_size(std::string_view text);

// A time: a decimal number, fractions allowed, and a unit: ns, us, ms, s, m (minutes) or h; without
// one it counts seconds. At most a year: "2", "0.5", "100ms", "5m".
[[nodiscard]] Result<Duration, ParseErrc> parse_duration(std::string_view text);

// The text with the longest unit that needs no fraction, which parse_duration turns back into
// `duration`: "30s", "500ms", "5m".
[[nodiscard]] std::string format_duration(Duration duration);

// The shortest text that parse_size turns back into `bytes`: "64K", "10G", "513".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace aoe
