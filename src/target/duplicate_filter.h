// Remembers what became of the requests of every session, so that a copy is never executed again.
#pragma once

#include "protocol/aoe_ata.h"
#include "target/request_digest.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace aoe::target {

// What a request without data in its reply was answered: all there is to say it again.
struct RememberedAnswer {
  protocol::AtaArgument registers;
  protocol::AoeError error = protocol::AoeError::none;
};

// One ring a session, with a place for every sequence from the lowest open one (`low`) to
// low + window - 1. Nothing leaves a ring before the initiator has said, by a higher low, that no
// copy of it can matter any more: not when it gets old and not when there are many.
//
// Sessions are named by an index below `sessions_max`. Memory of a session that was never opened is
// not touched. Single thread.
class DuplicateFilter {
 public:
  // `window` is a power of two.
  DuplicateFilter(std::uint16_t sessions_max, std::uint32_t window);

  enum class Kind : std::uint8_t {
    fresh,      // not seen: execute it
    executing,  // `slot` executes it
    done,       // `answer` was its answer
    mismatch,   // the sequence belongs to another request
    stale,      // below low: a copy of what is finished
    beyond,     // at low + window or later
  };

  struct Verdict {
    Kind kind = Kind::fresh;
    std::uint16_t slot = 0;
    RememberedAnswer answer;
  };

  // One request that has ended.
  struct Remembered {
    std::uint32_t sequence = 0;
    RequestDigest digest;
    RememberedAnswer answer;
  };

  // Forgets everything about the session, which begins again with `low`.
  void open(std::uint16_t session, std::uint32_t low);

  // Everything before `low` is finished for the initiator. Going back has no effect.
  void advance(std::uint16_t session, std::uint32_t low);

  // Changes nothing.
  [[nodiscard]] Verdict look_up(std::uint16_t session, std::uint32_t sequence,
                                const RequestDigest& digest) const;

  // The request was found fresh and is executed now, in a slot of the executor.
  void begin(std::uint16_t session, std::uint32_t sequence, const RequestDigest& digest,
             std::uint16_t slot);
  // The request was found fresh and is answered without being executed.
  void answer_at_once(std::uint16_t session, std::uint32_t sequence, const RequestDigest& digest,
                      const RememberedAnswer& answer);
  // What was begun has ended. A sequence that went below low meanwhile stays forgotten.
  void finish(std::uint16_t session, std::uint32_t sequence, const RememberedAnswer& answer);

  // What has ended from low on, by sequence; answer_at_once() puts it back. Allocates.
  [[nodiscard]] std::vector<Remembered> remembered(std::uint16_t session) const;

  [[nodiscard]] std::uint32_t low(std::uint16_t session) const { return sessions_[session].low; }

  // How many requests of the session were begun and have not ended.
  [[nodiscard]] std::uint32_t executing(std::uint16_t session) const {
    return sessions_[session].executing;
  }

  [[nodiscard]] std::uint32_t window() const { return window_; }

 private:
  enum class State : std::uint8_t { empty, executing, done };

  // Without initialisers: memory of sessions that were never opened stays untouched.
  struct Entry {
    std::uint32_t sequence;
    std::uint32_t header_crc;  // these three: the RequestDigest
    std::uint32_t content_crc;
    std::uint32_t content_bytes;
    std::uint16_t slot;
    State state;
    protocol::AoeError error;
    std::uint8_t flags;  // this and the rest: the registers of the answer
    std::uint8_t feature_error;
    std::uint8_t sector_count;
    std::uint8_t command_status;
    std::array<std::uint8_t, 6> lba;

    void set_digest(const RequestDigest& digest);
    [[nodiscard]] RequestDigest digest() const;
    void set_answer(const RememberedAnswer& answer);
    [[nodiscard]] RememberedAnswer answer() const;
  };

  static_assert(std::is_trivially_default_constructible_v<Entry> && sizeof(Entry) <= 32);

  struct Session {
    std::uint32_t low = 1;
    std::uint32_t executing = 0;
  };

  [[nodiscard]] Entry& at(std::uint16_t session, std::uint32_t sequence) const;

  std::uint32_t window_;
  std::vector<Session> sessions_;
  std::unique_ptr<Entry[]> entries_;  // window_ a session
};

}  // namespace aoe::target
