#include "target/initiator_table.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace aoe::target {

InitiatorTable::InitiatorTable(std::uint16_t initiators_max)
    : entries_(std::bit_ceil(std::max<std::size_t>(initiators_max, kWays))) {
  AOE_CHECK(entries_.size() < kNone, "indices are 16 bits");
}

std::uint16_t InitiatorTable::touch(const MacAddress& mac, Instant now) {
  const std::size_t sets = entries_.size() / kWays;
  const std::size_t first =
      (static_cast<std::size_t>(mac.key() * 0x9E3779B97F4A7C15ULL >> 40U) & (sets - 1)) * kWays;
  std::size_t victim = entries_.size();
  for (std::size_t i = first; i < first + kWays; ++i) {
    Initiator& entry = entries_[i];
    if (entry.in_use && entry.mac == mac) {
      entry.last_seen = now;
      return static_cast<std::uint16_t>(i);
    }
    const bool is_free = !entry.in_use || entry.in_flight == 0;
    if (is_free && (victim == entries_.size() || entry.last_seen < entries_[victim].last_seen)) {
      victim = i;
    }
  }
  if (victim == entries_.size()) {
    return kNone;
  }
  entries_[victim] = Initiator{};
  entries_[victim].mac = mac;
  entries_[victim].in_use = true;
  entries_[victim].last_seen = now;
  return static_cast<std::uint16_t>(victim);
}

void InitiatorTable::began(std::uint16_t index) {
  if (index == kNone) {
    return;
  }
  ++entries_[index].requests;
  active_count_ += entries_[index].in_flight++ == 0 ? 1U : 0U;
}

void InitiatorTable::ended(std::uint16_t index) {
  if (index == kNone) {
    return;
  }
  AOE_CHECK(entries_[index].in_flight > 0, "a request ends once");
  active_count_ -= --entries_[index].in_flight == 0 ? 1U : 0U;
}

}  // namespace aoe::target
