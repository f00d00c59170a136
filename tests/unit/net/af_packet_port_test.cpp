#include "net/af_packet_port.h"

#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "support/network_namespace.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace aoe::net {
namespace {

using aoe::testing::run_command;
using aoe::testing::wait_for_carrier;

constexpr MacAddress kMacA{{2, 0, 0, 0, 0, 0x0a}};
constexpr MacAddress kMacB{{2, 0, 0, 0, 0, 0x0b}};

// Two ports, `a` on va and `b` on vb, joined by a veth pair. Frames carry a number in bytes 36..39.
class AfPacketPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AOE_NEW_NETWORK_OR_SKIP();
    add_pair();
  }

  static void add_pair() {
    ASSERT_EQ(run_command("ip link add va address 02:00:00:00:00:0a type veth "
                          "peer name vb address 02:00:00:00:00:0b && "
                          "ip link set va up && ip link set vb up"),
              0);
    ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  }

  static std::unique_ptr<AfPacketPort> open_port(const AfPacketOptions& options) {
    auto port = AfPacketPort::open(options);
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }

  struct FrameSpec {
    std::uint32_t number = 0;
    std::size_t size_bytes = 60;
    MacAddress to = kMacB;
    std::uint8_t flags = 0x10;
    std::uint16_t ether_type = 0x88A2;
  };

  PacketBuffer make_frame(const FrameSpec& spec) {
    PacketBuffer frame = pool_.allocate();
    frame.resize(spec.size_bytes);
    fill_zero(frame.bytes());
    store_mac(frame.bytes(), 0, spec.to);
    store_mac(frame.bytes(), 6, kMacA);
    store_be16(frame.bytes(), 12, spec.ether_type);
    if (spec.size_bytes >= 40) {
      store_u8(frame.bytes(), 14, spec.flags);
      store_be32(frame.bytes(), 36, spec.number);
    }
    return frame;
  }

  void send(AfPacketPort& port, const FrameSpec& spec) {
    PacketBuffer frame = make_frame(spec);
    port.transmit({&frame, 1});
  }

  void send_numbers(AfPacketPort& port, std::uint32_t first, std::uint32_t count) {
    std::vector<PacketBuffer> frames;
    frames.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      frames.push_back(make_frame({.number = first + i}));
    }
    port.transmit(frames);
  }

  // Waits until `count` frames are there, or 2 s.
  static std::vector<PacketBuffer> receive(AfPacketPort& port, std::size_t count) {
    std::vector<PacketBuffer> frames(count);
    std::size_t got = 0;
    while (got < count) {
      pollfd wait{port.wait_fd(), POLLIN, 0};
      const std::size_t more = port.receive(std::span(frames).subspan(got));
      got += more;
      if (more == 0 && ::poll(&wait, 1, 2000) <= 0) {
        break;
      }
    }
    frames.resize(got);
    return frames;
  }

  static std::vector<std::uint32_t> numbers(const std::vector<PacketBuffer>& frames) {
    std::vector<std::uint32_t> result;
    result.reserve(frames.size());
    for (const PacketBuffer& frame : frames) {
      result.push_back(load_be32(frame.bytes(), 36));
    }
    return result;
  }

  static bool nothing_to_receive(AfPacketPort& port) {
    PacketBuffer frame;
    return port.receive({&frame, 1}) == 0;
  }

  BufferPool pool_{{.count = 256, .frame_bytes = 65549}};
};

TEST_F(AfPacketPortTest, FramesGoBothWaysUnchanged) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  EXPECT_EQ(a->name(), "va");
  EXPECT_EQ(a->info().mac, kMacA);
  EXPECT_EQ(a->info().mtu_bytes, 1500U);
  EXPECT_TRUE(a->info().link_up);

  send(*a, {.number = 7, .size_bytes = 1514});
  auto at_b = receive(*b, 1);
  ASSERT_EQ(at_b.size(), 1U);
  EXPECT_TRUE(equal_bytes(at_b[0].bytes(), make_frame({.number = 7, .size_bytes = 1514}).bytes()));

  send(*b, {.number = 8, .to = kMacA});
  EXPECT_THAT(numbers(receive(*a, 1)), ::testing::ElementsAre(8U));
  send(*b, {.number = 9, .to = MacAddress::broadcast()});
  EXPECT_THAT(numbers(receive(*a, 1)), ::testing::ElementsAre(9U));

  EXPECT_EQ(a->stats().tx_frames, 1U);
  EXPECT_EQ(a->stats().tx_bytes, 1514U);
  EXPECT_EQ(a->stats().rx_frames, 2U);
  EXPECT_EQ(a->stats().rx_bytes, 120U);
  EXPECT_EQ(pool_.available(), pool_.count()) << "transmit gives buffers back";
}

TEST_F(AfPacketPortTest, BatchLongerThanOneSystemCallKeepsItsOrder) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 0, 200);
  const auto got = numbers(receive(*b, 200));
  ASSERT_EQ(got.size(), 200U);
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(got[i], i);
  }
}

TEST_F(AfPacketPortTest, AtaDataOfAReceivedFrameIsAligned) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 0, 3);
  for (PacketBuffer& frame : receive(*b, 3)) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&frame.bytes()[36]) % 512, 0U);
  }
}

TEST_F(AfPacketPortTest, RuntFramesArriveWithTheirTrueLength) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.size_bytes = 15});
  auto frames = receive(*b, 1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].size(), 15U);
}

TEST_F(AfPacketPortTest, OtherEtherTypesAreNotSeen) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.number = 1, .ether_type = 0x0800});
  send(*a, {.number = 2});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(2U));
}

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

TEST_F(AfPacketPortTest, FramesForOtherStationsAreCountedAndDropped) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.number = 1, .to = MacAddress{{2, 0, 0, 0, 0, 0x77}}});
  send(*a, {.number = 2});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(2U));
  EXPECT_EQ(b->stats().rx_foreign, 1U);
  EXPECT_EQ(b->held_slots(), 0U);
}

TEST_F(AfPacketPortTest, FramesOfAVlanThatIsNotOursAreCountedAndDropped) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  PacketBuffer frame = make_frame({.number = 1, .ether_type = 0x8100});
  store_be16(frame.bytes(), 14, 5);       // VLAN 5
  store_be16(frame.bytes(), 16, 0x88A2);  // the EtherType behind the tag
  a->transmit({&frame, 1});
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_EQ(b->stats().rx_foreign, 1U);
}

TEST_F(AfPacketPortTest, FramesOfAVlanReachItsInterfaceOnly) {
  if (run_command("ip link add link va name va.5 type vlan id 5 && ip link set va.5 up && "
                  "ip link add link vb name vb.5 type vlan id 5 && ip link set vb.5 up") != 0) {
    GTEST_SKIP() << "this kernel has no VLAN interfaces (8021q)";
  }
  auto a = open_port({.interface = "va.5"});
  auto b = open_port({.interface = "vb"});
  auto b_tagged = open_port({.interface = "vb.5"});
  send(*a, {.number = 2});
  EXPECT_THAT(numbers(receive(*b_tagged, 1)), ::testing::ElementsAre(2U));
  EXPECT_TRUE(nothing_to_receive(*b));
}

TEST_F(AfPacketPortTest, SlotsMayComeBackInAnyOrder) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .ring_bytes = std::size_t{8} * 2048});
  ASSERT_EQ(b->ring_shape().slot_count, 8U);
  std::uint32_t next = 0;
  for (int round = 0; round < 5; ++round) {
    send_numbers(*a, next, 8);
    auto frames = receive(*b, 8);
    ASSERT_EQ(frames.size(), 8U);
    EXPECT_EQ(b->held_slots(), 8U);
    const auto got = numbers(frames);
    for (std::uint32_t i = 0; i < 8; ++i) {
      EXPECT_EQ(got[i], next + i);
    }
    for (const std::size_t index : {5U, 2U, 7U, 0U, 3U, 1U, 6U, 4U}) {
      frames[index].reset();
    }
    next += 8;
  }
  EXPECT_EQ(b->stats().rx_dropped, 0U);
}

TEST_F(AfPacketPortTest, OverflowIsCountedAndReceptionGoesOn) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .ring_bytes = std::size_t{8} * 2048});
  send_numbers(*a, 0, 20);
  EXPECT_EQ(numbers(receive(*b, 8)).size(), 8U);
  EXPECT_EQ(b->stats().rx_dropped, 12U);
  EXPECT_EQ(b->stats().rx_dropped, 12U) << "counters only grow";
  send_numbers(*a, 100, 2);
  EXPECT_THAT(numbers(receive(*b, 2)), ::testing::ElementsAre(100U, 101U));
}

TEST_F(AfPacketPortTest, HeldSlotIsNeverHandedOutTwiceNorOverwritten) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .ring_bytes = std::size_t{8} * 2048});
  send_numbers(*a, 0, 1);
  auto held = receive(*b, 1);
  send_numbers(*a, 1, 20);
  EXPECT_EQ(receive(*b, 7).size(), 7U);
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_EQ(load_be32(held[0].bytes(), 36), 0U);
  held.clear();
  send_numbers(*a, 50, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(50U));
}

TEST_F(AfPacketPortTest, EdgeTriggeredWaitIsQuietWhileABufferIsHeld) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  const os::Fd epoll(::epoll_create1(0));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, b->wait_fd(), &event), 0);
  send_numbers(*a, 0, 1);
  ASSERT_EQ(::epoll_wait(epoll.get(), &event, 1, 2000), 1);
  auto held = receive(*b, 1);
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(::epoll_wait(epoll.get(), &event, 1, 0), 0);
  send_numbers(*a, 1, 1);
  EXPECT_EQ(::epoll_wait(epoll.get(), &event, 1, 2000), 1);
}

TEST_F(AfPacketPortTest, OversizeFramesAreCountedAndTheRestOfTheBatchIsSent) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  std::vector<PacketBuffer> frames;
  frames.push_back(make_frame({.number = 1}));
  frames.push_back(make_frame({.number = 2, .size_bytes = 1515}));
  frames.push_back(make_frame({.number = 3, .size_bytes = 1514}));
  a->transmit(frames);
  EXPECT_THAT(numbers(receive(*b, 2)), ::testing::ElementsAre(1U, 3U));
  EXPECT_EQ(a->stats().tx_oversize, 1U);
  EXPECT_EQ(a->stats().tx_frames, 2U);
}

TEST_F(AfPacketPortTest, FrameTheKernelRefusesDoesNotStopTheRestOfTheBatch) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  std::vector<PacketBuffer> frames;
  frames.push_back(make_frame({.number = 1}));
  frames.push_back(make_frame({.number = 2}));
  frames[1].resize(10);  // shorter than an Ethernet header: EINVAL
  frames.push_back(make_frame({.number = 3}));
  a->transmit(frames);
  EXPECT_THAT(numbers(receive(*b, 2)), ::testing::ElementsAre(1U, 3U));
  EXPECT_EQ(a->stats().tx_dropped, 1U);
}

TEST_F(AfPacketPortTest, MtuThatShrankUnnoticedCountsAsOversize) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link set va mtu 1000"), 0);
  send(*a, {.size_bytes = 1514});
  EXPECT_EQ(a->stats().tx_oversize, 1U);
  EXPECT_EQ(a->stats().tx_frames, 0U);
}

TEST_F(AfPacketPortTest, LinkDownIsCountedAndWorksAgainWhenUp) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set va down"), 0);
  EXPECT_TRUE(a->refresh());
  EXPECT_FALSE(a->info().link_up);
  EXPECT_FALSE(a->refresh());
  send_numbers(*a, 0, 100);
  EXPECT_EQ(a->stats().tx_dropped, 100U);
  EXPECT_TRUE(nothing_to_receive(*a));

  ASSERT_EQ(run_command("ip link set va up"), 0);
  ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  send_numbers(*a, 5, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(5U));
  EXPECT_TRUE(a->refresh());
  EXPECT_TRUE(a->info().link_up);
  send(*b, {.number = 6, .to = kMacA});
  EXPECT_THAT(numbers(receive(*a, 1)), ::testing::ElementsAre(6U));
  EXPECT_EQ(a->stats().link_changes, 2U);
}

TEST_F(AfPacketPortTest, LinkThatBouncedUnnoticedCostsNoFrame) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set va down && ip link set va up"), 0);
  ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  send_numbers(*a, 5, 1);  // the kernel reports the past outage to this call
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(5U));
  EXPECT_EQ(a->stats().tx_dropped, 0U);
}

TEST_F(AfPacketPortTest, PeerDownShowsAsLinkDown) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link set vb down"), 0);
  EXPECT_TRUE(a->refresh());
  EXPECT_FALSE(a->info().link_up);
}

TEST_F(AfPacketPortTest, InterfaceThatIsRemovedAndComesBackWorksAgain) {
  auto a = open_port({.interface = "va"});
  send_numbers(*a, 0, 1);
  ASSERT_EQ(run_command("ip link del va"), 0);
  EXPECT_TRUE(a->refresh());
  EXPECT_FALSE(a->info().link_up);
  EXPECT_EQ(a->info().mac, kMacA);
  send_numbers(*a, 1, 3);
  EXPECT_EQ(a->stats().tx_dropped, 3U);

  add_pair();
  EXPECT_TRUE(a->refresh());
  EXPECT_TRUE(a->info().link_up);
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 7, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(7U));
  send(*b, {.number = 8, .to = kMacA});
  EXPECT_THAT(numbers(receive(*a, 1)), ::testing::ElementsAre(8U));
}

TEST_F(AfPacketPortTest, InterfaceRecreatedBetweenTwoRefreshesIsBoundAgain) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link del va"), 0);
  add_pair();
  auto b = open_port({.interface = "vb"});
  a->refresh();
  EXPECT_TRUE(a->info().link_up);
  send_numbers(*a, 7, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(7U));
}

TEST_F(AfPacketPortTest, RenamedInterfaceIsLeft) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set va down && ip link set va name other && "
                        "ip link set other up"),
            0);
  ASSERT_TRUE(wait_for_carrier("vb"));
  EXPECT_TRUE(a->refresh());
  EXPECT_FALSE(a->info().link_up);
  send(*b, {.number = 1, .to = kMacA});
  EXPECT_TRUE(nothing_to_receive(*a));
  send_numbers(*a, 1, 1);
  EXPECT_EQ(a->stats().tx_dropped, 1U);

  ASSERT_EQ(run_command("ip link set other name va"), 0);
  ASSERT_TRUE(wait_for_carrier("va"));
  EXPECT_TRUE(a->refresh());
  send(*b, {.number = 2, .to = kMacA});
  EXPECT_THAT(numbers(receive(*a, 1)), ::testing::ElementsAre(2U));
}

TEST_F(AfPacketPortTest, LongerMtuGetsLongerSlotsAndAShorterOneKeepsThem) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set va mtu 9000 && ip link set vb mtu 9000"), 0);
  EXPECT_TRUE(a->refresh());
  EXPECT_TRUE(b->refresh());
  EXPECT_EQ(b->info().mtu_bytes, 9000U);
  send(*a, {.number = 1, .size_bytes = 9014});
  auto frames = receive(*b, 1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].size(), 9014U);
  frames.clear();

  ASSERT_EQ(run_command("ip link set va mtu 1500 && ip link set vb mtu 1500"), 0);
  EXPECT_TRUE(b->refresh());
  EXPECT_EQ(b->info().mtu_bytes, 1500U);
  a->refresh();
  send(*a, {.number = 2, .size_bytes = 1514});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(2U));
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

TEST_F(AfPacketPortTest, GoesOnInAForkedChild) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 1, 1);
  ASSERT_EQ(receive(*b, 1).size(), 1U);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(numbers(receive(*b, 1)) == std::vector<std::uint32_t>{2} ? 0 : 1);
  }
  send_numbers(*a, 2, 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
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

TEST_F(AfPacketPortTest, ChangedAddressShowsAndReceives) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set vb address 02:00:00:00:00:bb"), 0);
  EXPECT_TRUE(b->refresh());
  const MacAddress changed{{2, 0, 0, 0, 0, 0xbb}};
  EXPECT_EQ(b->info().mac, changed);
  send(*a, {.number = 1, .to = changed});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(1U));
}

TEST_F(AfPacketPortTest, MissingInterfaceIsRefusedUnlessWaitedFor) {
  auto refused = AfPacketPort::open({.interface = "later"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_found);

  auto later = open_port({.interface = "later", .missing = MissingInterface::wait});
  EXPECT_FALSE(later->info().link_up);
  EXPECT_FALSE(later->refresh());
  send_numbers(*later, 0, 2);
  EXPECT_EQ(later->stats().tx_dropped, 2U);
  EXPECT_TRUE(nothing_to_receive(*later));

  ASSERT_EQ(run_command("ip link add later mtu 9000 type veth peer name vc && "
                        "ip link set later up && ip link set vc up"),
            0);
  ASSERT_TRUE(wait_for_carrier("later") && wait_for_carrier("vc"));
  EXPECT_TRUE(later->refresh());
  EXPECT_TRUE(later->info().link_up);
  EXPECT_EQ(later->info().mtu_bytes, 9000U);
  auto c = open_port({.interface = "vc"});
  send(*c, {.number = 4, .to = later->info().mac});
  EXPECT_THAT(numbers(receive(*later, 1)), ::testing::ElementsAre(4U));
}

TEST_F(AfPacketPortTest, LoopbackIsNotEthernet) {
  auto refused = AfPacketPort::open({.interface = "lo"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("Ethernet"));
}

TEST_F(AfPacketPortTest, InterfaceThatIsDownOpensAndWorksOnceUp) {
  ASSERT_EQ(run_command("ip link set vb down"), 0);
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  EXPECT_FALSE(b->info().link_up);
  ASSERT_EQ(run_command("ip link set vb up"), 0);
  ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  EXPECT_TRUE(b->refresh());
  send_numbers(*a, 1, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(1U));
}

TEST_F(AfPacketPortTest, WorksAroundTheQueueingDisciplineToo) {
  auto a = open_port({.interface = "va", .qdisc_bypass = QdiscBypass::yes});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 0, 100);
  EXPECT_EQ(receive(*b, 100).size(), 100U);
}

}  // namespace
}  // namespace aoe::net
