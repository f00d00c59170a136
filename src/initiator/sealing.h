// The seal on frames of a session: writing it, and judging the one of an answer.
#pragma once

#include "base/bytes.h"
#include "initiator/peer_sessions.h"

#include <cstdint>

namespace aoe::initiator {

// Seals a frame of sealed_frame_bytes() length whose other bytes are final.
void seal_frame(ByteSpan frame, const PeerSession& session, std::uint32_t sequence);

// Under what a question was sent.
struct SealExpected {
  std::uint32_t session_id = 0;  // 0: plain
  std::uint32_t sequence = 0;
  bool has_crc = false;  // a seal without a checksum is not enough
};

enum class SealVerdict : std::uint8_t {
  good,     // sealed as expected
  absent,   // a plain frame
  damaged,  // nothing in the frame can be believed: its checksum is wrong, or is missing
  foreign,  // intact, but of another session or another question
};

[[nodiscard]] SealVerdict judge_seal(ConstByteSpan frame, const SealExpected& expected);

}  // namespace aoe::initiator
