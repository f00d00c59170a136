// Frames written in hexadecimal, as text2pcap takes them.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace aoe::tools {

// Reads frames such as
//
//   0000  ff ff ff ff ff ff 02 00 00 00 00 01 88 a2 10 00  ................
//   0010  ff ff ff 01
//
// A line starts with the offset of its first byte; offset 0, an empty line or the end ends a frame.
// Bytes are two-digit groups; the first word that is none, or the 17th, ends the bytes of its line.
// Lines that start with '#' are left out. A line without an offset whose words are all hexadecimal
// continues the frame, and may be one run of digits, so a pasted frame works too.
//
// Errors: invalid_argument with the number of the line.
[[nodiscard]] Result<std::vector<std::vector<std::byte>>> parse_hex_frames(std::string_view text);

}  // namespace aoe::tools
