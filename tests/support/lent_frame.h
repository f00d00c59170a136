// Frames for a core that must not allocate.
#pragma once

#include "base/packet_buffer.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::test {

// Lends one buffer at a time; what it lends has its memory already.
class LentFrame final : public BufferOwner {
 public:
  [[nodiscard]] PacketBuffer make(const std::vector<std::byte>& frame) {
    memory_ = frame;
    return {*this, 0, memory_, memory_.size()};
  }

  void release_buffer(std::uint32_t /*index*/) noexcept override {}

 private:
  std::vector<std::byte> memory_;
};

}  // namespace aoe::test
