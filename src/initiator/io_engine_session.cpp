// Under which session frames go, and whether answers belong to it.
#include "initiator/io_engine.h"
#include "initiator/sealing.h"

namespace aoe::initiator {
namespace {

// What must not be executed twice, or is to be in order with that.
bool needs_sequence(FrameOp op) {
  return op != FrameOp::read;
}

// How often damaged frames of one path are made an event.
constexpr Duration kDamageToldEvery = Duration::seconds(10);

}  // namespace

bool IoEngine::has_sequence_for(FrameOp op, DeviceId id, const Path& path) {
  if (path.peer != Peer::session || !needs_sequence(op)) {
    return true;
  }
  const PeerSession& session = device(id).sessions().at(path.session);
  return !session.remembers || session.sequences.has_room();
}

bool IoEngine::enter_session(Exchange& exchange, const Path& path) {
  const bool sealed = path.peer == Peer::session;
  PeerSessions& sessions = device(exchange.device).sessions();
  const std::uint32_t id = sealed ? sessions.at(path.session).id : 0;
  if (sealed && needs_sequence(exchange.op) && sessions.at(path.session).remembers) {
    SequenceWindow& window = sessions.at(path.session).sequences;
    const bool has_one = exchange.sequence != 0 && exchange.session == path.session;
    if (has_one ? !window.may_send(exchange.sequence) : !window.has_room()) {
      return false;
    }
    // A session that was renewed goes on with the same sequences.
    if (!has_one) {
      leave_session(exchange);
      exchange.sequence = *window.acquire();
    }
  } else {
    leave_session(exchange);
  }
  exchange.is_mixed =
      exchange.is_mixed || (exchange.transmissions > 0 && exchange.session_id != id);
  // Kept with the exchange: the entry may belong to another start of the target by the time of the
  // answer, and a target that lost its cache may answer a copy from memory.
  if (exchange.transmissions == 0 || exchange.session_id != id) {
    exchange.cache_epoch = sealed ? sessions.at(path.session).cache_epoch : 0;
  }
  exchange.session = sealed ? path.session : kNoIndex;
  exchange.session_id = id;
  return true;
}

void IoEngine::leave_session(Exchange& exchange) {
  if (exchange.sequence != 0) {
    device(exchange.device).sessions().at(exchange.session).sequences.finish(exchange.sequence);
    exchange.sequence = 0;
  }
}

std::optional<ConstByteSpan> IoEngine::opened_answer(Instant now, const Exchange& exchange,
                                                     std::uint32_t path_index,
                                                     ConstByteSpan frame) {
  Path& path = device(exchange.device).paths().at(path_index);
  if (exchange.session_id == 0 && path.peer != Peer::session) {
    return frame;
  }
  SealExpected expected{.session_id = exchange.session_id, .sequence = exchange.sequence};
  if (exchange.session_id != 0) {
    expected.has_crc = device(exchange.device).sessions().at(exchange.session).has_crc;
  }
  switch (judge_seal(frame, expected)) {
    case SealVerdict::good:
      return protocol::without_seal(frame);
    case SealVerdict::absent:
      // From where the question went before it had a session.
      if (exchange.is_mixed && path.peer == Peer::plain) {
        return frame;
      }
      ++context_.stats.unsealed;
      break;
    case SealVerdict::damaged:
      ++context_.stats.frames_damaged;
      ++path.damaged;
      if (path.damage_told == Instant{} || now - path.damage_told >= kDamageToldEvery) {
        path.damage_told = now;
        context_.events.emit({.kind = EventKind::frames_damaged,
                              .address = device(exchange.device).address(),
                              .device = exchange.device,
                              .port = path.port,
                              .mac = path.mac});
      }
      break;
    case SealVerdict::foreign:
      ++context_.stats.wrong_seal;
      break;
  }
  return std::nullopt;
}

}  // namespace aoe::initiator
