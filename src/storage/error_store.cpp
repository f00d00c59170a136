#include "storage/error_store.h"

#include <algorithm>

namespace aoe::storage {

namespace {

bool matches(const ErrorRule& rule, const StoreOp& op) {
  if (rule.count == 0 || (rule.kind && *rule.kind != op.kind)) {
    return false;
  }
  return op.kind == StoreOpKind::flush ||
         (op.offset_bytes < rule.end_bytes && op.offset_bytes + op.length_bytes > rule.begin_bytes);
}

}  // namespace

ErrorStore::ErrorStore(std::unique_ptr<BlockStore> next, std::vector<ErrorRule> rules)
    : FilterStore(std::move(next)), rules_(std::move(rules)), failed_(info_.in_flight_max) {}

StoreStats ErrorStore::stats() const {
  StoreStats stats = next().stats();
  stats.errors += injected_;
  return stats;
}

std::optional<StoreCompletion> ErrorStore::judge(const StoreOp& op) {
  for (ErrorRule& rule : rules_) {
    if (!matches(rule, op)) {
      continue;
    }
    if (rule.skip > 0) {
      --rule.skip;
      return std::nullopt;
    }
    --rule.count;
    return StoreCompletion{.tag = op.tag,
                           .status = rule.errc,
                           .error_offset_bytes = op.kind == StoreOpKind::flush
                                                     ? 0
                                                     : std::max(op.offset_bytes, rule.begin_bytes)};
  }
  return std::nullopt;
}

void ErrorStore::submit(Instant now, std::span<const StoreOp> ops) {
  std::size_t first = 0;  // of the operations that pass and were not forwarded yet
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto failure = judge(ops[i]);
    if (failure) {
      failed_.push(*failure);
      ++injected_;
      if (i > first) {
        next().submit(now, ops.subspan(first, i - first));
      }
      first = i + 1;
    }
  }
  if (first < ops.size()) {
    next().submit(now, ops.subspan(first));
  }
}

std::size_t ErrorStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  const std::size_t count = failed_.take(out);
  return count + next().poll_completions(now, out.subspan(count));
}

}  // namespace aoe::storage
