#include "storage/memory_store.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/parse.h"

#include <fmt/format.h>

namespace aoe::storage {

namespace {

void prefetch_bytes(std::span<const std::byte> memory, std::uint64_t at) {
  constexpr std::uint64_t kLineBytes = 64;
  constexpr std::uint64_t kLines = 8;
  for (std::uint64_t line = 0; line < kLines && at + line * kLineBytes < memory.size(); ++line) {
    __builtin_prefetch(memory.data() + at + line * kLineBytes);
  }
}

}  // namespace

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
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const StoreOp& op = ops[i];
    if (i + 1 < ops.size()) {
      // Where the next one works is on its way from memory while this one is copied.
      prefetch_bytes(memory_.bytes(), ops[i + 1].offset_bytes);
    }
    AOE_CHECK(op.offset_bytes <= info_.size_bytes &&
                  op.length_bytes <= info_.size_bytes - op.offset_bytes,
              "the submitter checked the range");
    run(op);
    stats_.count(op.kind, op.length_bytes);
    done_.push({.tag = op.tag});
  }
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
      zero(range);
      return;
  }
}

// Whole pages go back to the kernel, the edges are overwritten.
void MemoryStore::zero(std::span<std::byte> range) const {
  const std::size_t page = os::page_bytes();
  const auto offset = static_cast<std::size_t>(range.data() - memory_.bytes().data());
  const std::size_t first_page = (offset + page - 1) / page * page;
  const std::size_t end_page = (offset + range.size()) / page * page;
  if (first_page >= end_page) {
    fill_zero(range);
    return;
  }
  fill_zero(range.first(first_page - offset));
  memory_.forget(memory_.bytes().subspan(first_page, end_page - first_page));
  fill_zero(range.subspan(end_page - offset));
}

}  // namespace aoe::storage
