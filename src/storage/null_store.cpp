#include "storage/null_store.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/parse.h"

namespace aoe::storage {

NullStore::NullStore(std::uint64_t size_bytes, std::uint32_t in_flight_max) : done_(in_flight_max) {
  AOE_CHECK(size_bytes > 0 && size_bytes <= kSizeMaxBytes && size_bytes % kSectorBytes == 0,
            "the caller checked the size");
  info_.size_bytes = size_bytes;
  info_.can_discard = true;
  info_.discard_reads_zero = true;
  info_.can_write_zeroes = true;
  info_.answers_at_once = true;
  info_.in_flight_max = in_flight_max;
}

std::string NullStore::describe() const {
  return "null:" + format_size(info_.size_bytes);
}

void NullStore::submit(Instant /*now*/, std::span<const StoreOp> ops) {
  for (const StoreOp& op : ops) {
    if (op.kind == StoreOpKind::read) {
      fill_zero(op.data);
    }
    stats_.count(op.kind, op.length_bytes);
    done_.push({.tag = op.tag});
  }
}

std::size_t NullStore::poll_completions(Instant /*now*/, std::span<StoreCompletion> out) {
  return done_.take(out);
}

}  // namespace aoe::storage
