// The data frames in flight of one device, and how it shows that one is lost.
#pragma once

#include "base/time.h"
#include "initiator/exchange_table.h"
#include "initiator/index_list.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// In the order of transmission over all paths, so that only the oldest is ever looked at.
//
// A frame is lost when a frame sent after it was answered and it is older than a usual round trip
// of its path by a margin (RACK, RFC 8985). A disk answers in an order of its own, so the margin is
// learned: it stays above what answers that had been overtaken needed. Before 64 answers it is not
// trusted, and the frame must be as old as a silence may be long. A path that has died is found out
// the same way, by what the others carry.
//
// When nothing comes at all, the device is quiet after what RFC 6298 would wait: something else may
// be sent then, which costs nothing if the disk is only slow, and whose answer tells if it is not.
// It is silent when that took longer than anything that was seen, with a margin. Every answer
// begins anew, so that a frame behind forty others is not suspected while they are answered one by
// one.
class Flight {
 public:
  // What the path's estimators say.
  struct Timing {
    Duration usual{};     // smoothed round trip of the frame's path
    Duration quiet{};     // RFC 6298
    Duration patience{};  // how long a silence may be; each one doubles it
    Duration patience_max{};
  };

  // Enters `exchange` (slot `slot`) as the youngest.
  void on_sent(ExchangeTable& exchanges, std::uint32_t slot);
  void remove(ExchangeTable& exchanges, std::uint32_t slot);

  // Any answer of the device.
  void on_progress(Instant now);
  // An answer that belongs to the transmission of `exchange` that is in flight.
  void on_answer(Instant now, const Exchange& exchange, const Timing& timing);
  // A frame was taken for lost at the age of `age`, and was not.
  void on_false_alarm(Duration age, const Timing& timing);

  [[nodiscard]] bool empty() const { return order_.empty(); }

  // The slot of the oldest frame, or kNoIndex.
  [[nodiscard]] std::uint32_t oldest() const { return order_.front(); }

  [[nodiscard]] std::uint32_t size() const { return order_.size(); }

  enum class Fate : std::uint8_t { waits, overtaken, quiet, silent };

  struct Judgement {
    Fate fate = Fate::waits;
    Instant until{};  // when to look again, if it waits
  };

  // Of the oldest frame; there must be one.
  [[nodiscard]] Judgement judge(Instant now, const Exchange& oldest, const Timing& timing) const;

  // Silences in a row; each doubles the patience.
  [[nodiscard]] std::uint32_t silences() const { return silences_; }

  void note_silence(Instant now);

  // How often it was quiet since the last answer or silence; each time doubles the next.
  [[nodiscard]] std::uint32_t quiet_spells() const { return quiet_spells_; }

  void note_quiet() { ++quiet_spells_; }

  // A path came up: silences of before mean nothing.
  void forget_silences() { silences_ = 0; }

 private:
  [[nodiscard]] bool is_overtaken(const Exchange& exchange) const;

  IndexList order_;
  std::uint64_t last_number_ = 0;
  std::uint64_t highest_answered_ = 0;
  std::uint32_t answers_ = 0;  // counts to 64
  Instant quiet_since_;        // last answer or silence
  std::uint32_t silences_ = 0;
  std::uint32_t quiet_spells_ = 0;
  Duration margin_;  // learned; of an overtaken frame's age above the usual round trip
};

}  // namespace aoe::initiator
