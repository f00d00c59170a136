#include "initiator/window.h"

#include <algorithm>

namespace aoe::initiator {

void Window::set_limit(std::uint32_t limit) {
  limit_ = std::max<std::uint32_t>(limit, 1);
  frames_ = std::min(frames_, limit_);
}

void Window::on_sent(std::uint32_t in_flight) {
  if (in_flight >= frames_) {
    growing_answers_ = frames_;
  }
}

void Window::on_answer() {
  if (growing_answers_ == 0) {
    return;
  }
  --growing_answers_;
  if (frames_ >= limit_) {
    return;
  }
  if (frames_ < slow_start_until_) {
    ++frames_;
    answers_until_growth_ = frames_;
    return;
  }
  if (answers_until_growth_ > 1) {
    --answers_until_growth_;
    return;
  }
  ++frames_;
  answers_until_growth_ = frames_;
}

bool Window::on_loss(Instant sent, Instant now) {
  if (last_cut_ != Instant{} && sent <= last_cut_) {
    return false;
  }
  last_cut_ = now;
  frames_ = std::max<std::uint32_t>(frames_ / 2, 1);
  slow_start_until_ = frames_;
  answers_until_growth_ = frames_;
  growing_answers_ = 0;
  return true;
}

void Window::reset() {
  *this = Window(limit_);
}

}  // namespace aoe::initiator
