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

  enum class First : std::uint8_t {
    at_once,
    spread,  // within 20 ms: a switch that comes back brings many hosts at the same instant
  };

  // Ask at `now`, and often at first. After start, a link coming up, a lost path.
  void restart(Instant now, First first);

  // True once for every time that has come.
  [[nodiscard]] bool take_due(Instant now, Prng& random);

  [[nodiscard]] std::optional<Instant> next() const { return next_; }

 private:
  static constexpr Duration kSpread = Duration::milliseconds(20);

  Options options_;
  Duration interval_{};
  std::optional<Instant> next_;
  bool is_to_spread_ = false;
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

  // So many queries go out at once, the rest one a millisecond: each is a broadcast that every
  // target on the segment looks at.
  static constexpr std::uint32_t kBurst = 8;
  static constexpr Duration kSpacing = Duration::milliseconds(1);

  // Asks for `address` on the ports of the mask. Queries for one address are joined while they
  // wait; beyond the limit they are dropped: whoever asked will ask again.
  void ask(DeviceAddress address, std::uint32_t ports);

  // Whether there is a query, and its time has come. Otherwise next_time() says when.
  [[nodiscard]] bool has_query(Instant now);

  // The next frame to send; has_query() said that there is one.
  [[nodiscard]] Query take_query(Instant now, Prng& random);

  // A link came up (or the core started): with wildcard discovery on, ask soon and often.
  void on_link_up(Instant now);

  // Asks for everything when the schedule says so.
  void on_time(Instant now, std::uint32_t ports, Prng& random);

  [[nodiscard]] std::optional<Instant> next_time() const;

  [[nodiscard]] std::size_t waiting_queries() const { return queries_.size(); }

  // Whether everything is asked for anyhow.
  [[nodiscard]] bool is_wildcard_on() const { return wildcard_on_; }

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
  Instant paid_until_{};     // every query that was sent moved it on by kSpacing
  bool is_waiting_ = false;  // for that
  TargetTable targets_;
};

}  // namespace aoe::initiator
