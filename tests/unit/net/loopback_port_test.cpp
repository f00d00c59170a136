#include "net/loopback_port.h"

#include <gtest/gtest.h>

#include <poll.h>

#include <vector>

namespace aoe::net {
namespace {

class LoopbackPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pair = LoopbackPort::create_pair({.name = "a"}, {.name = "b", .queue_frames = 4});
    ASSERT_TRUE(pair);
    a_ = std::move(pair->first);
    b_ = std::move(pair->second);
  }

  void send(PacketPort& port, std::uint8_t value, std::size_t size_bytes = 60) {
    PacketBuffer frame = pool_.allocate();
    frame.resize(size_bytes);
    fill_zero(frame.bytes());
    store_u8(frame.bytes(), 0, value);
    port.transmit({&frame, 1});
  }

  static bool readable(const PacketPort& port) {
    pollfd ready{port.wait_fd(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }

  BufferPool pool_{{.count = 8, .frame_bytes = 9014}};
  std::unique_ptr<LoopbackPort> a_;
  std::unique_ptr<LoopbackPort> b_;
};

TEST_F(LoopbackPortTest, FramesArriveInOrderAndSenderBuffersComeBack) {
  send(*a_, 1);
  send(*a_, 2);
  EXPECT_EQ(pool_.available(), 8U);
  EXPECT_TRUE(readable(*b_));
  EXPECT_FALSE(readable(*a_));
  std::vector<PacketBuffer> frames(4);
  ASSERT_EQ(b_->receive(frames), 2U);
  EXPECT_EQ(load_u8(frames[0].bytes(), 0), 1);
  EXPECT_EQ(load_u8(frames[1].bytes(), 0), 2);
  EXPECT_EQ(frames[0].size(), 60U);
  EXPECT_FALSE(readable(*b_));
}

TEST_F(LoopbackPortTest, FullEndDropsAndCounts) {
  for (std::uint8_t i = 0; i < 6; ++i) {
    send(*a_, i);
  }
  EXPECT_EQ(b_->stats().rx_dropped, 2U);
  std::vector<PacketBuffer> frames(8);
  EXPECT_EQ(b_->receive(frames), 4U);
  send(*a_, 9);
  EXPECT_EQ(b_->stats().rx_dropped, 3U) << "received buffers count until they are released";
  frames.clear();
  send(*a_, 9);
  EXPECT_EQ(b_->stats().rx_dropped, 3U);
}

TEST_F(LoopbackPortTest, OversizeIsCounted) {
  send(*a_, 1, 1515);
  send(*a_, 1, 1514);
  EXPECT_EQ(a_->stats().tx_oversize, 1U);
  EXPECT_EQ(a_->stats().tx_frames, 1U);
}

TEST_F(LoopbackPortTest, LinkDownDropsBothWaysAndShowsAfterRefresh) {
  PortInfo down = a_->info();
  down.link_up = false;
  a_->set_interface(down);
  send(*a_, 1);
  send(*b_, 1);
  EXPECT_EQ(a_->stats().tx_dropped, 1U);
  EXPECT_EQ(b_->stats().tx_dropped, 1U);
  EXPECT_TRUE(a_->info().link_up);
  EXPECT_TRUE(a_->refresh());
  EXPECT_FALSE(a_->refresh());
  EXPECT_FALSE(a_->info().link_up);
  EXPECT_EQ(a_->stats().link_changes, 1U);
}

TEST_F(LoopbackPortTest, EitherEndMayGoFirst) {
  a_.reset();
  send(*b_, 1);
  EXPECT_EQ(b_->stats().tx_dropped, 1U);
}

}  // namespace
}  // namespace aoe::net
