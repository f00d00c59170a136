#include "initiator/sequence_window.h"

#include "base/check.h"
#include "protocol/aoe_session.h"

#include <algorithm>
#include <bit>

namespace aoe::initiator {

SequenceWindow::SequenceWindow(std::uint32_t capacity, std::uint32_t first)
    : open_(std::bit_ceil(std::max<std::uint32_t>(capacity, 2))),
      limit_(static_cast<std::uint32_t>(open_.size())),
      low_(first),
      next_(first) {
  AOE_CHECK(first != 0, "0 is no sequence");
}

void SequenceWindow::set_limit(std::uint32_t granted) {
  limit_ = std::min(granted, static_cast<std::uint32_t>(open_.size()));
}

std::optional<std::uint32_t> SequenceWindow::acquire() {
  if (!has_room()) {
    return std::nullopt;
  }
  const std::uint32_t sequence = next_;
  open_[place(sequence)] = true;
  next_ = protocol::next_sequence(next_);
  return sequence;
}

void SequenceWindow::finish(std::uint32_t sequence) {
  AOE_CHECK(sequence != 0 && sequence - low_ < next_ - low_ && open_[place(sequence)],
            "only an open sequence is finished");
  open_[place(sequence)] = false;
  while (low_ != next_ && !open_[place(low_)]) {
    ++low_;  // the place of 0 is never open
  }
}

}  // namespace aoe::initiator
