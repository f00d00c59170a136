// The part of building a frame that all questions share.
#pragma once

#include "base/buffer_pool.h"
#include "base/ids.h"
#include "base/mac_address.h"

#include <cstddef>
#include <cstdint>

namespace aoe::initiator {

struct FrameAddressing {
  MacAddress destination{};
  MacAddress source{};
  DeviceAddress address{};
  std::uint8_t command = 0;
  Tag tag{};
};

// A frame of `bytes` with its header written, zeros behind `bytes` up to Ethernet's minimum. The
// caller fills bytes 24..bytes. The pool must have a buffer, of at least that size.
[[nodiscard]] PacketBuffer start_frame(BufferPool& pool, std::size_t bytes,
                                       const FrameAddressing& addressing);

}  // namespace aoe::initiator
