#include "initiatord/device_stats.h"

namespace aoe::initiatord {

using initiator::IoOp;
using initiator::IoStatus;

void DeviceStats::on_completion(Instant now, const initiator::IoCompletion& completion) {
  // A request of the device that had this address before may end now.
  in_flight_ -= in_flight_ > 0 ? 1 : 0;
  retransmissions_ += completion.retransmissions;
  ++statuses_[static_cast<std::size_t>(completion.status)];
  Op& op = ops_[static_cast<std::size_t>(completion.op)];
  ++op.requests;
  if (completion.status != IoStatus::ok) {
    return;
  }
  op.sectors += completion.sectors;
  if (completion.op == IoOp::read) {
    read_latency_.add(completion.latency);
  } else if (completion.op == IoOp::write) {
    write_latency_.add(completion.latency);
  }
  turn_window(now);
  recent_[0].add(completion.latency);
}

void DeviceStats::turn_window(Instant now) {
  if (now < window_end_) {
    return;
  }
  const bool is_next = now < window_end_ + recent_window_;
  recent_[1] = is_next ? recent_[0] : LatencyHistogram{};
  recent_[0] = LatencyHistogram{};
  window_end_ = now + recent_window_;
}

LatencyHistogram DeviceStats::recent_latency(Instant now) {
  turn_window(now);
  LatencyHistogram all = recent_[0];
  all.add_all(recent_[1]);
  return all;
}

}  // namespace aoe::initiatord
