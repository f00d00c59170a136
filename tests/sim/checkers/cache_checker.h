// Does a flush say that writes are safe which a power cut took?
#pragma once

#include "sim/checkers/violations.h"

#include <cstdint>
#include <map>
#include <vector>

namespace aoe::sim {

// What RegisterHistory cannot see: a cache may forget what was not flushed, but the user must hear
// of it. The next flush that he begins after the power cut fails, once.
class CacheChecker {
 public:
  explicit CacheChecker(Violations& violations) : violations_(violations) {}

  // A user who can be told: he and all his targets speak the extension. Others are not judged.
  void add_writer(std::uint32_t writer) { writers_[writer]; }

  // Changes and flushes of one user of one disk are numbered as he submits them.
  using Order = std::uint64_t;

  [[nodiscard]] Order begin_change(std::uint32_t writer, std::uint32_t disk);
  // The change, which is not durable by itself, was acknowledged.
  void on_acknowledged(std::uint32_t writer, std::uint32_t disk, Order change);
  // The disk lost its cache.
  void on_power_cut(std::uint32_t disk);

  struct FlushStart {
    Order order = 0;
    std::uint64_t power_cuts = 0;  // of the disk
  };

  // A flush covers every change that was submitted before it: an initiator sends it after them.
  [[nodiscard]] FlushStart begin_flush(std::uint32_t writer, std::uint32_t disk);
  void end_flush(Instant now, std::uint32_t writer, std::uint32_t disk, const FlushStart& start);
  // A flush said that the cache was lost. False: it never was. (The target executed it all the
  // same: what was acknowledged since the loss and submitted before it is safe.)
  [[nodiscard]] bool on_told(std::uint32_t writer, std::uint32_t disk, const FlushStart& start);

 private:
  struct State {
    Order next = 0;
    std::vector<Order> cached;  // acknowledged, not flushed
    std::uint64_t lost = 0;     // of which a power cut took, and nobody was told
  };

  [[nodiscard]] State* find(std::uint32_t writer, std::uint32_t disk);
  static void settle(State& state, const FlushStart& start);

  Violations& violations_;
  std::map<std::uint32_t, std::map<std::uint32_t, State>> writers_;  // their disks
  std::map<std::uint32_t, std::uint64_t> power_cuts_;                // by disk
};

}  // namespace aoe::sim
