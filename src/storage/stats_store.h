// A store that watches how long the one below takes.
#pragma once

#include "base/latency_histogram.h"
#include "storage/filter_store.h"
#include "storage/slot_table.h"

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace aoe::storage {

// Measures from submit to the poll that hands the completion out, successes and failures alike, in
// the time its caller gives it.
class StatsStore final : public FilterStore {
 public:
  explicit StatsStore(std::unique_ptr<BlockStore> next);

  [[nodiscard]] const LatencyHistogram& latency(StoreOpKind kind) const {
    return latencies_[static_cast<std::size_t>(kind)];
  }

  // Completions by status, ok included; they add up to all operations that have completed.
  [[nodiscard]] std::uint64_t completed(StoreErrc status) const {
    return completed_[static_cast<std::size_t>(status)];
  }

  [[nodiscard]] std::size_t in_flight() const { return records_.used(); }

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

 private:
  struct Record {
    StoreTag tag{};
    StoreOpKind kind = StoreOpKind::read;
    Instant started;
  };

  static constexpr std::size_t kKinds = static_cast<std::size_t>(StoreOpKind::write_zeroes) + 1;
  static constexpr std::size_t kStatuses = static_cast<std::size_t>(StoreErrc::rotten) + 1;

  SlotTable<Record> records_;
  std::vector<StoreOp> down_;
  std::array<LatencyHistogram, kKinds> latencies_;
  std::array<std::uint64_t, kStatuses> completed_{};
};

}  // namespace aoe::storage
