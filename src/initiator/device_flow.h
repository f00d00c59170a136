// What is known of the traffic of one open device, over all its paths.
#pragma once

#include "base/time.h"
#include "initiator/delay_baseline.h"
#include "initiator/delay_window.h"
#include "initiator/flight.h"
#include "initiator/frame_op.h"
#include "initiator/index_list.h"
#include "initiator/rtt_estimator.h"
#include "initiator/tail_estimator.h"

#include <cstdint>

namespace aoe::initiator {

struct DeviceFlow {
  explicit DeviceFlow(const RttLimits& limits) : rtt(limits), patience(limits.data_initial) {}

  std::uint32_t shelf = kNoIndex;  // in the ShelfTable; kNoIndex: no frame was sent yet
  std::uint32_t in_flight = 0;     // data frames
  Instant congestion_seen{};       // the shelf's last one that `delay` knows of
  DelayWindow delay{};
  Flight flight{};
  RttEstimator rtt;  // of data frames
  DelayBaseline reads{};
  DelayBaseline changes{};
  TailEstimator tail{};
  double loss_share = 0;  // of the last thousand data frames, 0..1
  Duration patience{};    // how long a silence may be

  [[nodiscard]] DelayBaseline& baseline(FrameOp op) {
    return op == FrameOp::read ? reads : changes;
  }

  [[nodiscard]] const DelayBaseline& baseline(FrameOp op) const {
    return op == FrameOp::read ? reads : changes;
  }

  // A data frame was answered (0) or lost (1).
  void note_outcome(double lost) { loss_share += (lost - loss_share) / 1024; }
};

}  // namespace aoe::initiator
