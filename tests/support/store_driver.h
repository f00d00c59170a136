// Runs operations on a store and waits for them, with tags of its own.
#pragma once

#include "base/time.h"
#include "storage/block_store.h"
#include "storage/io_engine.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace aoe::testing {

inline std::vector<std::byte> pattern(std::size_t size_bytes, unsigned seed) {
  std::vector<std::byte> bytes(size_bytes);
  for (std::size_t i = 0; i < size_bytes; ++i) {
    bytes[i] = static_cast<std::byte>((i * 7 + i / 512 * 13 + seed * 31 + 1) & 0xFFU);
  }
  return bytes;
}

inline bool is_all_zero(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    if (byte != std::byte{}) {
      return false;
    }
  }
  return true;
}

// Collects operations with add_*, sends them as one batch, and takes their completions. `engine`
// may be null for a store without one. Time stands still unless `now` is moved.
class StoreDriver {
 public:
  explicit StoreDriver(storage::BlockStore& store, storage::IoEngine* engine = nullptr)
      : store_(store), engine_(engine) {}

  StoreTag add_read(std::uint64_t offset, std::span<std::byte> to) {
    return add(
        {.kind = StoreOpKind::read, .offset_bytes = offset, .length_bytes = to.size(), .data = to});
  }

  StoreTag add_write(std::uint64_t offset, std::span<std::byte> from,
                     Durability durability = Durability::visible) {
    return add({.kind = StoreOpKind::write,
                .durability = durability,
                .offset_bytes = offset,
                .length_bytes = from.size(),
                .data = from});
  }

  StoreTag add_flush() { return add({.kind = StoreOpKind::flush, .data = {}}); }

  StoreTag add_range(StoreOpKind kind, std::uint64_t offset, std::uint64_t length,
                     Durability durability = Durability::visible) {
    return add({.kind = kind,
                .durability = durability,
                .offset_bytes = offset,
                .length_bytes = length,
                .data = {}});
  }

  void send() {
    store_.submit(now, batch_);
    in_flight_ += batch_.size();
    batch_.clear();
  }

  // One look; how many completions came.
  std::size_t poll() {
    if (engine_ != nullptr) {
      engine_->poll();
    }
    std::size_t total = 0;
    std::size_t count = 0;
    std::vector<StoreCompletion> out(3);  // small on purpose
    do {
      count = store_.poll_completions(now, out);
      for (std::size_t i = 0; i < count; ++i) {
        duplicates += done.contains(out[i].tag.value) ? 1U : 0U;
        done[out[i].tag.value] = out[i];
        order.push_back(out[i].tag);
      }
      total += count;
    } while (count == out.size());
    in_flight_ -= total;
    return total;
  }

  // Sends what was added and polls until everything is done; false after ten seconds.
  bool finish() {
    send();
    poll();
    for (int round = 0; in_flight_ > 0 && round < 10'000; ++round) {
      if (engine_ != nullptr) {
        (void)engine_->drain(Duration::milliseconds(1));
      }
      poll();
    }
    return in_flight_ == 0;
  }

  [[nodiscard]] bool is_done(StoreTag tag) const { return done.contains(tag.value); }

  [[nodiscard]] StoreErrc status(StoreTag tag) const { return done.at(tag.value).status; }

  [[nodiscard]] std::uint64_t error_offset(StoreTag tag) const {
    return done.at(tag.value).error_offset_bytes;
  }

  // One operation, start to end.
  StoreErrc read(std::uint64_t offset, std::span<std::byte> to) {
    return result_of(add_read(offset, to));
  }

  StoreErrc write(std::uint64_t offset, std::span<std::byte> from,
                  Durability durability = Durability::visible) {
    return result_of(add_write(offset, from, durability));
  }

  StoreErrc flush() { return result_of(add_flush()); }

  StoreErrc range(StoreOpKind kind, std::uint64_t offset, std::uint64_t length) {
    return result_of(add_range(kind, offset, length));
  }

  Instant now{1'000'000'000};
  MacAddress initiator{};  // of what is added from now on
  std::map<std::uint32_t, StoreCompletion> done;
  std::vector<StoreTag> order;
  unsigned duplicates = 0;  // must stay 0: every operation completes once

 private:
  StoreTag add(StoreOp op) {
    op.tag = StoreTag{next_tag_++};
    op.initiator = initiator;
    batch_.push_back(op);
    return op.tag;
  }

  StoreErrc result_of(StoreTag tag) { return finish() ? status(tag) : StoreErrc::io; }

  storage::BlockStore& store_;
  storage::IoEngine* engine_;
  std::vector<StoreOp> batch_;
  std::size_t in_flight_ = 0;
  std::uint32_t next_tag_ = 100;
};

}  // namespace aoe::testing
