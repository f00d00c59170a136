// Whether writes that a target answered, and nobody has flushed yet, are still in its cache.
#pragma once

#include <cstdint>

namespace aoe::initiator {

// A write to a disk with a volatile cache is answered before it is on stable storage, and when its
// memory is the caller's again nobody could repeat it. If the target then loses its cache, the
// flush after it must not succeed. Our own targets tell (Hello::cache_epoch); of a plain one nobody
// knows.
class CacheWatch {
 public:
  // What a flush finds when it starts.
  struct Mark {
    std::uint64_t changes = 0;
    std::uint64_t losses_told = 0;
  };

  // A write, trim or write zeroes lies in the cache: it was answered by a target in this epoch, 0
  // for a plain one. (The answer may have been under way while its target died.)
  void on_change(std::uint64_t epoch);

  // The target says which epoch its cache is in; 0: it does not say. True when changes may have
  // been lost.
  [[nodiscard]] bool on_epoch(std::uint64_t epoch);

  [[nodiscard]] Mark flush_starts() const { return {changes_, losses_told_}; }

  // The target answered a flush. False: something was lost that this flush should have covered. A
  // loss is told to every flush that started before it was told first.
  [[nodiscard]] bool on_flushed(const Mark& start);

 private:
  std::uint64_t epoch_ = 0;    // 0: not known
  std::uint64_t changes_ = 0;  // ever
  std::uint64_t settled_ = 0;  // of them: flushed, or lost
  std::uint64_t losses_ = 0;   // ever
  std::uint64_t losses_told_ = 0;
};

}  // namespace aoe::initiator
