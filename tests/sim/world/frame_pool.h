// The memory of the frames that are under way.
#pragma once

#include "base/packet_buffer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::sim {

// A fixed number of buffers, packed more closely than those of base/buffer_pool.h: nobody does
// direct I/O here, and starts that differ in their low address bits share the cache better. Under
// AddressSanitizer the bytes behind each frame are poisoned while it is out.
class FramePool final : public BufferOwner {
 public:
  struct Shape {
    std::uint32_t count = 0;
    std::size_t frame_bytes = 0;  // the longest frame
  };

  explicit FramePool(Shape shape);
  ~FramePool() override;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  // A frame of `size_bytes` whose bytes are whatever they were, or an empty handle when all buffers
  // are out or the frame is too long. Its capacity is its size.
  [[nodiscard]] PacketBuffer allocate(std::size_t size_bytes);

  [[nodiscard]] std::uint32_t outstanding() const {
    return shape_.count - static_cast<std::uint32_t>(free_.size());
  }

  [[nodiscard]] std::size_t frame_bytes() const { return shape_.frame_bytes; }

  void release_buffer(std::uint32_t index) noexcept override;

 private:
  [[nodiscard]] std::byte* start(std::uint32_t index) { return memory_.get() + index * stride_; }

  Shape shape_;
  std::size_t stride_;
  std::unique_ptr<std::byte[]> memory_;
  std::vector<std::uint32_t> free_;
};

}  // namespace aoe::sim
