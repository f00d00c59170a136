#include "initiator/delay_window.h"

#include <algorithm>
#include <cmath>

namespace aoe::initiator {
namespace {

constexpr double kNsPerMs = 1e6;
// The table: milliseconds at two frames, and per halving and doubling from there.
constexpr double kAimAtTwoMs = 20;
constexpr double kMorePerHalvingMs = 12;
constexpr double kLessPerDoublingMs = 2;
// How much of the window a round trip changes at most. Below one frame there is one answer in many
// round trips, which tells of a queue that many others filled: the share of each is smaller.
constexpr double kGain = 0.25;
constexpr double kFarSooner = 0.75;  // of the aim
// What the table gives for the smallest window. An aim may be far longer where a store had stalled.
constexpr Duration kPauseMax = Duration::seconds(3);
// Answers that never come sooner are those of a slow store, or of a crowded disk.
constexpr Duration kSlowStore = Duration::milliseconds(40);

double table_ms(double size) {
  const double halvings = 1 - std::log2(size);
  return kAimAtTwoMs + halvings * (halvings > 0 ? kMorePerHalvingMs : kLessPerDoublingMs);
}

Duration from_ns(double ns) {
  return Duration::nanoseconds(static_cast<std::int64_t>(ns));
}

}  // namespace

std::uint32_t DelayWindow::frames() const {
  return std::max<std::uint32_t>(static_cast<std::uint32_t>(size_) + (credit_ >= 1 ? 1 : 0), 1);
}

void DelayWindow::on_sent(std::uint32_t in_flight) {
  if (in_flight > size_ && credit_ >= 1) {
    credit_ -= 1;
  }
  if (in_flight >= frames()) {
    growing_answers_ = frames();
  }
}

Duration DelayWindow::cautious_aim(const Surroundings& around) const {
  const double table_ns = table_ms(size_) * kNsPerMs;
  // However quick the shelf: what its answers take without a queue is no queue.
  const double least_ns = 2 * static_cast<double>(around.least.ns);
  const double floor_ns = around.commits_together ? least_ns : std::min(least_ns, table_ns);
  return around.network + from_ns(std::max(table_ns * around.scale, floor_ns));
}

Duration DelayWindow::aim(Instant now, const Surroundings& around) const {
  const Duration quickest = std::max(around.quickest - around.network, Duration{});
  if (now < distrusted_until_ || quickest < kSlowStore) {
    return cautious_aim(around);
  }
  return std::max(cautious_aim(around), around.network + quickest * 2);
}

void DelayWindow::on_answer(Instant now, std::optional<Duration> round_trip,
                            const Surroundings& around) {
  if (round_trip) {
    const auto aimed = static_cast<double>(aim(now, around).ns);
    const double error =
        std::clamp((aimed - static_cast<double>(round_trip->ns)) / aimed, -1.0, 1.0);
    if (error < 0 || growing_answers_ > 0 || size_ < 1) {
      // A queue that is far shorter than the aim is not one that many others filled.
      const double weight = size_ < 1 && error > kFarSooner ? 1 : std::min(size_, 1 / size_);
      size_ *= 1 + kGain * error * weight;
    }
    size_ = std::clamp<double>(size_, kFramesMin, around.limit);
  }
  growing_answers_ -= growing_answers_ > 0 ? 1 : 0;
  credit_ = size_ < 1 ? 0 : std::min(credit_ + size_ - std::floor(size_), 2.0);
  begin_pause(now, around);
}

void DelayWindow::on_gone(Instant now, const Surroundings& around) {
  begin_pause(now, around);
}

void DelayWindow::begin_pause(Instant now, const Surroundings& around) {
  pause_ends_ = {};
  if (size_ < 1) {
    const double pause_ns = (1 / size_ - 1) * static_cast<double>(aim(now, around).ns);
    pause_ends_ = now + std::min(from_ns(pause_ns), kPauseMax);
  }
}

}  // namespace aoe::initiator
