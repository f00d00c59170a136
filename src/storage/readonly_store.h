// A store that may be read but not changed.
#pragma once

#include "storage/completion_queue.h"
#include "storage/filter_store.h"

#include <memory>

namespace aoe::storage {

// Says read-only in info(), and answers read_only to whoever tries anyway. Flushes pass.
class ReadonlyStore final : public FilterStore {
 public:
  explicit ReadonlyStore(std::unique_ptr<BlockStore> next);

  [[nodiscard]] std::string describe() const override;
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

 private:
  CompletionQueue refused_;
};

}  // namespace aoe::storage
