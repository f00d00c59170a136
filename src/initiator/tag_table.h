// Which tags wait for an answer, and which may be used next.
#pragma once

#include "base/fixed_array.h"
#include "base/ids.h"
#include "base/ring_queue.h"
#include "base/time.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// A tag is a slot number below a generation, shifted by a random start, with bit 31 set: the Linux
// driver on the same host leaves answers with that bit to user space (aoenet.c), and targets that
// guard against stale Linux writes know by it that the low bits are no clock.
//
// No tag is used again before `rest` has passed since it was released, however fast slots turn
// over: a delayed answer to an old request is never taken for the answer to a new one. The
// generations of a slot are two halves, and one half is entered again only when it has rested; so
// one instant a slot is enough to know.
//
// All memory is allocated in the constructor.
class TagTable {
 public:
  struct Options {
    std::uint32_t slots = 1024;  // a power of two, at most 2^20
    std::uint32_t start = 0;     // random
    Duration rest = Duration::seconds(4);
    std::uint32_t generation_bits = 0;  // 1..; 0 = all that 31 bits leave. Fewer only for tests
  };

  explicit TagTable(const Options& options);

  // Nullopt when every slot is in use or rests.
  [[nodiscard]] std::optional<Tag> acquire(Instant now);

  // The slot of a tag that is in use, 0..slots-1.
  [[nodiscard]] std::optional<std::uint32_t> find(Tag tag) const;

  // The tag must be in use.
  void release(Tag tag);

  [[nodiscard]] std::uint32_t in_use() const { return in_use_; }

  // How often the generations of a slot began again.
  [[nodiscard]] std::uint64_t wraps() const { return wraps_; }

  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(slots_.size()); }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    bool used = false;
    // When the current half of the generations was entered: no tag of the other half was in use
    // after that. Zero: the other half was never used.
    Instant half_entered;
  };

  [[nodiscard]] std::uint32_t raw(Tag tag) const;
  [[nodiscard]] Tag tag_of(std::uint32_t slot) const;
  [[nodiscard]] bool try_advance(Slot& slot, Instant now);

  std::uint32_t start_;
  Duration rest_;
  std::uint32_t slot_bits_;
  std::uint32_t generation_count_;
  FixedArray<Slot> slots_;
  RingQueue<std::uint32_t> free_;  // longest unused first
  std::uint32_t in_use_ = 0;
  std::uint64_t wraps_ = 0;
};

}  // namespace aoe::initiator
