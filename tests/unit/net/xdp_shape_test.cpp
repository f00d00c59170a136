#include "net/xdp_socket.h"

#include <gtest/gtest.h>

namespace aoe::net {
namespace {

TEST(XdpShape, EveryFrameFitsAndAtaDataIsAligned) {
  for (std::size_t frame_bytes = 60; frame_bytes <= kXdpFrameBytesMax; ++frame_bytes) {
    const XdpShape shape = make_xdp_shape(frame_bytes);
    EXPECT_GE(shape.frame_bytes_max(), frame_bytes);
    EXPECT_EQ((shape.frame_at + 36) % 512, 0U);
    EXPECT_EQ(shape.headroom_bytes + 256, shape.frame_at);
    EXPECT_LE(shape.chunk_bytes, 4096U);
  }
}

TEST(XdpShape, ChunksAreTheSmallestThatFit) {
  EXPECT_EQ(make_xdp_shape(1514).chunk_bytes, 2048U);
  EXPECT_EQ(make_xdp_shape(1572).chunk_bytes, 2048U);
  EXPECT_EQ(make_xdp_shape(1573).chunk_bytes, 4096U);
  EXPECT_EQ(make_xdp_shape(kXdpFrameBytesMax).frame_bytes_max(), kXdpFrameBytesMax);
}

}  // namespace
}  // namespace aoe::net
