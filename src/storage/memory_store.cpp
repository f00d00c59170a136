#include "storage/memory_store.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/parse.h"
#include "base/prefetch.h"

#include <fmt/format.h>

namespace aoe::storage {

Result<std::unique_ptr<MemoryStore>> MemoryStore::open(std::uint64_t size_bytes,
                                                       std::uint32_t in_flight_max) {
  AOE_CHECK(size_bytes > 0 && size_bytes % kSectorBytes == 0, "the caller checked the size");
  AOE_TRY_ASSIGN(os::MappedMemory memory,
                 os::MappedMemory::allocate(size_bytes, "memory:" + format_size(size_bytes)));
  // Random requests would miss the translations of small pages nearly every time.
  memory.prefer_large_pages();
  return std::unique_ptr<MemoryStore>(new MemoryStore(std::move(memory), in_flight_max));
}

MemoryStore::MemoryStore(os::MappedMemory memory, std::uint32_t in_flight_max)
    : memory_(std::move(memory)), done_(in_flight_max) {
  info_.size_bytes = memory_.bytes().size();
  info_.can_discard = true;
  info_.discard_reads_zero = true;
  info_.can_write_zeroes = true;
  info_.answers_at_once = true;
  info_.in_flight_max = in_flight_max;
}

std::string MemoryStore::describe() const {
  return "memory:" + format_size(info_.size_bytes);
}

void MemoryStore::submit(Instant /*now*/, std::span<const StoreOp> ops) {
  for (const StoreOp& op : ops) {
    AOE_CHECK(op.offset_bytes <= info_.size_bytes &&
                  op.length_bytes <= info_.size_bytes - op.offset_bytes,
              "the submitter checked the range");
    run(op);
    stats_.count(op.kind, op.length_bytes);
    done_.push({.tag = op.tag});
  }
}

void MemoryStore::prefetch_data(const StoreOp& op) const {
  prefetch_bytes(memory_.bytes(), op.offset_bytes, op.length_bytes);
}

std::size_t MemoryStore::poll_completions(Instant /*now*/, std::span<StoreCompletion> out) {
  return done_.take(out);
}

void MemoryStore::run(const StoreOp& op) const {
  const std::span<std::byte> range = memory_.bytes().subspan(op.offset_bytes, op.length_bytes);
  switch (op.kind) {
    case StoreOpKind::read:
      copy_bytes(op.data, range);
      return;
    case StoreOpKind::write:
      copy_bytes(range, op.data);
      return;
    case StoreOpKind::flush:
      return;
    case StoreOpKind::discard:
    case StoreOpKind::write_zeroes:
      memory_.zero(range);
      return;
  }
}

}  // namespace aoe::storage
