// Who is served next: requests that were taken wait here for their turn at the store.
//
// Each initiator of an export has a flow. As long as a store has room, requests pass at once. When
// it has all it can work on (service_rate.h), flows take turns by deficit round robin (Shreedhar
// and Varghese, 1995) with the weights of the configuration; a request costs its bytes and a fixed
// sum. Caps of the export and of each initiator hold requests back as well.
#pragma once

#include "base/fixed_array.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "target/rate_limit.h"
#include "target/service_rate.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::target {

struct InitiatorWeight {
  MacAddress mac;
  std::uint32_t weight = 1;  // 1..1000
  friend bool operator==(const InitiatorWeight&, const InitiatorWeight&) = default;
};

// The wishes of an export.
struct ServiceSettings {
  RateCaps all;                          // of the export
  RateCaps each;                         // of each of its initiators
  std::vector<InitiatorWeight> weights;  // of those that are not listed: 1

  friend bool operator==(const ServiceSettings&, const ServiceSettings&) = default;
};

// What is known of an export; lies in the export, used by ServiceQueue alone.
struct ServiceState {
  RateLimit limit;
  ServiceRate rate;
  std::uint32_t in_service = 0;      // at the store
  std::uint32_t queued = 0;          // here
  std::uint32_t flows = 0;           // with requests here or at the store
  std::uint32_t weights = 0;         // of those
  std::uint16_t next_flow = 0xFFFF;  // of the round; 0xFFFF: nothing is queued
  bool is_waiting = false;           // listed in waiting_
  std::uint64_t held_back = 0;       // requests that could not pass at once
};

// Requests are named by a slot below `requests_max`. Fixed memory, single thread. An export's
// settings and state stay where they are while it has requests here.
class ServiceQueue {
 public:
  // Requests of one flow that an export with `limit` of them takes, while it is half full.
  struct Share {
    std::uint32_t outstanding = 0;
    std::uint32_t allowed = 0;
  };

  struct Owner {
    ExportId export_id;
    const ServiceSettings* settings = nullptr;
    ServiceState* state = nullptr;
    MacAddress initiator;
    std::uint32_t window_max = 0;  // of the export: requests at its store
  };

  explicit ServiceQueue(std::uint16_t requests_max);

  [[nodiscard]] Share share_of(const Owner& owner, std::uint32_t limit) const;

  // A request of so many bytes wants to be served. True: now, and ended() has to follow; false: it
  // waits until next() names it.
  [[nodiscard]] bool begin(Instant now, std::uint16_t slot, const Owner& owner,
                           std::uint64_t size_bytes);

  [[nodiscard]] bool is_anybody_waiting() const { return !waiting_.empty(); }

  // A request that waited and is served now; none: nothing may pass at this time.
  [[nodiscard]] std::optional<std::uint16_t> next(Instant now);

  // The request has left the store.
  void ended(Instant now, std::uint16_t slot);

  // When a request may pass that a cap holds back.
  [[nodiscard]] std::optional<Instant> poll_timeout() const { return wake_; }

 private:
  static constexpr std::uint16_t kNil = 0xFFFF;
  // A request costs as much as so many bytes more than it has.
  static constexpr std::uint64_t kRequestBytes = 4096;
  // A turn of weight 1: about two of the longest jumbo requests.
  static constexpr std::uint64_t kQuantumBytes = std::uint64_t{24} << 10U;

  struct Flow {
    ExportId export_id;
    std::uint64_t initiator = 0;  // its address as a number: compared with every request
    std::uint32_t weight = 1;
    std::uint32_t outstanding = 0;  // queued or in service
    std::uint32_t queued = 0;
    std::uint64_t deficit_bytes = 0;
    RateLimit limit;
    std::uint16_t first = kNil;  // queue of slots
    std::uint16_t last = kNil;
    std::uint16_t ring_next = kNil;  // flows of the export that have something queued
    std::uint16_t ring_previous = kNil;
    std::uint16_t bucket_next = kNil;  // of a free one: the next free one
  };

  struct Job {
    const ServiceSettings* settings = nullptr;
    ServiceState* state = nullptr;
    std::uint32_t window_max = 0;
    std::uint64_t size_bytes = 0;
    Instant begun;
    std::uint16_t flow = kNil;
    std::uint16_t next = kNil;
  };

  [[nodiscard]] std::size_t bucket_of(ExportId export_id, std::uint64_t initiator) const;
  [[nodiscard]] std::uint16_t find(ExportId export_id, std::uint64_t initiator) const;
  [[nodiscard]] std::uint16_t make(Instant now, ExportId export_id, std::uint64_t initiator);
  void forget(std::uint16_t flow);
  [[nodiscard]] std::uint16_t idle_flow_to_forget(Instant now);
  [[nodiscard]] static std::uint32_t weight_of(const Owner& owner);
  [[nodiscard]] static bool has_room(const ServiceState& state, std::uint32_t window_max);
  void append(std::uint16_t flow, std::uint16_t slot, ServiceState& state);
  void enter_ring(std::uint16_t flow, ServiceState& state);
  void leave_ring(std::uint16_t flow, ServiceState& state);
  static void serve(Instant now, Job& job, Flow& flow);
  [[nodiscard]] std::optional<std::uint16_t> next_of(Instant now, const Job& any);
  void wake_at(Instant time);

  FixedArray<Flow> flows_;
  FixedArray<std::uint16_t> buckets_;
  FixedArray<Job> jobs_;                // by slot
  std::vector<std::uint16_t> waiting_;  // a queued slot of each export that has some
  std::uint16_t first_free_ = kNil;
  std::uint16_t look_for_idle_ = 0;
  std::optional<Instant> wake_;
};

}  // namespace aoe::target
