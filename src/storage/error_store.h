// A store that fails where it was told to: for tests of everything above a disk.
#pragma once

#include "storage/completion_queue.h"
#include "storage/filter_store.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace aoe::storage {

// Matches operations of one kind that touch [begin_bytes, end_bytes); a flush touches everything.
struct ErrorRule {
  std::optional<StoreOpKind> kind{};  // none: every kind
  std::uint64_t begin_bytes = 0;
  std::uint64_t end_bytes = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t skip = 0;  // so many matching operations pass first
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();  // then so many fail
  StoreErrc errc = StoreErrc::io;
};

// The first rule that matches decides: it passes the operation (still skipping) or fails it without
// doing it. A rule whose count is used up matches nothing.
class ErrorStore final : public FilterStore {
 public:
  ErrorStore(std::unique_ptr<BlockStore> next, std::vector<ErrorRule> rules);

  // Behind the rules there are. May be called between operations.
  void add_rule(const ErrorRule& rule) { rules_.push_back(rule); }

  void clear_rules() { rules_.clear(); }

  // Counts the injected errors too.
  [[nodiscard]] StoreStats stats() const override;
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;

 private:
  [[nodiscard]] std::optional<StoreCompletion> judge(const StoreOp& op);

  std::vector<ErrorRule> rules_;
  CompletionQueue failed_;
  std::uint64_t injected_ = 0;
};

}  // namespace aoe::storage
