// The last events, numbered, for those who come later or missed some.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace aoe::initiatord {

class EventHistory {
 public:
  explicit EventHistory(std::size_t events_max) : events_max_(events_max) {}

  // Adds "seq", from 1 without a gap, and "time_ms" since 1970 to the event and keeps it; the
  // oldest makes room. The reference is good until the next call.
  const nlohmann::json& add(nlohmann::json event, std::int64_t time_ms);

  // Those with a greater number than `seq`, oldest first, as far as they are kept.
  [[nodiscard]] nlohmann::json after(std::uint64_t seq) const;

  // The first of them; nullptr when there is none. Good until the next add().
  [[nodiscard]] const nlohmann::json* first_after(std::uint64_t seq) const;

  // Of the newest event, 0 before the first.
  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }

 private:
  [[nodiscard]] std::size_t index_after(std::uint64_t seq) const;

  std::size_t events_max_;
  std::uint64_t last_seq_ = 0;
  std::deque<nlohmann::json> events_;
};

}  // namespace aoe::initiatord
