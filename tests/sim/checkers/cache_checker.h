// Does a flush say that writes are safe which a power cut took?
#pragma once

#include "sim/checkers/violations.h"

#include <cstdint>
#include <map>

namespace aoe::sim {

// What RegisterHistory cannot see: a cache may forget what was not flushed, but the user must hear
// of it. The next flush that he begins after the power cut fails, once.
class CacheChecker {
 public:
  explicit CacheChecker(Violations& violations) : violations_(violations) {}

  // A user who can be told: he and all his targets speak the extension. Others are not judged.
  void add_writer(std::uint32_t writer) { writers_[writer]; }

  // A change, which is not durable by itself, was acknowledged.
  void on_acknowledged(std::uint32_t writer, std::uint32_t disk);
  // The disk lost its cache.
  void on_power_cut(std::uint32_t disk);

  struct FlushStart {
    std::uint64_t power_cuts = 0;  // of the disk
  };

  // After a flush nothing that was acknowledged before its end counts as cached: also what was
  // submitted after it may have been executed before it, in one frame with an earlier request.
  [[nodiscard]] FlushStart begin_flush(std::uint32_t disk);
  void end_flush(Instant now, std::uint32_t writer, std::uint32_t disk, const FlushStart& start);
  // A flush said that the cache was lost. False: it never was. (The target executed it all the
  // same.)
  [[nodiscard]] bool on_told(std::uint32_t writer, std::uint32_t disk);

 private:
  struct State {
    std::uint64_t cached = 0;  // acknowledged, not flushed
    std::uint64_t lost = 0;    // of which a power cut took, and nobody was told
  };

  [[nodiscard]] State* find(std::uint32_t writer, std::uint32_t disk);

  Violations& violations_;
  std::map<std::uint32_t, std::map<std::uint32_t, State>> writers_;  // their disks
  std::map<std::uint32_t, std::uint64_t> power_cuts_;                // by disk
};

}  // namespace aoe::sim
