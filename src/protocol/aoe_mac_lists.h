// The arguments that carry lists of Ethernet addresses: AoE command 2, MAC Mask List, and command
// 3, Reserve/Release (AoEr11 3.3, 3.4).
//
// Mask:                                        Reserve:
//   24 1 reserved                                24 1 sub-command: 0 read, 1 set, 2 force set
//   25 1 sub-command: 0 read, 1 edit             25 1 number of addresses
//   26 1 reply: 0, or why the edit stopped       26 6k addresses
//   27 1 number of directives
//   28 8k directives: reserved, DCmd, address
#pragma once

#include "protocol/aoe_frame.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::protocol {

inline constexpr std::size_t kMaskHeaderBytes = 28;
inline constexpr std::size_t kMaskDirectiveBytes = 8;
inline constexpr std::size_t kReserveHeaderBytes = 26;
inline constexpr std::size_t kMacListCountMax = 255;  // both counts are one byte

enum class MaskCommand : std::uint8_t { read = 0, edit = 1 };

enum class MaskError : std::uint8_t { none = 0, unspecified = 1, bad_directive = 2, list_full = 3 };

enum class MaskAction : std::uint8_t { none = 0, add = 1, remove = 2 };

struct MaskDirective {
  std::uint8_t action = 0;  // a MaskAction, or anything a peer sent
  MacAddress mac{};
};

struct MaskFrame {
  std::uint8_t command = 0;  // a MaskCommand or anything a peer sent
  std::uint8_t error = 0;    // a MaskError in replies; means nothing in requests
  // As stated. In a reply with an error it is the index of the directive that failed, and no
  // directives follow.
  std::uint8_t directive_count = 0;
  ConstByteSpan directives{};  // directive_count * 8 bytes, or none; borrows from the frame

  // Directives that are really there: directive_count, or 0 in a reply with an error. Loops run to
  // this, never to directive_count.
  [[nodiscard]] std::size_t size() const { return directives.size() / kMaskDirectiveBytes; }

  // `index` < size(), checked.
  [[nodiscard]] MaskDirective directive(std::size_t index) const;
};

// bad_length when the stated directives are not all there: vblade applies the missing ones from the
// bytes of an earlier frame.
[[nodiscard]] Result<MaskFrame, WireError> parse_mask(ConstByteSpan frame);

struct MaskReply {
  MaskCommand command = MaskCommand::read;
  MaskError error = MaskError::none;
  std::uint8_t failed_index = 0;       // with an error: which directive
  std::span<const MacAddress> list{};  // without: the list as it is now, at most 255
};

// Writes the argument; returns the frame's length so far (28, plus 8 an entry).
std::size_t build_mask_reply(ByteSpan frame, const MaskReply& reply);
// The same for a request: `directives` at most 255.
std::size_t build_mask_request(ByteSpan frame, MaskCommand command,
                               std::span<const MaskDirective> directives);

enum class ReserveCommand : std::uint8_t { read = 0, set = 1, force_set = 2 };

struct ReserveFrame {
  std::uint8_t command = 0;  // a ReserveCommand or anything a peer sent
  std::uint8_t mac_count = 0;
  ConstByteSpan addresses{};  // mac_count * 6 bytes; borrows from the frame

  // `index` < mac_count, checked.
  [[nodiscard]] MacAddress address(std::size_t index) const;
};

// bad_length when the stated addresses are not all there, except for a read request, whose list is
// ignored.
[[nodiscard]] Result<ReserveFrame, WireError> parse_reserve(ConstByteSpan frame);

// Writes the argument of a request or reply; `list` at most 255. Returns the frame's length so far.
std::size_t build_reserve(ByteSpan frame, std::uint8_t command, std::span<const MacAddress> list);

}  // namespace aoe::protocol
