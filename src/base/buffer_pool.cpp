#include "base/buffer_pool.h"

#include "base/check.h"

namespace aoe {
namespace {

// Ethernet header + AoE header + ATA argument: where ATA data starts in a frame (AoEr11 2.1, 3.1).
constexpr std::size_t kAtaDataOffset = 36;

}  // namespace

BufferPool::BufferPool(Shape shape)
    : shape_(shape),
      // A whole alignment unit in front holds the header that ends on the boundary.
      stride_bytes_(kAlignmentBytes +
                    (shape.frame_bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes),
      memory_(static_cast<std::byte*>(
          ::operator new (stride_bytes_* shape.count, std::align_val_t{kAlignmentBytes}))),
      free_(shape.count) {
  for (std::uint32_t i = shape.count; i > 0; --i) {
    free_.push(i - 1);
  }
}

BufferPool::~BufferPool() {
  AOE_CHECK(free_.size() == shape_.count, "every buffer returns before its pool goes");
}

PacketBuffer BufferPool::allocate() {
  if (free_.empty()) {
    return {};
  }
  const std::uint32_t index = free_.pop();
  std::byte* start = memory_.get() + index * stride_bytes_ + kAlignmentBytes - kAtaDataOffset;
  return {*this, index, std::span(start, shape_.frame_bytes), 0};
}

void BufferPool::release_buffer(std::uint32_t index) noexcept {
  AOE_CHECK(index < shape_.count && free_.size() < shape_.count,
            "a buffer returns once, to its pool");
  free_.push(index);
}

}  // namespace aoe
