// Values as people write them on the command line, and as they like to read them.
#pragma once

#include "base/mac_address.h"
#include "base/result.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::tools {

// A number of bytes that reads its own suffixes: "512", "64K", "10G", "20480s" (sectors).
struct ByteCount {
  std::uint64_t bytes = 0;
  friend constexpr auto operator<=>(const ByteCount&, const ByteCount&) = default;
};

// All errors are invalid_argument; the message starts with the text itself.
[[nodiscard]] Result<ByteCount> parse_byte_count(std::string_view text);

// Seconds with an optional fraction, or with one of the units ns us ms s m h: "2", "0.5", "100ms".
// Up to a year.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

[[nodiscard]] Result<std::vector<MacAddress>> parse_macs(const std::vector<std::string>& texts);

// "eth1,eth2" "eth3" -> eth1 eth2 eth3, without repetitions, in the order given. Empty pieces are
// errors.
[[nodiscard]] Result<std::vector<std::string>> split_interfaces(
    const std::vector<std::string>& lists);

// "0 B", "512 B", "64 KiB", "1.50 GiB": powers of 1024, three digits that mean something.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

// "850 ns", "12.3 us", "1.25 ms", "3.50 s", "2:05" from two minutes on.
[[nodiscard]] std::string duration_text(Duration duration);

// "83.3 MiB/s"; "-" for no time at all.
[[nodiscard]] std::string rate_text(std::uint64_t bytes, Duration duration);

// Printable ASCII stays; every other byte and the backslash become \xNN, so that a config string
// cannot play with the terminal.
[[nodiscard]] std::string printable_text(std::string_view bytes);

// "0a1bff".
[[nodiscard]] std::string hex_text(std::string_view bytes);

}  // namespace aoe::tools
