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
  explicit DeviceFlow(const RttLimits& of_core) : limits(of_core), rtt(of_core) {}

  RttLimits limits;

  std::uint32_t shelf = kNoIndex;  // in the ShelfTable; kNoIndex: no frame was sent yet
  std::uint32_t in_flight = 0;     // data frames
  Instant congestion_seen{};       // the shelf's last one that `delay` knows of
  DelayWindow delay{};
  Flight flight{};
  RttEstimator rtt;  // of data frames over all paths
  DelayBaseline reads{};
  DelayBaseline changes{};
  TailEstimator tail{};
  double loss_share = 0;  // of the last thousand data frames, 0..1
  Duration tail_bound{};  // what the disk may take by what was seen of it, whatever the path

  // The timers are those of each path (RFC 6298), given its estimator; a path that has answered no
  // data yet has those of the others.
  [[nodiscard]] const RttEstimator& timer(const RttEstimator& path) const {
    return path.has_sample() ? path : rtt;
  }

  // How long a silence may be while the oldest frame is out over that path, before its back-off:
  // the retransmission time-out. Never less than `tail_bound`.
  [[nodiscard]] Duration patience(const RttEstimator& path) const;

  [[nodiscard]] DelayBaseline& baseline(FrameOp op) {
    return op == FrameOp::read ? reads : changes;
  }

  [[nodiscard]] const DelayBaseline& baseline(FrameOp op) const {
    return op == FrameOp::read ? reads : changes;
  }

  // A data frame was answered (0) or lost (1).
  void note_outcome(double lost) { loss_share += (lost - loss_share) / 1024; }

  void renew_tail_bound() { tail_bound = tail.bound(loss_share); }
};

}  // namespace aoe::initiator
