#include "initiator/write_fence.h"

#include <algorithm>

namespace aoe::initiator {

WriteFence::WriteFence(std::uint32_t capacity) : capacity_(std::max<std::uint32_t>(capacity, 1)) {
  entries_.reserve(capacity_);
}

bool WriteFence::raise(DeviceAddress address, const SectorRange& range, const Copies& copies) {
  if (entries_.size() == capacity_) {
    overflow_until_ = std::max(overflow_until_, copies.gone);
    return false;
  }
  entries_.push_back({address, range, copies});
  return true;
}

void WriteFence::remove(std::size_t index) {
  entries_[index] = entries_.back();
  entries_.pop_back();
}

bool WriteFence::on_late_answer(DeviceAddress address, Tag tag, std::uint32_t path) {
  bool lifted = false;
  // A frame of many ranges, a trim, has as many entries under its tag.
  for (std::size_t i = entries_.size(); i > 0; --i) {
    Copies& copies = entries_[i - 1].copies;
    if (copies.tag == tag && entries_[i - 1].address == address && copies.can_settle) {
      copies.open_paths &= ~(1U << path);
      if (copies.open_paths == 0) {
        remove(i - 1);
        lifted = true;
      }
    }
  }
  return lifted;
}

void WriteFence::forget_paths(DeviceAddress address) {
  for (Entry& entry : entries_) {
    if (entry.address == address) {
      entry.copies.can_settle = false;
    }
  }
}

bool WriteFence::expire(Instant now) {
  bool any = overflow_until_ != Instant{} && overflow_until_ <= now;
  if (any) {
    overflow_until_ = {};
  }
  for (std::size_t i = entries_.size(); i > 0; --i) {
    if (entries_[i - 1].copies.gone <= now) {
      remove(i - 1);
      any = true;
    }
  }
  return any;
}

bool WriteFence::blocks(DeviceAddress address, const SectorRange& range) const {
  if (overflow_until_ != Instant{}) {
    return true;
  }
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.address == address && entry.range.overlaps(range);
  });
}

std::optional<Instant> WriteFence::next_expiry() const {
  std::optional<Instant> next;
  if (overflow_until_ != Instant{}) {
    next = overflow_until_;
  }
  for (const Entry& entry : entries_) {
    if (!next || entry.copies.gone < *next) {
      next = entry.copies.gone;
    }
  }
  return next;
}

}  // namespace aoe::initiator
