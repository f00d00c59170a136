// Keeps what strangers can cause from filling the log.
#pragma once

#include "base/ids.h"
#include "base/time.h"

#include <cstdint>
#include <map>
#include <optional>

namespace aoe::daemon {

// Lets the first few events of a kind through for each address and counts the rest until the window
// ends. Holds one entry an address and kind, so the caller bounds its size by the addresses that it
// asks about.
class EventThrottle {
 public:
  struct Limits {
    std::uint32_t events_max = 5;  // of one kind, from one address, in one window
    Duration window = Duration::seconds(60);
  };

  struct Key {
    DeviceAddress address;
    std::uint32_t kind = 0;  // the caller's enumerator
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  explicit EventThrottle(Limits limits) : limits_(limits) {}

  // nullopt: say nothing. Otherwise say it, and that so many like it were left out before.
  [[nodiscard]] std::optional<std::uint64_t> admit(Instant now, const Key& event);

 private:
  struct Entry {
    Instant window_end;
    std::uint32_t admitted = 0;
    std::uint64_t suppressed = 0;
  };

  Limits limits_;
  std::map<Key, Entry> entries_;
};

}  // namespace aoe::daemon
