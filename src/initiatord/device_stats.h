// What the users of one device did and how it went.
#pragma once

#include "base/latency_histogram.h"
#include "base/time.h"
#include "initiator/io_request.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe::initiatord {

inline constexpr std::size_t kIoOps = 5;       // initiator::IoOp
inline constexpr std::size_t kIoStatuses = 9;  // initiator::IoStatus

// About 120 KiB, for the histograms. Nothing is allocated after construction.
class DeviceStats {
 public:
  struct Op {
    std::uint64_t requests = 0;  // ended, well or badly
    std::uint64_t sectors = 0;   // of those that ended well
  };

  // `recent_window`: how long recent_latency() looks back, twice that at most.
  explicit DeviceStats(Duration recent_window) : recent_window_(recent_window) {}

  void on_submit() { ++in_flight_; }

  void on_completion(Instant now, const initiator::IoCompletion& completion);

  [[nodiscard]] const Op& op(initiator::IoOp op) const {
    return ops_[static_cast<std::size_t>(op)];
  }

  // Requests that ended so.
  [[nodiscard]] std::uint64_t ended(initiator::IoStatus status) const {
    return statuses_[static_cast<std::size_t>(status)];
  }

  [[nodiscard]] std::uint32_t requests_in_flight() const { return in_flight_; }

  [[nodiscard]] std::uint64_t retransmissions() const { return retransmissions_; }

  // Of requests that ended well, from submit to the last answer.
  [[nodiscard]] const LatencyHistogram& read_latency() const { return read_latency_; }

  [[nodiscard]] const LatencyHistogram& write_latency() const { return write_latency_; }

  // Of all requests that ended well not long ago.
  [[nodiscard]] LatencyHistogram recent_latency(Instant now);

 private:
  void turn_window(Instant now);

  std::array<Op, kIoOps> ops_{};
  std::array<std::uint64_t, kIoStatuses> statuses_{};
  std::uint32_t in_flight_ = 0;
  std::uint64_t retransmissions_ = 0;
  LatencyHistogram read_latency_;
  LatencyHistogram write_latency_;
  Duration recent_window_;
  Instant window_end_{};
  std::array<LatencyHistogram, 2> recent_{};  // this window and the one before it
};

}  // namespace aoe::initiatord
