// Who talks to us: one entry a source address, for fairness and for the list of clients.
#pragma once

#include "base/fixed_array.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "target/tag_clock.h"

#include <cstdint>
#include <optional>
#include <span>

namespace aoe::target {

struct Initiator {
  MacAddress mac;
  bool in_use = false;
  std::uint32_t in_flight = 0;  // its ATA requests that have not been answered
  Instant last_seen;
  std::uint64_t requests = 0;
  std::uint64_t dropped = 0;  // of its requests, for want of room
  // Of a Linux host: the time in its tags, and the number that all its addresses share (0: its
  // clock is not known).
  TagClock clock;
  std::uint32_t host = 0;
  std::uint64_t stale_writes = 0;  // dropped because they were older than what was executed
};

// Set-associative, fixed memory: a source address may live in one of eight places, and a new one
// takes the place of the longest idle one there. Forging addresses can push idle entries out and no
// more: entries with requests in flight stay.
class InitiatorTable {
 public:
  static constexpr std::uint16_t kNone = 0xFFFF;

  explicit InitiatorTable(std::uint16_t initiators_max);

  // The entry's index, made if there is none; kNone when all eight places are busy.
  [[nodiscard]] std::uint16_t touch(const MacAddress& mac, Instant now);

  [[nodiscard]] Initiator& at(std::uint16_t index) { return entries_[index]; }

  void began(std::uint16_t index);
  void ended(std::uint16_t index);

  // How many have requests in flight.
  [[nodiscard]] std::uint32_t active_count() const { return active_count_; }

  [[nodiscard]] std::span<const Initiator> entries() const {
    return {entries_.data(), entries_.size()};
  }

 private:
  static constexpr std::size_t kWays = 8;

  FixedArray<Initiator> entries_;
  std::uint32_t active_count_ = 0;
};

}  // namespace aoe::target
