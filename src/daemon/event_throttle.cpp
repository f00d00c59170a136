#include "daemon/event_throttle.h"

#include <utility>

namespace aoe::daemon {

std::optional<std::uint64_t> EventThrottle::admit(Instant now, const Key& event) {
  Entry& entry = entries_[event];
  if (now >= entry.window_end) {
    entry.window_end = now + limits_.window;
    entry.admitted = 0;
  }
  if (entry.admitted == limits_.events_max) {
    ++entry.suppressed;
    return std::nullopt;
  }
  ++entry.admitted;
  return std::exchange(entry.suppressed, 0);
}

}  // namespace aoe::daemon
