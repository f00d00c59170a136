#include "initiator/cache_watch.h"

#include <algorithm>

namespace aoe::initiator {

bool CacheWatch::on_epoch(std::uint64_t epoch) {
  const bool has_lost = epoch_ != 0 && epoch_ != epoch && settled_ < changes_;
  epoch_ = epoch;
  if (has_lost) {
    ++losses_;
    settled_ = changes_;
  }
  return has_lost;
}

void CacheWatch::on_change(std::uint64_t epoch) {
  ++changes_;
  if (epoch != 0 && epoch_ != 0 && epoch != epoch_) {
    ++losses_;
  }
}

bool CacheWatch::on_flushed(const Mark& start) {
  settled_ = std::max(settled_, start.changes);
  if (losses_ == start.losses_told) {
    return true;
  }
  losses_told_ = losses_;
  return false;
}

}  // namespace aoe::initiator
