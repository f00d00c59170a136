// A disk of zeros that forgets what is written: for measuring everything but the storage.
#pragma once

#include "storage/block_store.h"
#include "storage/completion_queue.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aoe::storage {

// Reads give zeros, everything else does nothing, all inside submit.
class NullStore final : public BlockStore, private Prefetcher {
 public:
  // The most that 48-bit sector numbers reach.
  static constexpr std::uint64_t kSizeMaxBytes = std::uint64_t{1} << 57U;

  // size_bytes: a multiple of 512 in 512..kSizeMaxBytes.
  NullStore(std::uint64_t size_bytes, std::uint32_t in_flight_max);

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] StoreStats stats() const override { return stats_; }

  [[nodiscard]] const Prefetcher* prefetcher() const override { return this; }

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

  Result<std::uint64_t> refresh() override { return info_.size_bytes; }

 private:
  void prefetch_way(const StoreOp& /*op*/) const override { done_.prefetch(); }

  void prefetch_data(const StoreOp& /*op*/) const override {}

  // What operations need comes first: where there are many stores, none is in a cache.
  CompletionQueue done_;
  StoreInfo info_;
  StoreStats stats_;
};

}  // namespace aoe::storage
