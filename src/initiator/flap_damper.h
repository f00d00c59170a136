// Keeps a path that comes and goes out of use for longer each time.
#pragma once

#include "base/time.h"

#include <algorithm>

namespace aoe::initiator {

// A cable that is half plugged in costs the frames that are on it at each loss, while the other
// paths would do. One loss is forgiven at once; one that follows within a minute of the return
// holds the path back for a second, the next for two, up to a minute. Where it is the only path
// there is nothing to be held back for (the caller looks).
class FlapDamper {
 public:
  static constexpr Duration kHoldMin = Duration::seconds(1);
  static constexpr Duration kHoldMax = Duration::seconds(60);
  static constexpr Duration kStable = Duration::seconds(60);

  void on_up(Instant now) { up_since_ = now; }

  void on_down(Instant now) {
    const bool was_stable = up_since_ == Instant{} || now - up_since_ >= kStable;
    const bool is_first = !lost_before_;
    lost_before_ = true;
    if (was_stable || is_first) {
      hold_ = {};
    } else {
      hold_ = std::clamp(hold_ * 2, kHoldMin, kHoldMax);
    }
    until_ = now + hold_;
  }

  // Until then it stays out of use.
  [[nodiscard]] Instant until() const { return until_; }

 private:
  bool lost_before_ = false;
  Instant up_since_{};
  Duration hold_{};
  Instant until_{};
};

}  // namespace aoe::initiator
