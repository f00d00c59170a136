// A disk with a cache that a power cut takes: what was not flushed may be there afterwards or not,
// sector by sector.
#pragma once

#include "base/bytes.h"
#include "base/check.h"
#include "base/ids.h"
#include "base/prng.h"
#include "storage/block_store.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace aoe::testing {

using SectorBytes = std::array<std::byte, kSectorBytes>;

// Shared by the disks of one machine: goes off before a certain operation.
struct Power {
  Prng random{1};
  std::uint64_t operations = 0;  // executed
  std::uint64_t off_at = ~std::uint64_t{0};

  [[nodiscard]] bool is_on() const { return operations < off_at; }
};

// What disks keep while the machine is off.
struct Platter {
  explicit Platter(std::uint64_t sectors) : content(sectors) {}

  std::vector<SectorBytes> content;
};

class SimDisk final : public storage::BlockStore {
 public:
  SimDisk(Platter& platter, Power& power) : platter_(platter), power_(power) {
    info_.size_bytes = platter.content.size() * kSectorBytes;
    info_.can_discard = true;
    info_.discard_reads_zero = true;
    info_.can_write_zeroes = true;
    info_.is_volatile = true;
    info_.flushes_at_once = 4;
    info_.in_flight_max = 64;
  }

  [[nodiscard]] std::string describe() const override { return "sim"; }

  [[nodiscard]] const storage::StoreInfo& info() const override { return info_; }

  [[nodiscard]] storage::StoreStats stats() const override { return {}; }

  Result<std::uint64_t> refresh() override { return info_.size_bytes; }

  void submit(Instant /*now*/, std::span<const StoreOp> ops) override {
    for (const StoreOp& op : ops) {
      queue_.push_back({.op = op, .submitted_at = clock_});
    }
  }

  // Executes some of what waits, in any order, and hands out its completions.
  [[nodiscard]] std::size_t poll_completions(Instant /*now*/,
                                             std::span<StoreCompletion> out) override {
    std::size_t count = 0;
    while (power_.is_on() && !is_held && count < out.size() && !queue_.empty() &&
           (is_prompt || power_.random.chance(2, 3))) {
      const std::uint64_t index = is_prompt ? 0 : power_.random.below(queue_.size());
      const Queued next = queue_[index];
      ++power_.operations;
      if (!power_.is_on()) {
        break;
      }
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(index));
      ++clock_;
      const StoreErrc status = run(next);
      out[count++] = {.tag = next.op.tag,
                      .status = status,
                      .error_offset_bytes = status == StoreErrc::ok ? 0 : next.op.offset_bytes};
    }
    return count;
  }

  // The power is off: what becomes of the cache.
  void lose_cache(Prng& random) {
    // What was under way may have arrived, sector by sector.
    for (const Queued& lost : queue_) {
      if (lost.op.kind != StoreOpKind::read && lost.op.kind != StoreOpKind::flush &&
          random.chance(1, 2)) {
        put_all(lost.op, 0);
      }
    }
    queue_.clear();
    for (const auto& [sector, versions] : cache_) {
      const std::uint64_t kept = random.below(versions.size() + 1);
      if (kept > 0) {
        platter_.content[sector] = versions[kept - 1].bytes;
      }
    }
    cache_.clear();
  }

  // What a read would see.
  [[nodiscard]] SectorBytes peek(std::uint64_t sector) const {
    const auto cached = cache_.find(sector);
    return cached == cache_.end() || cached->second.empty() ? platter_.content[sector]
                                                            : cached->second.back().bytes;
  }

  // Executes everything at once, in order.
  bool is_prompt = false;
  // Executes nothing.
  bool is_held = false;
  // Sectors that may be written for the first time, if limited.
  std::uint64_t room_sectors = ~std::uint64_t{0};
  StoreErrc fail_flush = StoreErrc::ok;
  StoreErrc fail_read = StoreErrc::ok;
  StoreErrc fail_write = StoreErrc::ok;

 private:
  struct Version {
    SectorBytes bytes{};
    std::uint64_t completed_at = 0;  // 0: never
  };

  struct Queued {
    StoreOp op;
    std::uint64_t submitted_at = 0;
  };

  StoreErrc run(const Queued& queued) {
    const StoreOp& op = queued.op;
    const std::uint64_t first = op.offset_bytes / kSectorBytes;
    const std::uint64_t count = op.length_bytes / kSectorBytes;
    AOE_CHECK(first + count <= platter_.content.size(), "inside of the disk");
    if (op.kind == StoreOpKind::flush) {
      if (fail_flush == StoreErrc::ok) {
        flush(queued.submitted_at);
      }
      return fail_flush;
    }
    if (op.kind == StoreOpKind::read) {
      for (std::uint64_t i = 0; i < count; ++i) {
        copy_bytes(op.data.subspan(i * kSectorBytes, kSectorBytes), peek(first + i));
      }
      return fail_read;
    }
    if (fail_write != StoreErrc::ok) {
      return fail_write;
    }
    if (op.kind == StoreOpKind::write && !take_room(first, count)) {
      return StoreErrc::no_space;
    }
    put_all(op, clock_);
    return StoreErrc::ok;
  }

  void put_all(const StoreOp& op, std::uint64_t completed_at) {
    for (std::uint64_t i = 0; i < op.length_bytes / kSectorBytes; ++i) {
      Version version{.completed_at = completed_at};
      if (op.kind == StoreOpKind::write) {
        copy_bytes(version.bytes, op.data.subspan(i * kSectorBytes, kSectorBytes));
      }
      cache_[op.offset_bytes / kSectorBytes + i].push_back(version);
    }
  }

  // Only what was completed before the flush was submitted.
  void flush(std::uint64_t submitted_at) {
    for (auto& [sector, versions] : cache_) {
      const auto last =
          std::find_if(versions.rbegin(), versions.rend(), [submitted_at](const Version& v) {
            return v.completed_at != 0 && v.completed_at <= submitted_at;
          });
      if (last != versions.rend()) {
        platter_.content[sector] = last->bytes;
        versions.erase(versions.begin(), last.base());
      }
    }
    std::erase_if(cache_, [](const auto& entry) { return entry.second.empty(); });
  }

  bool take_room(std::uint64_t first, std::uint64_t count) {
    std::uint64_t needed = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      needed += has_room_.contains(first + i) ? 0U : 1U;
    }
    if (needed > room_sectors) {
      return false;
    }
    room_sectors -= needed;
    for (std::uint64_t i = 0; i < count; ++i) {
      has_room_[first + i] = true;
    }
    return true;
  }

  Platter& platter_;
  Power& power_;
  storage::StoreInfo info_;
  std::map<std::uint64_t, std::vector<Version>> cache_;
  std::map<std::uint64_t, bool> has_room_;
  std::vector<Queued> queue_;
  std::uint64_t clock_ = 0;  // operations executed
};

}  // namespace aoe::testing
