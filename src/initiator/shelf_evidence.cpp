#include "initiator/shelf_evidence.h"

#include <algorithm>
#include <cmath>

namespace aoe::initiator {
namespace {

constexpr Duration kFullScale = Duration::milliseconds(64);
constexpr Duration kQuick = Duration::milliseconds(5);
constexpr Duration kForgetting = Duration::seconds(60);  // doubles `full`
// Losses at once: from a tenth to a quarter of the frames of late, and three times what is usual.
constexpr double kManyMin = 0.1;
constexpr double kManyMax = 0.25;
constexpr double kTimesUsual = 3;
constexpr double kRare = 0.01;
constexpr std::int64_t kTimesQuickest = 4;

}  // namespace

double ShelfEvidence::full_ns(Instant now) const {
  const auto doublings =
      static_cast<double>((now - belief_.at).ns) / static_cast<double>(kForgetting.ns);
  return static_cast<double>(belief_.full.ns) * std::exp2(std::min(doublings, 16.0));
}

ShelfEvidence::Verdict ShelfEvidence::judge(Instant now, const Loss& loss) {
  before_ = belief_;
  const double many = std::clamp(kTimesUsual * loss.usual_share, kManyMin, kManyMax);
  const bool is_quick = loss.typical < kQuick;
  const bool has_queue = loss.typical >= loss.quickest * kTimesQuickest;
  const bool is_near_aim = loss.typical * 2 < loss.aim * 3;
  const bool is_rare = loss.usual_share < kRare;
  const bool in_time =
      is_quick ? loss.is_small || (is_rare && (!has_queue || (has_learned() && is_near_aim)))
               : is_near_aim;
  if (loss.typical != Duration{} && in_time && loss.share < many) {
    return Verdict::chance;
  }
  if (is_quick && has_queue && loss.typical != Duration{}) {
    const auto typical = static_cast<double>(loss.typical.ns);
    const double full = full_ns(now);
    const double learned = has_learned() ? full + (typical - full) / 8 : typical;
    belief_ = {.full = Duration::nanoseconds(static_cast<std::int64_t>(learned)), .at = now};
  }
  return Verdict::congestion;
}

double ShelfEvidence::scale(Instant now) const {
  if (!has_learned()) {
    return 1;
  }
  return std::min(full_ns(now) / static_cast<double>(kFullScale.ns), 1.0);
}

}  // namespace aoe::initiator
