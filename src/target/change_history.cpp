#include "target/change_history.h"

#include <algorithm>

namespace aoe::target {

ChangeHistory::ChangeHistory(std::size_t pending_max, Duration lifetime)
    : pending_max_(pending_max), lifetime_(lifetime), entries_(pending_max * 8) {}

bool ChangeHistory::is_alive(Instant now, const Entry& entry) const {
  return entry.made != Instant{} && now - entry.made < lifetime_;
}

bool ChangeHistory::contains(Instant now, const Key& key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return is_alive(now, entry) && entry.key == key; });
}

bool ChangeHistory::has_room(Instant now) const {
  return !is_alive(now, entries_[(next_ + pending_max_ - 1) % entries_.size()]);
}

void ChangeHistory::add(Instant now, const Key& key) {
  entries_[next_] = {.key = key, .made = now};
  next_ = (next_ + 1) % entries_.size();
}

}  // namespace aoe::target
