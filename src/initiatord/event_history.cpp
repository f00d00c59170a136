#include "initiatord/event_history.h"

#include <algorithm>
#include <utility>

namespace aoe::initiatord {

const nlohmann::json& EventHistory::add(nlohmann::json event, std::int64_t time_ms) {
  event["seq"] = ++last_seq_;
  event["time_ms"] = time_ms;
  if (events_.size() >= events_max_) {
    events_.pop_front();
  }
  return events_.emplace_back(std::move(event));
}

std::size_t EventHistory::index_after(std::uint64_t seq) const {
  // The numbers have no gap, so the first of them tells where to begin.
  const std::uint64_t first = last_seq_ - events_.size() + 1;
  const std::uint64_t skipped = seq < first ? 0 : seq - first + 1;
  return std::min<std::size_t>(skipped, events_.size());
}

nlohmann::json EventHistory::after(std::uint64_t seq) const {
  nlohmann::json events = nlohmann::json::array();
  for (std::size_t i = index_after(seq); i < events_.size(); ++i) {
    events.push_back(events_[i]);
  }
  return events;
}

const nlohmann::json* EventHistory::first_after(std::uint64_t seq) const {
  const std::size_t index = index_after(seq);
  return index < events_.size() ? &events_[index] : nullptr;
}

}  // namespace aoe::initiatord
