// A target core with one disk of memory, and the frames that it is asked with: one turn as the
// daemon makes it, without a kernel.
#pragma once

#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "base/prefetch.h"
#include "protocol/aoe_ata.h"
#include "storage/memory_store.h"
#include "target/target_core.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::bench {

// In cache lines of its own, as a shard of the daemon is.
class alignas(kCacheLineBytes) TargetTurn {
 public:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kDiskBytes = std::size_t{4} << 20U;

  enum class Op : std::uint8_t { read, write };

  // `data_bytes`: of each request, whole sectors.
  TargetTurn(Op op, std::size_t data_bytes);

  // A batch of requests, from frames to answers.
  void run();

  // Answers so far; as many as requests.
  [[nodiscard]] std::uint64_t answers() const { return answers_; }

 private:
  // Lends the prepared frames, again and again.
  class Frames final : public BufferOwner {
   public:
    void release_buffer(std::uint32_t /*index*/) noexcept override {}
  };

  Instant now_{1'000'000'000};
  BufferPool pool_;
  target::TargetCore core_;
  std::unique_ptr<storage::MemoryStore> store_;
  Frames owner_;
  std::vector<std::vector<std::byte>> frames_;
  std::array<target::ExportStoreOp, kBatch> ops_{};
  std::array<StoreOp, kBatch> batch_{};
  std::array<StoreCompletion, kBatch> done_{};
  std::array<target::TxFrame, kBatch> tx_{};
  std::uint64_t answers_ = 0;
};

}  // namespace aoe::bench
