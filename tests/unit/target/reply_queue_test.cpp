#include "target/reply_queue.h"

#include "support/frame_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::target {
namespace {

using test::kTargetMac;

constexpr PortId kPort{0};

class Replies : public testing::Test {
 protected:
  Replies() : pool({.count = 4, .frame_bytes = 2000}), queue(limits(), pool, stats) {
    queue.set_port(kPort, {.mac = kTargetMac, .mtu_bytes = 1500, .link_up = true});
  }

  static TargetLimits limits() {
    TargetLimits limits;
    limits.light_replies_per_second = 10;
    limits.light_replies_burst = 5;
    return limits;
  }

  static Instant at(std::int64_t milliseconds) {
    return Instant{1'000'000'000} + Duration::milliseconds(milliseconds);
  }

  int spend_all(Instant now) {
    int count = 0;
    while (count < 100 && queue.spend_token(now)) {
      ++count;
    }
    return count;
  }

 public:
  TargetStats stats;
  BufferPool pool;
  ReplyQueue queue;
};

TEST_F(Replies, FramesStartAsZerosHoweverTheBufferWasUsed) {
  for (int round = 0; round < 2; ++round) {
    PacketBuffer frame = queue.allocate(kPort, 300);
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame.size(), 300U);
    EXPECT_TRUE(std::all_of(frame.bytes().begin(), frame.bytes().end(),
                            [](std::byte b) { return b == std::byte{}; }));
    std::fill(frame.bytes().begin(), frame.bytes().end(), std::byte{0xEE});
  }
}

TEST_F(Replies, AnswersThatAreGivenUpAreNotSentAndAnnouncementsAre) {
  for (const protocol::Command command :
       {protocol::Command::ata, protocol::Command::config, protocol::Command::ata}) {
    PacketBuffer frame = queue.allocate(kPort, 60);
    ASSERT_TRUE(frame);
    protocol::FrameHeader header;
    header.is_response = true;
    header.command = static_cast<std::uint8_t>(command);
    protocol::build_header(frame.bytes(), header);
    queue.send(kPort, std::move(frame), 60);
  }
  EXPECT_EQ(queue.drop_ata_answers(), 2U);
  EXPECT_EQ(pool.available(), pool.count() - 1);
  std::array<TxFrame, 4> out;
  ASSERT_EQ(queue.poll(out), 1U);
  const auto kept = protocol::parse_header(std::as_const(out[0].frame).bytes());
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->command, static_cast<std::uint8_t>(protocol::Command::config));
  EXPECT_EQ(queue.drop_ata_answers(), 0U);
}

TEST_F(Replies, ShortFramesArePaddedToTheMinimum) {
  PacketBuffer frame = queue.allocate(kPort, 24);
  ASSERT_EQ(frame.size(), 60U);
  queue.send(kPort, std::move(frame), 24);
  std::array<TxFrame, 2> out;
  ASSERT_EQ(queue.poll(out), 1U);
  EXPECT_EQ(out[0].frame.size(), 60U);
  EXPECT_EQ(stats.replies, 1U);
}

TEST_F(Replies, PortsBoundTheirFrames) {
  EXPECT_TRUE(queue.allocate(kPort, 1514));
  EXPECT_FALSE(queue.allocate(kPort, 1515));
  EXPECT_FALSE(queue.allocate(PortId{1}, 60)) << "a port that nobody announced";
  queue.set_port(kPort, {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = true});
  EXPECT_FALSE(queue.allocate(kPort, 2001)) << "longer than a buffer";
  queue.set_port(kPort, {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = false});
  EXPECT_FALSE(queue.allocate(kPort, 60));
  EXPECT_EQ(stats.drops.link_down, 4U);
}

TEST_F(Replies, FrameThatNoLongerFitsIsDroppedAndItsBufferReturns) {
  PacketBuffer frame = queue.allocate(kPort, 1514);
  queue.set_port(kPort, {.mac = kTargetMac, .mtu_bytes = 576, .link_up = true});
  queue.send(kPort, std::move(frame), 1514);
  EXPECT_FALSE(queue.has_frames());
  EXPECT_EQ(pool.available(), 4U);
  EXPECT_EQ(stats.replies, 0U);
}

TEST_F(Replies, EmptyPoolIsCountedAndSeen) {
  std::array<PacketBuffer, 4> held;
  for (PacketBuffer& buffer : held) {
    EXPECT_TRUE(queue.has_buffers());
    buffer = queue.allocate(kPort, 60);
  }
  EXPECT_FALSE(queue.has_buffers());
  EXPECT_FALSE(queue.allocate(kPort, 60));
  EXPECT_EQ(stats.drops.queue_full, 1U);
}

TEST_F(Replies, FramesLeaveInTheirOrder) {
  for (std::size_t size = 100; size < 104; ++size) {
    queue.send(kPort, queue.allocate(kPort, size), size);
  }
  std::array<TxFrame, 3> out;
  EXPECT_EQ(queue.poll(out), 3U);
  EXPECT_EQ(out[0].frame.size(), 100U);
  EXPECT_EQ(out[2].frame.size(), 102U);
  EXPECT_EQ(queue.poll(out), 1U);
  EXPECT_EQ(out[0].frame.size(), 103U);
  EXPECT_EQ(queue.poll(out), 0U);
}

TEST_F(Replies, LightAnswersAreLimitedToABurstAndARate) {
  EXPECT_EQ(spend_all(at(0)), 5);
  EXPECT_EQ(spend_all(at(99)), 0);
  EXPECT_EQ(spend_all(at(100)), 1);
  EXPECT_EQ(spend_all(at(350)), 2);
  EXPECT_EQ(spend_all(at(400)), 1) << "the half token of before counts";
  EXPECT_EQ(spend_all(at(1'000'000'000)), 5) << "a long pause is worth one burst";
  EXPECT_EQ(stats.drops.rate_limited, 6U);
}

TEST_F(Replies, ErrorRepliesSpendTokens) {
  protocol::FrameHeader request;
  request.source = test::kInitiatorA;
  for (int i = 0; i < 8; ++i) {
    queue.send_error(at(0), kPort, request, test::kE71, protocol::AoeError::bad_argument);
    std::array<TxFrame, 1> out;
    EXPECT_EQ(queue.poll(out), i < 5 ? 1U : 0U);
  }
  EXPECT_EQ(stats.aoe_errors, 5U);
}

TEST_F(Replies, OwnAddressesAreThoseOfEveryPort) {
  EXPECT_TRUE(queue.is_own_mac(kTargetMac));
  EXPECT_FALSE(queue.is_own_mac(test::kInitiatorA));
  EXPECT_FALSE(queue.is_own_mac(MacAddress{})) << "ports that nobody announced have no address";
}

}  // namespace
}  // namespace aoe::target
