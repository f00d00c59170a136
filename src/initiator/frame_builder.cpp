#include "initiator/frame_builder.h"

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/aoe_frame.h"

#include <algorithm>

namespace aoe::initiator {

PacketBuffer start_frame(BufferPool& pool, std::size_t bytes, const FrameAddressing& addressing) {
  PacketBuffer frame = pool.allocate();
  AOE_CHECK(static_cast<bool>(frame), "callers look whether a buffer is free");
  frame.resize(std::max(bytes, protocol::kFrameBytesMin));
  fill_zero(frame.bytes().subspan(bytes));
  protocol::build_header(frame.bytes(), {.destination = addressing.destination,
                                         .source = addressing.source,
                                         .address = addressing.address,
                                         .command = addressing.command,
                                         .tag = addressing.tag});
  return frame;
}

}  // namespace aoe::initiator
