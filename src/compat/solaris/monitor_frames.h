// What aoemon makes of a received frame.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

enum class FrameKind : std::uint8_t {
  normal,
  check_in,  // a target says that it is there
  odd,       // no AoE answer, or not one that a target should send
  error,     // a target refused or could not do what it was asked
};

struct FrameVerdict {
  FrameKind kind = FrameKind::normal;
  DeviceAddress address{};      // unless it is an odd frame without one
  bool is_unsolicited = false;  // a check-in that nobody asked for: the target has just come up
  std::string text{};           // of odd frames and errors: what it is, in one line

  friend bool operator==(const FrameVerdict&, const FrameVerdict&) = default;
};

// Any bytes of any length. Questions of other hosts are normal.
[[nodiscard]] FrameVerdict judge_frame(ConstByteSpan frame);

// How the Solaris package's documentation grades what aoemon says.
enum class Severity : std::uint8_t {
  info,    // a target was enabled
  notice,  // a message that was not expected, is ill-formed or tells of an error
  error,   // what keeps aoemon from working
};

// "info", "notice", "error"
[[nodiscard]] std::string_view severity_name(Severity severity);

// The lines of a packet dump: the frame in words, and its first 64 bytes, 16 a line.
[[nodiscard]] std::vector<std::string> dump_frame(ConstByteSpan frame);

// "0200ff" -> its three bytes; nullopt for anything else than pairs of hexadecimal digits.
[[nodiscard]] std::optional<std::vector<std::byte>> bytes_of_hex(std::string_view text);

}  // namespace aoe::compat::solaris
