// The sessions of one device with targets of our own kind: one for each instance that serves it.
#pragma once

#include "base/time.h"
#include "initiator/sequence_window.h"
#include "protocol/aoe_session.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::initiator {

struct PeerSession {
  PeerSession(std::uint32_t window_max, std::uint32_t first_sequence)
      : sequences(window_max, first_sequence) {}

  std::uint64_t instance = 0;  // of the target; 0: the entry was never used
  std::uint32_t id = 0;        // on the wire; 0: lost, hello must be said again
  bool remembers = false;      // the target executes each sequence at most once
  bool has_crc = false;
  Duration frame_life{};          // the target's belief of how long a frame may exist
  std::uint64_t cache_epoch = 0;  // see CacheWatch
  // Goes on counting when the session is renewed and when the entry is used for another instance,
  // so that an exchange may finish its sequence whatever became of the session meanwhile.
  SequenceWindow sequences;
};

// What a path says of the far end: nothing is known, it is a plain target, or it has the session of
// this index.
class PeerSessions {
 public:
  // `sessions_max`: as many as paths. All memory is allocated here.
  PeerSessions(std::uint32_t sessions_max, std::uint32_t window_max, std::uint32_t first_sequence)
      : sessions_(sessions_max, PeerSession(window_max, first_sequence)) {}

  enum class Change : std::uint8_t {
    none,     // the session is known
    founded,  // the first one with this instance
    renewed,  // the instance made another one: it had forgotten the last, or we had
  };

  struct Adopted {
    std::uint32_t index = 0;
    Change change = Change::none;
  };

  // Takes what a hello reply grants. `in_use` has the bits of the sessions that other paths use; an
  // entry without one may be taken for a new instance.
  [[nodiscard]] Adopted adopt(const protocol::Hello& hello, std::uint32_t in_use);

  // The target does not know the session `id` any more. False when it was not the present one.
  [[nodiscard]] bool lose(std::uint32_t index, std::uint32_t id);

  [[nodiscard]] PeerSession& at(std::uint32_t index) { return sessions_[index]; }

  [[nodiscard]] const PeerSession& at(std::uint32_t index) const { return sessions_[index]; }

  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t instance) const;

  // No open sequence of any of them is lower: what hello says before it is known who answers.
  [[nodiscard]] std::uint32_t lowest_open() const;

  // Beyond every sequence that any of them used. A device that is opened again starts there: the
  // target may still hold the session and would take lower ones for old copies.
  [[nodiscard]] std::uint32_t next_sequence() const;

 private:
  std::vector<PeerSession> sessions_;
};

}  // namespace aoe::initiator
