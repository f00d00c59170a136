#include "initiator/sealing.h"

#include "protocol/aoe_session.h"

namespace aoe::initiator {

void seal_frame(ByteSpan frame, const PeerSession& session, std::uint32_t sequence) {
  protocol::build_seal(frame, {.has_crc = session.has_crc,
                               .session = session.id,
                               .sequence = sequence,
                               .sequence_low = session.sequences.low()});
}

SealVerdict judge_seal(ConstByteSpan frame, const SealExpected& expected) {
  const auto seal = protocol::parse_seal(frame);
  if (!seal) {
    return seal.error() == protocol::SealError::absent ? SealVerdict::absent : SealVerdict::damaged;
  }
  if (expected.has_crc && !seal->has_crc) {
    return SealVerdict::damaged;
  }
  return expected.session_id != 0 && seal->session == expected.session_id &&
                 seal->sequence == expected.sequence
             ? SealVerdict::good
             : SealVerdict::foreign;
}

}  // namespace aoe::initiator
