#include "sim/congestion/frame_ledger.h"

#include <algorithm>

namespace aoe::sim {

FrameLedger::Second& FrameLedger::second(Instant now) {
  const auto index = static_cast<std::size_t>((now - start_).ns / Duration::seconds(1).ns);
  return seconds_[std::min(index, seconds_.size() - 1)];
}

void FrameLedger::on_sent(Instant now, const PieceKey& key) {
  Second& at = second(now);
  Piece& piece = pieces_[word(key)];
  ++at.sent;
  if (piece.transmissions == 0) {
    piece.first_sent = now;
  } else {
    ++at.retransmitted;
    at.needless += piece.lost < piece.transmissions ? 1U : 0U;
  }
  ++piece.transmissions;
}

void FrameLedger::on_lost(Instant now, const PieceKey& key) {
  ++second(now).lost;
  if (const auto piece = pieces_.find(word(key)); piece != pieces_.end()) {
    ++piece->second.lost;
  }
}

void FrameLedger::on_answered(Instant now, const PieceKey& key) {
  const auto piece = pieces_.find(word(key));
  if (piece == pieces_.end()) {
    return;
  }
  Second& at = second(now);
  ++at.answered;
  ++answered_by_host_[key.host];
  at.latency.add(now - piece->second.first_sent);
  pieces_.erase(piece);
}

}  // namespace aoe::sim
