#include "initiator/tail_estimator.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

constexpr std::uint32_t kEnough = 10'000;
constexpr double kLossesPerFalseAlarm = 10;
constexpr std::int64_t kFading = 4096;

}  // namespace

void TailEstimator::sample(Duration round_trip) {
  if (round_trip > longest_) {
    longest_ = round_trip;
  } else {
    longest_ = longest_ - (longest_ - round_trip) / kFading;
  }
  samples_ = std::min(samples_ + 1, kEnough);
}

Duration TailEstimator::bound(double loss_share) const {
  if (samples_ == 0) {
    return {};
  }
  const double wanted =
      std::min(kLossesPerFalseAlarm / std::max(loss_share, 1e-6), static_cast<double>(kEnough));
  const double margin = std::max(wanted / samples_, 1.25);
  return Duration::nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(longest_.ns) * margin));
}

}  // namespace aoe::initiator
