// The least that the round trips of a device have been of late.
#pragma once

#include "base/time.h"

#include <algorithm>

namespace aoe::initiator {

// Of the last five to ten minutes: networks and disks change, if seldom. Two spans of five minutes
// each, of which the older one is dropped when the younger is over.
class LeastDelay {
 public:
  static constexpr Duration kSpan = Duration::seconds(300);

  void sample(Instant now, Duration delay) {
    if (began_ == Instant{} || now - began_ >= kSpan) {
      // At first, and after so long a rest, there is nothing of before.
      before_ = began_ != Instant{} && now - began_ < kSpan * 2 ? present_ : delay;
      present_ = delay;
      began_ = now;
    }
    present_ = std::min(present_, delay);
  }

  // Zero before the first sample.
  [[nodiscard]] Duration value() const { return std::min(before_, present_); }

 private:
  Instant began_;  // the present span
  Duration present_;
  Duration before_;
};

}  // namespace aoe::initiator
