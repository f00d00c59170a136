// Blocks in RAM: for tests, measurements and scratch disks.
#pragma once

#include "os/mapped_memory.h"
#include "storage/block_store.h"
#include "storage/completion_queue.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aoe::storage {

// Untouched blocks cost no memory, discarded ones give theirs back, both in steps of what the
// kernel calls a large page (2 MiB) where it has those to spare. Every operation completes inside
// submit. Nothing survives the process, and no flush could change that: it is not volatile in the
// sense of StoreInfo, and stable operations complete like visible ones.
class MemoryStore final : public BlockStore, private Prefetcher {
 public:
  // size_bytes: a multiple of 512, at least 512.
  static Result<std::unique_ptr<MemoryStore>> open(std::uint64_t size_bytes,
                                                   std::uint32_t in_flight_max);

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] StoreStats stats() const override { return stats_; }

  [[nodiscard]] const Prefetcher* prefetcher() const override { return this; }

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

  Result<std::uint64_t> refresh() override { return info_.size_bytes; }

 private:
  void prefetch_way(const StoreOp& /*op*/) const override { done_.prefetch(); }

  void prefetch_data(const StoreOp& op) const override;
  MemoryStore(os::MappedMemory memory, std::uint32_t in_flight_max);

  void run(const StoreOp& op) const;

  os::MappedMemory memory_;
  // What operations need comes first: where there are many stores, none is in a cache.
  CompletionQueue done_;
  StoreInfo info_;
  StoreStats stats_;
};

}  // namespace aoe::storage
