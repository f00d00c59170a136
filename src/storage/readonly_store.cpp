#include "storage/readonly_store.h"

#include "storage/op_kinds.h"

namespace aoe::storage {

ReadonlyStore::ReadonlyStore(std::unique_ptr<BlockStore> next)
    : FilterStore(std::move(next)), refused_(info_.in_flight_max) {
  info_.is_read_only = true;
  info_.can_discard = false;
  info_.discard_reads_zero = false;
  info_.can_write_zeroes = false;
}

std::string ReadonlyStore::describe() const {
  return next().describe() + " (read-only)";
}

void ReadonlyStore::submit(Instant now, std::span<const StoreOp> ops) {
  std::size_t first = 0;  // of the operations that pass and were not forwarded yet
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (changes_data(ops[i].kind)) {
      refused_.push({.tag = ops[i].tag,
                     .status = StoreErrc::read_only,
                     .error_offset_bytes = ops[i].offset_bytes});
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

std::size_t ReadonlyStore::poll_completions(Instant now, std::span<StoreCompletion> out) {
  const std::size_t count = refused_.take(out);
  return count + next().poll_completions(now, out.subspan(count));
}

}  // namespace aoe::storage
