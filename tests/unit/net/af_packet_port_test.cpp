#include "net/af_packet_port.h"

#include "unit/net/veth_test.h"

#include <sys/wait.h>
#include <unistd.h>

namespace aoe::net {
namespace {

class AfPacketPortTest : public VethTest {
 protected:
  static std::unique_ptr<AfPacketPort> open_port(const AfPacketOptions& options) {
    auto port = AfPacketPort::open(options);
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }
};

TEST_F(AfPacketPortTest, FilterKeepsResponsesFromATarget) {
  auto a = open_port({.interface = "va"});
  auto target = open_port({.interface = "vb", .filter = FrameFilter::requests});
  auto initiator = open_port({.interface = "vb", .filter = FrameFilter::responses});
  send(*a, {.number = 1, .flags = 0x18});
  send(*a, {.number = 2, .flags = 0x10});
  EXPECT_THAT(numbers(receive(*target, 1)), ::testing::ElementsAre(2U));
  EXPECT_TRUE(nothing_to_receive(*target));
  EXPECT_THAT(numbers(receive(*initiator, 1)), ::testing::ElementsAre(1U));
  EXPECT_TRUE(nothing_to_receive(*initiator));
}

TEST_F(AfPacketPortTest, FilterOfAWatcherLeavesGoodAnswersOut) {
  struct Case {
    std::uint8_t flags;
    std::uint8_t command;
    std::uint8_t status;
  };

  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .filter = FrameFilter::remarkable_responses});
  const std::vector<Case> cases{
      {0x10, 0, 0x01},  // 0: a request
      {0x18, 0, 0x40},  // 1: a good answer
      {0x18, 0, 0x41},  // 2: one with an ATA error
      {0x1c, 0, 0x40},  // 3: with an AoE error
      {0x28, 0, 0x40},  // 4: of another version
      {0x18, 1, 0x40},  // 5: of another command
  };
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    PacketBuffer frame = make_frame({.number = i, .flags = cases[i].flags});
    store_u8(frame.bytes(), 19, cases[i].command);
    store_u8(frame.bytes(), 27, cases[i].status);
    a->transmit({&frame, 1});
  }
  constexpr std::size_t kLastBytes = 30;
  send(*a, {.number = 0, .size_bytes = kLastBytes});
  std::vector<std::uint32_t> whole;
  for (auto next = receive(*b, 1); !next.empty(); next = receive(*b, 1)) {
    if (next.front().bytes().size() == kLastBytes) {
      break;
    }
    whole.push_back(numbers(next).front());
  }
  EXPECT_THAT(whole, ::testing::ElementsAre(2U, 3U, 4U, 5U));
  EXPECT_TRUE(nothing_to_receive(*b));
}

TEST_F(AfPacketPortTest, MtuThatShrankUnnoticedCountsAsOversize) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link set va mtu 1000"), 0);
  send(*a, {.size_bytes = 1514});
  EXPECT_EQ(a->stats().tx_oversize, 1U);
  EXPECT_EQ(a->stats().tx_frames, 0U);
}

TEST_F(AfPacketPortTest, SaysHowLongFramesWaitedUntilOneHasNot) {
  constexpr int kWaitMs = 50;
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 1, 1);
  ::poll(nullptr, 0, kWaitMs);
  EXPECT_EQ(receive(*b, 1).at(0).waited_ms(), 0U) << "nobody wanted to know";

  send_numbers(*a, 2, 3);
  ::poll(nullptr, 0, kWaitMs);
  b->time_waiting_frames();
  for (const PacketBuffer& frame : receive(*b, 2)) {
    EXPECT_GE(frame.waited_ms(), 40U);
    EXPECT_LT(frame.waited_ms(), 60'000U);
  }
  EXPECT_GE(receive(*b, 1).at(0).waited_ms(), 40U) << "the rest of what waited";
  EXPECT_TRUE(nothing_to_receive(*b));

  send_numbers(*a, 5, 1);
  ::poll(nullptr, 0, kWaitMs);
  EXPECT_EQ(receive(*b, 1).at(0).waited_ms(), 0U) << "the ring was empty since";
}

TEST_F(AfPacketPortTest, LongestMtuWorks) {
  ASSERT_EQ(run_command("ip link set va mtu 65535 && ip link set vb mtu 65535"), 0);
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  EXPECT_EQ(b->info().mtu_bytes, 65535U);
  send(*a, {.number = 1, .size_bytes = 65549});
  auto frames = receive(*b, 1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].size(), 65549U);
}

TEST_F(AfPacketPortTest, LongerMtuWaitsForBuffersThatAreOut) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 3, 1);
  auto held = receive(*b, 1);
  ASSERT_EQ(run_command("ip link set va mtu 9000 && ip link set vb mtu 9000"), 0);
  a->refresh();
  b->refresh();
  EXPECT_TRUE(b->ring_is_short());
  EXPECT_LT(b->info().mtu_bytes, 9000U);
  EXPECT_GE(b->info().mtu_bytes, 1500U);
  EXPECT_EQ(load_be32(held[0].bytes(), 36), 3U);

  send(*a, {.number = 4, .size_bytes = 9014});
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_EQ(b->stats().rx_truncated, 1U);

  held.clear();
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_FALSE(b->ring_is_short());
  EXPECT_TRUE(b->refresh());
  EXPECT_EQ(b->info().mtu_bytes, 9000U);
  send(*a, {.number = 5, .size_bytes = 9014});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(5U));
}

TEST_F(AfPacketPortTest, RingThatAnotherProcessHasTooIsKeptUntilItIsAlone) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::close(ends[1]);
    ::_exit(::read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  ASSERT_EQ(run_command("ip link set va mtu 9000 && ip link set vb mtu 9000"), 0);
  a->refresh();
  b->refresh();
  EXPECT_TRUE(b->ring_is_short());
  EXPECT_TRUE(b->info().link_up);
  send_numbers(*a, 1, 3);
  EXPECT_THAT(numbers(receive(*b, 3)), ::testing::ElementsAre(1U, 2U, 3U));
  ::close(ends[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ends[0]);
  EXPECT_EQ(status, 0);
  b->refresh();
  EXPECT_EQ(b->info().mtu_bytes, 9000U);
  send_numbers(*a, 4, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(4U));
}

TEST_F(AfPacketPortTest, WorksAroundTheQueueingDisciplineToo) {
  auto a = open_port({.interface = "va", .qdisc_bypass = QdiscBypass::yes});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 0, 100);
  EXPECT_EQ(receive(*b, 100).size(), 100U);
}

TEST_F(AfPacketPortTest, HeldSlotsAreCountedUntilTheyComeBack) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.number = 1, .to = MacAddress{{2, 0, 0, 0, 0, 0x77}}});
  send_numbers(*a, 2, 3);
  auto frames = receive(*b, 3);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(b->held_slots(), 3U);
  frames.clear();
  EXPECT_EQ(b->held_slots(), 0U);
}

TEST_F(AfPacketPortTest, AnyNumberOfPortsShareAnInterface) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .ring_bytes = std::size_t{8} * 2048});
  EXPECT_EQ(b->ring_shape().slot_count, 8U);
  auto other = open_port({.interface = "vb"});
  send_numbers(*a, 1, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(1U));
  EXPECT_THAT(numbers(receive(*other, 1)), ::testing::ElementsAre(1U));
}

}  // namespace
}  // namespace aoe::net
