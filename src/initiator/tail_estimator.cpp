#include "initiator/tail_estimator.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

constexpr std::int64_t kEnough = 10'000;
constexpr std::int64_t kFading = 4096;

}  // namespace

void TailEstimator::sample(Duration round_trip) {
  if (round_trip > longest_) {
    longest_ = round_trip;
  } else {
    longest_ = longest_ - (longest_ - round_trip) / kFading;
  }
  samples_ = std::min<std::uint32_t>(samples_ + 1, kEnough);
  bound_ = std::max(longest_ * 5 / 4, longest_ * kEnough / samples_);
}

}  // namespace aoe::initiator
