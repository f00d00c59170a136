// How many sectors a data frame carries on one path.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::initiator {

// Both ends may allow jumbo frames while a switch between them drops them silently: small frames
// pass, big ones vanish. So when big frames are lost while small ones are answered, the payload
// goes down to two sectors, which every Ethernet carries, and after a rest tries the next step up
// (4, 8, 17). A try that fails goes back to what passed and doubles the rest, because it costs the
// time of the lost frames.
//
// (The Linux driver has no way down: 180 s of retransmissions, then a dead device.)
class PayloadLimit {
 public:
  static constexpr Duration kRestMin = Duration::seconds(10);
  static constexpr Duration kRestMax = Duration::seconds(600);

  // What the MTU, the target and the settings allow. Another value than before starts afresh.
  void set_allowed(std::uint32_t sectors);

  [[nodiscard]] std::uint32_t sectors() const { return sectors_; }

  // Frames of the present size vanish while small ones are answered. True when there was a step
  // left.
  [[nodiscard]] bool step_down(Instant now);

  // A data frame of `sectors` was answered.
  void on_answer(Instant now, std::uint64_t sectors);

 private:
  std::uint32_t allowed_ = 0;
  std::uint32_t sectors_ = 0;
  Duration rest_ = kRestMin;
  Instant raise_at_;     // zero: nothing to raise
  bool trying_ = false;  // raised, and no frame of that size answered yet
};

}  // namespace aoe::initiator
