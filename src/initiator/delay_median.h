// The median of the round trips, followed step by step.
#pragma once

#include "base/time.h"

namespace aoe::initiator {

// Each sample moves it by a sixteenth, up or down: the disk that took a second weighs no more than
// one that took a little longer.
class DelayMedian {
 public:
  void sample(Duration round_trip) {
    if (value_.ns == 0) {
      value_ = round_trip;
    } else if (round_trip > value_) {
      value_ = value_ + value_ / 16;
    } else {
      value_ = value_ - value_ / 16;
    }
  }

  // Zero before the first sample.
  [[nodiscard]] Duration value() const { return value_; }

 private:
  Duration value_;
};

}  // namespace aoe::initiator
