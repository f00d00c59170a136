#include "initiator/device_loss.h"

namespace aoe::initiator {

void DeviceLoss::on_down(Instant now) {
  if (stage_ == Stage::reachable) {
    stage_ = Stage::waiting;
    since_ = now;
  }
}

std::optional<Instant> DeviceLoss::fast_fail_at() const {
  if (options_.on_path_loss == OnPathLoss::fail) {
    return since_;
  }
  return options_.fast_io_fail == Duration{} ? std::nullopt
                                             : std::optional(since_ + options_.fast_io_fail);
}

std::optional<Instant> DeviceLoss::lost_at() const {
  return options_.device_loss == Duration{} ? std::nullopt
                                            : std::optional(since_ + options_.device_loss);
}

bool DeviceLoss::advance(Instant now) {
  const Stage before = stage_;
  if (stage_ == Stage::waiting && fast_fail_at() && *fast_fail_at() <= now) {
    stage_ = Stage::fast_fail;
  }
  if ((stage_ == Stage::waiting || stage_ == Stage::fast_fail) && lost_at() && *lost_at() <= now) {
    stage_ = Stage::lost;
  }
  return stage_ != before;
}

std::optional<Instant> DeviceLoss::next_time() const {
  std::optional<Instant> next;
  if (stage_ == Stage::waiting || stage_ == Stage::fast_fail) {
    next = lost_at();
    const std::optional<Instant> fast = fast_fail_at();
    if (stage_ == Stage::waiting && fast && (!next || *fast < *next)) {
      next = fast;
    }
  }
  return next;
}

}  // namespace aoe::initiator
