#include "frontends/fuse/slot_pool.h"

#include <algorithm>
#include <utility>

namespace aoe::fuse {
namespace {

constexpr std::size_t kPageBytes = 4096;

}  // namespace

Result<SlotPool> SlotPool::create(std::uint32_t slots, std::size_t request_bytes_max) {
  // One page behind the request: a write may end inside a sector, and whole sectors are written.
  const std::size_t slot_bytes =
      (kHeadRoomBytes + request_bytes_max + kPageBytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  AOE_TRY_ASSIGN(auto memory,
                 os::MappedMemory::allocate(slot_bytes * slots, "buffers of the mount"));
  // Every page now: none may be missing when memory is short.
  std::fill(memory.bytes().begin(), memory.bytes().end(), std::byte{0});
  return SlotPool(std::move(memory), slots, slot_bytes, request_bytes_max);
}

SlotPool::SlotPool(os::MappedMemory memory, std::uint32_t slots, std::size_t slot_bytes,
                   std::size_t request_bytes_max)
    : memory_(std::move(memory)),
      slot_bytes_(slot_bytes),
      request_bytes_max_(request_bytes_max),
      slots_(slots) {
  free_.reserve(slots);
  for (std::uint32_t i = slots; i > 0; --i) {
    free_.push_back(i - 1);
  }
}

std::optional<std::uint32_t> SlotPool::take() {
  if (free_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void SlotPool::give_back(std::uint32_t slot) {
  PooledRequest& freed = slots_[slot];
  freed.step = Step::none;
  freed.is_durable = false;
  freed.holds_sectors = false;
  freed.next = kNoSlot;
  free_.push_back(slot);
}

}  // namespace aoe::fuse
