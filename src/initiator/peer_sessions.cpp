#include "initiator/peer_sessions.h"

#include "base/check.h"

namespace aoe::initiator {

using protocol::kCapabilityCrc;
using protocol::kCapabilitySequences;

std::optional<std::uint32_t> PeerSessions::find(std::uint64_t instance) const {
  for (std::uint32_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i].instance == instance) {
      return i;
    }
  }
  return std::nullopt;
}

PeerSessions::Adopted PeerSessions::adopt(const protocol::Hello& hello, std::uint32_t in_use) {
  Adopted adopted{.change = Change::renewed};
  std::optional<std::uint32_t> index = find(hello.target_instance);
  if (!index) {
    adopted.change = Change::founded;
    for (std::uint32_t i = 0; i < sessions_.size() && !index; ++i) {
      if ((in_use >> i & 1U) == 0) {
        index = i;
      }
    }
  }
  AOE_CHECK(index.has_value(), "there are as many sessions as paths that use them");
  adopted.index = *index;
  PeerSession& session = sessions_[*index];
  if (session.instance == hello.target_instance && session.id == hello.session) {
    adopted.change = Change::none;
  }
  session.instance = hello.target_instance;
  session.id = hello.session;
  session.has_crc = (hello.capabilities & kCapabilityCrc) != 0;
  // Without a window no sequence could ever be used.
  session.remembers =
      (hello.capabilities & kCapabilitySequences) != 0 && hello.sequence_window != 0;
  session.frame_life = Duration::milliseconds(hello.frame_life_ms);
  session.cache_epoch = hello.cache_epoch;
  if (session.remembers) {
    session.sequences.set_limit(hello.sequence_window);
  }
  return adopted;
}

bool PeerSessions::lose(std::uint32_t index, std::uint32_t id) {
  PeerSession& session = sessions_[index];
  if (id == 0 || session.id != id) {
    return false;
  }
  session.id = 0;
  return true;
}

std::uint32_t PeerSessions::lowest_open() const {
  std::uint32_t lowest = sessions_[0].sequences.low();
  for (const PeerSession& session : sessions_) {
    if (protocol::sequence_before(session.sequences.low(), lowest)) {
      lowest = session.sequences.low();
    }
  }
  return lowest;
}

std::uint32_t PeerSessions::next_sequence() const {
  std::uint32_t next = sessions_[0].sequences.next();
  for (const PeerSession& session : sessions_) {
    if (protocol::sequence_before(next, session.sequences.next())) {
      next = session.sequences.next();
    }
  }
  return next;
}

}  // namespace aoe::initiator
