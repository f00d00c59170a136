// The exports of a core and the way from an address to one of them.
#pragma once

#include "base/fixed_array.h"
#include "base/prefetch.h"
#include "base/result.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_smart.h"
#include "target/ata_plan.h"
#include "target/persistent_state.h"
#include "target/target_stats.h"
#include "target/target_types.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::target {

// A self-test while it runs (self_test.h).
struct SelfTestRun {
  protocol::SmartTestKind kind = protocol::SmartTestKind::short_test;
  bool is_running = false;
  bool is_reading = false;
  std::uint64_t sectors = 0;  // of the disk when it began
  std::uint64_t reads = 0;
  std::uint64_t reads_done = 0;
  Instant due{};  // of the next read
  // Of the one that is under way:
  Instant read_began{};
  Lba read_lba{};
  std::uint32_t read_sectors = 0;
};

// Everything the parts of a core know about one export. What requests for data need lies in the
// first line of the cache, and in one piece from the mask to the lists and texts of the settings:
// that is what ExportTable::prefetch() fetches.
struct alignas(kCacheLineBytes) Export {
  ExportId id;
  bool in_use = false;
  ExportState state = ExportState::probing;
  ExportHealth health = ExportHealth::ok;
  bool is_change_pending = false;  // a new `persistent` is on its way to disk
  ExportStats stats;
  PersistentState persistent;
  AtaSettings ata;
  Instant hold_plain_writes_until;
  ServiceState service;
  ExportSettings settings;
  // ---- from here on: administration
  std::string serial;
  // Its texts are set when they change, the rest when somebody asks: copying texts allocates.
  protocol::IdentifyModel identify;
  Instant started;  // for the life counters
  LifeCounters life_at_start;
  SelfTestRun self_test;

  // Duplicate address detection.
  std::uint8_t probes_left = 0;
  Instant probe_next;
  Instant probe_end;  // of listening, counted from the first probe; of waiting after a conflict

  // Bit n: an advertisement is due on port n.
  std::uint32_t advertise_ports = 0;
  bool is_advertise_queued = false;

  // Store errors are reported once a burst.
  Instant burst_begin;
  std::uint64_t burst_errors = 0;
  // So are damaged frames.
  Instant damage_burst_begin;
  std::uint64_t burst_damaged = 0;

  [[nodiscard]] bool is_served_on(PortId port) const {
    return (settings.port_mask >> port.value & 1U) != 0;
  }
};

// Fixed number of places; an ExportId is a place and its generation, so that an answer for an
// export that is gone is recognised. Single thread.
class ExportTable {
 public:
  explicit ExportTable(std::uint16_t exports_max);

  // already_exists: the address is taken; no_space: the table is full.
  [[nodiscard]] Result<Export*> add(const ExportSettings& settings);
  void remove(Export& gone);

  // nullptr when the id is stale or the address unknown.
  [[nodiscard]] Export* find(ExportId id);
  [[nodiscard]] Export* find(DeviceAddress address);

  // Whether there are so many exports that they do not stay in the processor's cache.
  [[nodiscard]] bool exceeds_cache() const { return sorted_.size() > kFewExports; }

  // The export at that address will be asked for soon: first what leads to it, then the export.
  void prefetch_way(DeviceAddress address) const;
  void prefetch(DeviceAddress address) const;

  // All exports in the order of their addresses. The span is valid until the next add or remove.
  [[nodiscard]] std::span<Export* const> all() const { return sorted_; }

 private:
  static constexpr unsigned kIndexBits = 16;
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;
  static constexpr std::size_t kFewExports = 64;

  // Small enough to stay in the processor's cache when the exports themselves do not.
  struct Way {
    DeviceAddress address;
    std::uint32_t place = kFree;
  };

  // Where the search for that address begins.
  [[nodiscard]] std::size_t first_way_to(DeviceAddress address) const;
  // The way to that address, or the free one where it would be.
  [[nodiscard]] std::size_t way_to(DeviceAddress address) const;
  void make_ways();
  void lead_to(const Export& subject);

  FixedArray<Export> places_;
  std::vector<Export*> sorted_;
  FixedArray<Way> ways_;  // by address: open addressing, at most half full
};

}  // namespace aoe::target
