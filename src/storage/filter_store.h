// The common part of all filters: a store that owns the next one.
#pragma once

#include "base/check.h"
#include "storage/block_store.h"

#include <memory>
#include <utility>

namespace aoe::storage {

// Forwards everything that is no I/O; a filter overrides what it changes. info_ starts as the next
// store's and keeps its size up to date.
class FilterStore : public BlockStore {
 public:
  [[nodiscard]] std::string describe() const override { return next_->describe(); }

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] const Prefetcher* prefetcher() const override { return next_->prefetcher(); }

  [[nodiscard]] StoreStats stats() const override { return next_->stats(); }

  [[nodiscard]] std::optional<Instant> poll_timeout() const override {
    return next_->poll_timeout();
  }

  [[nodiscard]] bool is_working() const override { return next_->is_working(); }

  [[nodiscard]] bool wants_help() const override { return next_->wants_help(); }

  void stop_working() override { next_->stop_working(); }

  Result<std::uint64_t> refresh() override {
    AOE_TRY_ASSIGN(info_.size_bytes, next_->refresh());
    return info_.size_bytes;
  }

  std::uint64_t look_at_size() override {
    info_.size_bytes = next_->look_at_size();
    return info_.size_bytes;
  }

 protected:
  explicit FilterStore(std::unique_ptr<BlockStore> next) : next_(std::move(next)) {
    AOE_CHECK(next_ != nullptr, "a filter needs a store below it");
    info_ = next_->info();
  }

  [[nodiscard]] BlockStore& next() { return *next_; }

  [[nodiscard]] const BlockStore& next() const { return *next_; }

  StoreInfo info_;

 private:
  std::unique_ptr<BlockStore> next_;
};

}  // namespace aoe::storage
