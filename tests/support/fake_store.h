// A store whose operations complete when, and as, a test says.
#pragma once

#include "base/check.h"
#include "storage/block_store.h"

#include <cstddef>
#include <string>
#include <vector>

namespace aoe::testing {

class FakeStore final : public storage::BlockStore {
 public:
  explicit FakeStore(std::uint32_t in_flight_max = 16, std::uint32_t flushes_at_once = 1) {
    info_.size_bytes = std::uint64_t{1} << 30U;
    info_.can_discard = true;
    info_.can_write_zeroes = true;
    info_.is_volatile = true;
    info_.in_flight_max = in_flight_max;
    info_.flushes_at_once = flushes_at_once;
  }

  [[nodiscard]] std::string describe() const override { return "fake"; }

  [[nodiscard]] const storage::StoreInfo& info() const override { return info_; }

  [[nodiscard]] storage::StoreStats stats() const override { return {}; }

  void submit(Instant /*now*/, std::span<const StoreOp> ops) override {
    ++batches;
    for (const StoreOp& op : ops) {
      AOE_CHECK(in_flight.size() + done_.size() < info_.in_flight_max, "too much in flight");
      seen.push_back(op);
      if (completes_at_once) {
        done_.push_back({.tag = op.tag});
      } else {
        in_flight.push_back(op);
      }
    }
  }

  [[nodiscard]] std::size_t poll_completions(Instant /*now*/,
                                             std::span<StoreCompletion> out) override {
    std::size_t count = 0;
    while (count < out.size() && !done_.empty()) {
      out[count++] = done_.front();
      done_.erase(done_.begin());
    }
    return count;
  }

  Result<std::uint64_t> refresh() override { return info_.size_bytes; }

  // Completes the oldest operation of this kind, or one that came so many later.
  void complete(StoreOpKind kind, StoreErrc status = StoreErrc::ok, std::size_t skip = 0) {
    for (std::size_t i = 0; i < in_flight.size(); ++i) {
      if (in_flight[i].kind == kind && skip-- == 0) {
        done_.push_back(
            {.tag = in_flight[i].tag,
             .status = status,
             .error_offset_bytes = status == StoreErrc::ok ? 0 : in_flight[i].offset_bytes});
        in_flight.erase(in_flight.begin() + static_cast<std::ptrdiff_t>(i));
        return;
      }
    }
    AOE_CHECK(false, "the test completes an operation that is not in flight");
  }

  [[nodiscard]] std::size_t count(StoreOpKind kind) const {
    std::size_t count = 0;
    for (const StoreOp& op : in_flight) {
      count += op.kind == kind ? 1U : 0U;
    }
    return count;
  }

  void set_size(std::uint64_t size_bytes) { info_.size_bytes = size_bytes; }

  std::vector<StoreOp> in_flight;
  std::vector<StoreOp> seen;
  std::size_t batches = 0;
  bool completes_at_once = false;

 private:
  storage::StoreInfo info_;
  std::vector<StoreCompletion> done_;
};

}  // namespace aoe::testing
