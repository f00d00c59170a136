// Keeps what strangers can cause from filling the log.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "target/target_types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace aoe::targetd {

// Lets the first few events of a kind through for each export and counts the rest until the window
// ends. Holds one entry an export and kind, so its size is bounded by the exports.
class EventThrottle {
 public:
  struct Limits {
    std::uint32_t events_max = 5;  // of one kind, from one export, in one window
    Duration window = Duration::seconds(60);
  };

  explicit EventThrottle(Limits limits) : limits_(limits) {}

  // nullopt: say nothing. Otherwise say it, and that so many like it were left out before.
  [[nodiscard]] std::optional<std::uint64_t> admit(Instant now, const target::TargetEvent& event);

 private:
  struct Entry {
    Instant window_end;
    std::uint32_t admitted = 0;
    std::uint64_t suppressed = 0;
  };

  Limits limits_;
  std::map<std::pair<DeviceAddress, target::EventKind>, Entry> entries_;
};

}  // namespace aoe::targetd
