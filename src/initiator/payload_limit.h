// How many sectors a data frame carries on one path.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// Both ends may allow jumbo frames while a switch between them drops them silently: small frames
// pass, big ones vanish. So a size is asked for before it is used: a path starts with two sectors,
// which every Ethernet carries, and a question of the full size (big both ways) raises it a round
// trip later. When big frames of data are not answered the size is asked for again, and lowered to
// two sectors when only small questions come back. What lies between (8, 4) is tried at once, the
// full size again after 5 s, later once a minute. A question that vanishes costs no data.
//
// (The Linux driver has no way down: 180 s of retransmissions, then a dead device.)
class PayloadLimit {
 public:
  static constexpr Duration kRetryMin = Duration::seconds(5);
  static constexpr Duration kRetryMax = Duration::seconds(60);
  static constexpr std::uint32_t kEverywhere =
      2;  // 2 * 512 bytes and all headers fit an MTU of 1500

  // What the MTU, the target and the settings allow. Another value than before starts the questions
  // afresh; the size in use goes down at once where it must.
  void set_allowed(std::uint32_t sectors);

  [[nodiscard]] std::uint32_t allowed() const { return allowed_; }

  // The size in use. 0: no frame of data fits.
  [[nodiscard]] std::uint32_t sectors() const { return sectors_; }

  // The size that a question should ask for now; 0 = none.
  [[nodiscard]] std::uint32_t wanted(Instant now) const;
  // When wanted() changes by itself.
  [[nodiscard]] std::optional<Instant> next_time() const;

  // The question could not be sent: later.
  void postpone(Instant now) { retry_at_ = now + Duration::seconds(1); }

  // Frames of so many sectors were not answered, or refused: ask.
  void doubt(std::uint32_t sectors);

  // A question of this size was answered. True when the size in use went up.
  bool on_passed(Instant now, std::uint32_t sectors);
  // It was not, though small questions were; or the target refused it for its size. True when the
  // size in use went down.
  bool on_vanished(Instant now, std::uint32_t sectors);

  // Data of this size were answered.
  void on_data(Instant now, std::uint32_t sectors);

  // Whether frames of at least this size were answered after `since`.
  [[nodiscard]] bool passed_since(Instant since, std::uint32_t sectors) const {
    return passed_sectors_ >= sectors && passed_at_ > since;
  }

 private:
  void rest(Instant now);

  std::uint32_t allowed_ = 0;
  std::uint32_t sectors_ = 0;
  std::uint32_t trying_ = 0;  // above sectors_, to be asked for; 0 = nothing
  std::uint32_t doubted_ = 0;
  Duration retry_ = kRetryMin;
  Instant retry_at_{};  // zero: nothing to try again
  std::uint32_t passed_sectors_ = 0;
  Instant passed_at_{};
};

}  // namespace aoe::initiator
