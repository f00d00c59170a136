#include "storage/delay_store.h"

#include <algorithm>

namespace aoe::storage {

DelayStore::DelayStore(std::unique_ptr<BlockStore> next, const DelayOptions& options)
    : FilterStore(std::move(next)), options_(options), prng_(options.seed) {
  AOE_CHECK(options.fixed.ns >= 0 && options.jitter.ns >= 0, "time does not go back");
  info_.answers_at_once = false;
  held_.reserve(info_.in_flight_max);
  due_.reserve(info_.in_flight_max);
}

bool DelayStore::is_later(const Held& a, const Held& b) {
  return a.due != b.due ? a.due > b.due : a.sequence > b.sequence;
}

void DelayStore::submit(Instant now, std::span<const StoreOp> ops) {
  for (const StoreOp& op : ops) {
    const auto jitter_us = static_cast<std::uint64_t>(options_.jitter.ns / 1'000);
    const auto extra_us = static_cast<std::int64_t>(prng_.below(jitter_us + 1));
    held_.push_back({now + options_.fixed + Duration::microseconds(extra_us), sequence_++, op});
    std::push_heap(held_.begin(), held_.end(), is_later);
  }
}

std::size_t DelayStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  due_.clear();
  while (!held_.empty() && held_.front().due <= now) {
    std::pop_heap(held_.begin(), held_.end(), is_later);
    due_.push_back(held_.back().op);
    held_.pop_back();
  }
  if (!due_.empty()) {
    next().submit(now, due_);
  }
  return next().poll_completions(now, out);
}

std::optional<Instant> DelayStore::poll_timeout() const {
  const auto below = next().poll_timeout();
  if (held_.empty()) {
    return below;
  }
  const Instant due = held_.front().due;
  return below ? std::min(due, *below) : due;
}

}  // namespace aoe::storage
