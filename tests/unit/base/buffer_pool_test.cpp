#include "base/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace aoe {
namespace {

TEST(BufferPool, HandsOutEveryBufferOnceAndThenNone) {
  BufferPool pool({.count = 2, .frame_bytes = 1514});
  PacketBuffer a = pool.allocate();
  PacketBuffer b = pool.allocate();
  EXPECT_TRUE(a);
  EXPECT_TRUE(b);
  EXPECT_NE(a.capacity(), 0U);
  EXPECT_FALSE(pool.allocate());
}

TEST(BufferPool, AtaDataOfABufferIsPageAligned) {
  BufferPool pool({.count = 3, .frame_bytes = 9014});
  for (int i = 0; i < 3; ++i) {
    PacketBuffer buffer = pool.allocate();
    buffer.resize(100);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.bytes().data() + 36) % 4096, 0U);
  }
}

TEST(BufferPool, DestroyingAHandleGivesTheBufferBack) {
  BufferPool pool({.count = 1, .frame_bytes = 64});
  {
    const PacketBuffer buffer = pool.allocate();
    EXPECT_EQ(pool.available(), 0U);
  }
  EXPECT_EQ(pool.available(), 1U);
}

TEST(PacketBuffer, MovingLeavesAnEmptyHandleAndReleasesOnce) {
  BufferPool pool({.count = 1, .frame_bytes = 64});
  PacketBuffer a = pool.allocate();
  a.resize(10);
  PacketBuffer b = std::move(a);
  EXPECT_EQ(b.size(), 10U);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): the moved-from state is the subject
  b = PacketBuffer();
  EXPECT_EQ(pool.available(), 1U);
}

}  // namespace
}  // namespace aoe
