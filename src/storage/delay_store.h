// A store that takes longer: for tests of everything that waits.
#pragma once

#include "base/prng.h"
#include "storage/filter_store.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::storage {

struct DelayOptions {
  Duration fixed;          // every operation waits at least this long, not negative
  Duration jitter;         // and up to this much longer, each its own
  std::uint64_t seed = 1;  // same seed, same delays
};

// Holds an operation back for its delay and only then passes it on, so that a delayed write is not
// visible early. With jitter operations overtake each other, as a real queue lets them.
class DelayStore final : public FilterStore {
 public:
  DelayStore(std::unique_ptr<BlockStore> next, const DelayOptions& options);

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;
  [[nodiscard]] std::optional<Instant> poll_timeout() const override;

 private:
  struct Held {
    Instant due;
    std::uint64_t sequence = 0;  // equal delays keep their order
    StoreOp op;
  };

  static bool is_later(const Held& a, const Held& b);

  DelayOptions options_;
  Prng prng_;
  std::uint64_t sequence_ = 0;
  std::vector<Held> held_;  // a heap, the next one due in front
  std::vector<StoreOp> due_;
};

}  // namespace aoe::storage
