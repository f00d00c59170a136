#include "initiatord/hand_over.h"

namespace aoe::initiatord {

HandOver::Step HandOver::look(Instant now, bool is_busy) {
  if (!is_busy) {
    return Step::end;
  }
  if (kernel_ == Kernel::asks_again || has_failed_) {
    return now >= begun_ + kTimeToAskAgain ? Step::end : Step::wait;
  }
  if (now < begun_ + kTimeToDrain) {
    return Step::wait;
  }
  has_failed_ = true;
  begun_ = now;
  return Step::fail_requests;
}

}  // namespace aoe::initiatord
