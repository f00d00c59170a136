#include "initiator/loss_window.h"

#include <algorithm>
#include <cmath>

namespace aoe::initiator {
namespace {

constexpr double kCut = 0.7;
// Frames per second^3 of the cubic curve (RFC 9438, 4.2).
constexpr double kSteepness = 0.4;
constexpr double kRenoStep = 0.5;  // frames a round trip (RFC 9438, 4.3)
constexpr double kNsPerSecond = 1e9;
// Per answer, so that the window at most doubles in two round trips whatever the curve says.
constexpr double kStepMax = 0.5;

}  // namespace

void LossWindow::set_limit(std::uint32_t limit) {
  limit_ = std::max<std::uint32_t>(limit, 1);
  size_ = std::min<double>(size_, limit_);
}

void LossWindow::on_sent(std::uint32_t in_flight) {
  if (in_flight >= frames()) {
    growing_answers_ = frames();
  }
}

double LossWindow::cubic_step() const {
  const double t = curve_seconds_ - std::cbrt(plateau_ * (1 - kCut) / kSteepness);
  const double aim = plateau_ + kSteepness * t * t * t;
  // Small windows are no slower than those of old.
  const double reno = size_ < kStartFrames ? kRenoStep : 0;
  return std::clamp((aim - size_) / std::max(size_, 1.0), reno / std::max(size_, 1.0), kStepMax);
}

// Where it stands now, below the plateau, lies on the curve.
void LossWindow::restart_curve() {
  curve_seconds_ = std::cbrt(plateau_ * (1 - kCut) / kSteepness) -
                   std::cbrt(std::max(plateau_ - size_, 0.0) / kSteepness);
}

void LossWindow::on_answer(Instant now) {
  const Duration since = now - last_answer_;
  last_answer_ = now;
  if (growing_answers_ == 0) {
    return;
  }
  --growing_answers_;
  if (size_ < slow_start_until_) {
    size_ = std::min<double>(size_ + std::min(size_, 1.0), limit_);
    return;
  }
  curve_seconds_ += static_cast<double>(since.ns) / kNsPerSecond;
  size_ = std::min<double>(size_ + cubic_step(), limit_);
}

bool LossWindow::on_loss(Instant sent, Instant now) {
  if (last_cut_ != Instant{} && sent <= last_cut_) {
    return false;
  }
  last_cut_ = now;
  before_cut_ = size_;
  // Cut again before it came back to where it was: somebody new needs room, so leave some.
  plateau_ = size_ < plateau_ ? size_ * (1 + kCut) / 2 : size_;
  size_ = std::max(size_ * kCut, kFramesMin);
  slow_start_until_ = size_;
  restart_curve();
  growing_answers_ = 0;
  return true;
}

void LossWindow::end_slow_start() {
  slow_start_until_ = std::min(slow_start_until_, size_);
  plateau_ = size_;
  restart_curve();
}

void LossWindow::undo_cut() {
  size_ = std::max(size_, before_cut_);
  plateau_ = std::max(plateau_, before_cut_);
  before_cut_ = 0;
  restart_curve();
}

void LossWindow::on_silence(Instant now) {
  last_cut_ = now;
  before_cut_ = 0;
  if (size_ > kStartFrames) {
    plateau_ = size_;
    slow_start_until_ = size_ * kCut;
    size_ = kStartFrames;
    // When slow start ends, the curve begins there.
    curve_seconds_ = 0;
  }
  growing_answers_ = 0;
}

void LossWindow::reset() {
  *this = LossWindow(limit_);
}

}  // namespace aoe::initiator
