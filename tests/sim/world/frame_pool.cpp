#include "sim/world/frame_pool.h"

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define AOE_SIM_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AOE_SIM_POISON 1
#endif
#endif

#ifdef AOE_SIM_POISON
#include <sanitizer/asan_interface.h>
#endif

namespace aoe::sim {
namespace {

constexpr std::size_t kCacheLine = 64;

void hide([[maybe_unused]] const std::byte* memory, [[maybe_unused]] std::size_t size_bytes) {
#ifdef AOE_SIM_POISON
  __asan_poison_memory_region(memory, size_bytes);
#endif
}

void show([[maybe_unused]] const std::byte* memory, [[maybe_unused]] std::size_t size_bytes) {
#ifdef AOE_SIM_POISON
  __asan_unpoison_memory_region(memory, size_bytes);
#endif
}

}  // namespace

FramePool::FramePool(Shape shape)
    : shape_(shape),
      // An odd number of cache lines: equal offsets of different frames spread over the sets.
      stride_((shape.frame_bytes / kCacheLine + 1) / 2 * 2 * kCacheLine + kCacheLine),
      memory_(std::make_unique_for_overwrite<std::byte[]>(stride_ * shape.count)) {
  free_.reserve(shape.count);
  for (std::uint32_t i = shape.count; i > 0; --i) {
    free_.push_back(i - 1);
  }
  hide(memory_.get(), stride_ * shape.count);
}

FramePool::~FramePool() {
  AOE_CHECK(free_.size() == shape_.count, "every frame returns before its pool goes");
  show(memory_.get(), stride_ * shape_.count);
}

PacketBuffer FramePool::allocate(std::size_t size_bytes) {
  if (free_.empty() || size_bytes > shape_.frame_bytes) {
    return {};
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  show(start(index), size_bytes);
  return {*this, index, std::span(start(index), size_bytes), size_bytes};
}

void FramePool::release_buffer(std::uint32_t index) noexcept {
  AOE_CHECK(index < shape_.count && free_.size() < shape_.count,
            "a frame returns once, to its pool");
  hide(start(index), stride_);
  free_.push_back(index);
}

}  // namespace aoe::sim
