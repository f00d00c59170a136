// A fixed number of frame buffers, allocated once.
#pragma once

#include "base/fixed_stack.h"
#include "base/packet_buffer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace aoe {

// Buffers whose byte 36 (where the data of an ATA frame starts) lies on a 4096-byte boundary, so
// that direct I/O may read from and into a frame without a copy. Memory is untouched until first
// used, and the most recently freed buffer is handed out first: idle buffers cost address space
// only.
//
// Single thread. Must outlive every buffer it handed out (checked in the destructor).
class BufferPool final : public BufferOwner {
 public:
  struct Shape {
    std::uint32_t count = 0;      // how many buffers
    std::size_t frame_bytes = 0;  // the longest frame, Ethernet header included, FCS not
  };

  explicit BufferPool(Shape shape);
  ~BufferPool() override;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // An empty frame (size 0, capacity frame_bytes), or an empty handle when all buffers are out.
  [[nodiscard]] PacketBuffer allocate();

  [[nodiscard]] std::uint32_t count() const { return shape_.count; }

  [[nodiscard]] std::size_t frame_bytes() const { return shape_.frame_bytes; }

  [[nodiscard]] std::size_t available() const { return free_.size(); }

  // All of it, beginning with the buffers that are handed out first.
  [[nodiscard]] std::span<std::byte> memory() const {
    return {memory_.get(), stride_bytes_ * shape_.count};
  }

  void release_buffer(std::uint32_t index) noexcept override;

 private:
  struct AlignedDelete {
    void operator()(std::byte* memory) const {
      ::operator delete (memory, std::align_val_t{kAlignmentBytes});
    }
  };

  static constexpr std::size_t kAlignmentBytes = 4096;

  Shape shape_;
  std::size_t stride_bytes_;
  std::unique_ptr<std::byte, AlignedDelete> memory_;
  FixedStack<std::uint32_t> free_;
};

}  // namespace aoe
