// Finding targets: when to ask, and who answered.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/prng.h"
#include "base/ring_queue.h"
#include "base/time.h"
#include "initiator/options.h"
#include "initiator/path_set.h"
#include "protocol/aoe_config.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aoe::initiator {

// When to repeat a query: at once, then at intervals that double from the minimum to the maximum,
// each up to a quarter shorter or longer so that hosts that start together do not ask together.
class QuerySchedule {
 public:
  struct Options {
    Duration min;
    Duration max;
  };

  explicit QuerySchedule(Options options) : options_(options) {}

  // Ask at `now`, and often at first. After start, a link coming up, a lost path.
  void restart(Instant now);

  void set_max(Duration max) { options_.max = max; }

  // True once for every time that has come.
  [[nodiscard]] bool take_due(Instant now, Prng& random);

  [[nodiscard]] std::optional<Instant> next() const { return next_; }

 private:
  Options options_;
  Duration interval_{};
  std::optional<Instant> next_;
};

// One target on one path, as its last config answer described it.
struct TargetRecord {
  DeviceAddress address{};
  PortId port{};
  MacAddress mac{};
  TargetLimits limits{};
  std::uint16_t firmware_version = 0;
  std::uint16_t string_bytes = 0;
  std::array<std::byte, protocol::kConfigStringBytesMax> string{};
  Instant seen{};

  [[nodiscard]] ConstByteSpan config_string() const {
    return ConstByteSpan(string).first(string_bytes);
  }
};

// Remembers answers. When full, the one that was silent longest makes room.
class TargetTable {
 public:
  explicit TargetTable(std::uint32_t targets_max);

  enum class Change : std::uint8_t { none, found, changed };

  struct Answer {
    DeviceAddress address;
    PortId port;
    MacAddress mac;
  };

  Change note(Instant now, const Answer& from, const protocol::ConfigFrame& config);

  [[nodiscard]] std::span<const TargetRecord> records() const { return records_; }

 private:
  TargetRecord& slot_for(const Answer& from, bool& is_new);

  std::size_t targets_max_;
  std::vector<TargetRecord> records_;
};

// Queries that wait to be sent, and the wildcard schedule. The core makes the frames.
class Discovery {
 public:
  explicit Discovery(const CoreOptions& options);

  struct Query {
    DeviceAddress address;  // or the wildcards
    PortId port;
    Tag tag;
  };

  // Asks for `address` on the ports of the mask. Queries for one address are joined while they
  // wait; beyond the limit they are dropped: whoever asked will ask again.
  void ask(DeviceAddress address, std::uint32_t ports);

  // The next frame to send, if any.
  [[nodiscard]] bool has_query() const { return !queries_.empty(); }

  [[nodiscard]] Query take_query(Prng& random);

  // A link came up (or the core started): with wildcard discovery on, ask soon and often.
  void on_link_up(Instant now);

  // Asks for everything when the schedule says so.
  void on_time(Instant now, std::uint32_t ports, Prng& random);

  [[nodiscard]] std::optional<Instant> next_time() const { return wildcard_.next(); }

  [[nodiscard]] TargetTable& targets() { return targets_; }

  [[nodiscard]] const TargetTable& targets() const { return targets_; }

 private:
  struct Waiting {
    DeviceAddress address;
    std::uint32_t ports = 0;  // bit mask, not empty
  };

  bool wildcard_on_;
  QuerySchedule wildcard_;
  RingQueue<Waiting> queries_;
  TargetTable targets_;
};

}  // namespace aoe::initiator
