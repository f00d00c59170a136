// What holds for every kind of port on a kernel interface.
#include "unit/net/veth_test.h"

#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace aoe::net {
namespace {

class KernelPortTest : public VethTest, public ::testing::WithParamInterface<PortKind> {
 protected:
  void SetUp() override {
    VethTest::SetUp();
    if (!IsSkipped() && GetParam() == PortKind::xdp) {
      skip_without_xdp();
    }
  }

  static std::unique_ptr<PacketPort> open_port(const AfPacketOptions& options) {
    auto port = net::open_port(GetParam(), options);
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }

  // Of a port whose interface can be used.
  static std::string kind() { return std::string(to_string(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, KernelPortTest, ::testing::Values(PortKind::packet, PortKind::xdp),
                         [](const auto& of) { return std::string(to_string(of.param)); });

TEST_P(KernelPortTest, FramesGoBothWaysUnchanged) {
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

TEST_P(KernelPortTest, BatchLongerThanOneSystemCallKeepsItsOrder) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 0, 200);
  const auto got = numbers(receive(*b, 200));
  ASSERT_EQ(got.size(), 200U);
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(got[i], i);
  }
}

TEST_P(KernelPortTest, AtaDataOfAReceivedFrameIsAligned) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send_numbers(*a, 0, 3);
  for (PacketBuffer& frame : receive(*b, 3)) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&frame.bytes()[36]) % 512, 0U);
  }
}

TEST_P(KernelPortTest, RuntFramesArriveWithTheirTrueLength) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.size_bytes = 15});
  auto frames = receive(*b, 1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].size(), 15U);
}

TEST_P(KernelPortTest, OtherEtherTypesAreNotSeen) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.number = 1, .ether_type = 0x0800});
  send(*a, {.number = 2});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(2U));
}

TEST_P(KernelPortTest, FramesForOtherStationsAreCountedAndDropped) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  send(*a, {.number = 1, .to = MacAddress{{2, 0, 0, 0, 0, 0x77}}});
  send(*a, {.number = 2});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(2U));
  EXPECT_EQ(b->stats().rx_foreign, 1U);
}

TEST_P(KernelPortTest, FramesOfAVlanThatIsNotOursAreCountedAndDropped) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  PacketBuffer frame = make_frame({.number = 1, .ether_type = 0x8100});
  store_be16(frame.bytes(), 14, 5);       // VLAN 5
  store_be16(frame.bytes(), 16, 0x88A2);  // the EtherType behind the tag
  a->transmit({&frame, 1});
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_EQ(b->stats().rx_foreign, 1U);
}

TEST_P(KernelPortTest, FramesOfAVlanReachItsInterfaceOnly) {
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

TEST_P(KernelPortTest, SlotsMayComeBackInAnyOrder) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .ring_bytes = std::size_t{8} * 2048});
  std::uint32_t next = 0;
  for (int round = 0; round < 5; ++round) {
    send_numbers(*a, next, 8);
    auto frames = receive(*b, 8);
    ASSERT_EQ(frames.size(), 8U);
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

TEST_P(KernelPortTest, OverflowIsCountedAndReceptionGoesOn) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb", .ring_bytes = std::size_t{8} * 2048});
  send_numbers(*a, 0, 20);
  EXPECT_EQ(numbers(receive(*b, 8)).size(), 8U);
  EXPECT_EQ(b->stats().rx_dropped, 12U);
  EXPECT_EQ(b->stats().rx_dropped, 12U) << "counters only grow";
  send_numbers(*a, 100, 2);
  EXPECT_THAT(numbers(receive(*b, 2)), ::testing::ElementsAre(100U, 101U));
}

TEST_P(KernelPortTest, HeldSlotIsNeverHandedOutTwiceNorOverwritten) {
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

TEST_P(KernelPortTest, EdgeTriggeredWaitIsQuietWhileABufferIsHeld) {
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

TEST_P(KernelPortTest, OversizeFramesAreCountedAndTheRestOfTheBatchIsSent) {
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

TEST_P(KernelPortTest, FrameTheKernelRefusesDoesNotStopTheRestOfTheBatch) {
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

TEST_P(KernelPortTest, LinkDownIsCountedAndWorksAgainWhenUp) {
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

TEST_P(KernelPortTest, LinkThatBouncedUnnoticedCostsNoFrame) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set va down && ip link set va up"), 0);
  ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  send_numbers(*a, 5, 1);  // the kernel reports the past outage to this call
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(5U));
  EXPECT_EQ(a->stats().tx_dropped, 0U);
}

TEST_P(KernelPortTest, PeerDownShowsAsLinkDown) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link set vb down"), 0);
  EXPECT_TRUE(a->refresh());
  EXPECT_FALSE(a->info().link_up);
}

TEST_P(KernelPortTest, InterfaceThatIsRemovedAndComesBackWorksAgain) {
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

TEST_P(KernelPortTest, InterfaceRecreatedBetweenTwoRefreshesIsBoundAgain) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link del va"), 0);
  add_pair();
  auto b = open_port({.interface = "vb"});
  a->refresh();
  EXPECT_TRUE(a->info().link_up);
  send_numbers(*a, 7, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(7U));
}

TEST_P(KernelPortTest, RenamedInterfaceIsLeft) {
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

TEST_P(KernelPortTest, LongerMtuGetsLongerSlotsAndAShorterOneKeepsThem) {
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

TEST_P(KernelPortTest, GoesOnInAForkedChild) {
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

TEST_P(KernelPortTest, ChangedAddressShowsAndReceives) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set vb address 02:00:00:00:00:bb"), 0);
  EXPECT_TRUE(b->refresh());
  const MacAddress changed{{2, 0, 0, 0, 0, 0xbb}};
  EXPECT_EQ(b->info().mac, changed);
  send(*a, {.number = 1, .to = changed});
  EXPECT_THAT(numbers(receive(*b, 1)), ::testing::ElementsAre(1U));
}

TEST_P(KernelPortTest, MissingInterfaceIsRefusedUnlessWaitedFor) {
  auto refused = net::open_port(GetParam(), {.interface = "later"});
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

TEST_P(KernelPortTest, LoopbackIsNotEthernet) {
  auto refused = net::open_port(GetParam(), {.interface = "lo"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("Ethernet"));
}

TEST_P(KernelPortTest, InterfaceThatIsDownOpensAndWorksOnceUp) {
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

TEST_P(KernelPortTest, FilterKeepsResponsesFromATarget) {
  auto a = open_port({.interface = "va"});
  {
    auto target = open_port({.interface = "vb", .filter = FrameFilter::requests});
    send(*a, {.number = 1, .flags = 0x18});
    send(*a, {.number = 2, .flags = 0x10});
    EXPECT_THAT(numbers(receive(*target, 1)), ::testing::ElementsAre(2U));
    EXPECT_TRUE(nothing_to_receive(*target));
  }
  auto initiator = open_port({.interface = "vb", .filter = FrameFilter::responses});
  send(*a, {.number = 3, .flags = 0x10});
  send(*a, {.number = 4, .flags = 0x18});
  EXPECT_THAT(numbers(receive(*initiator, 1)), ::testing::ElementsAre(4U));
  EXPECT_TRUE(nothing_to_receive(*initiator));
}

TEST_P(KernelPortTest, KindIsWhatWasAskedFor) {
  auto a = open_port({.interface = "va"});
  EXPECT_EQ(a->kind(), kind());
  EXPECT_EQ(a->kind_reason(), "");
}

TEST_P(KernelPortTest, FramesWithoutACarrierNeverLeaveLater) {
  auto a = open_port({.interface = "va"});
  ASSERT_EQ(run_command("ip link set vb down"), 0);
  send_numbers(*a, 0, 100);
  auto b = open_port({.interface = "vb"});
  ASSERT_EQ(run_command("ip link set vb up"), 0);
  ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  send_numbers(*a, 500, 100);
  const auto got = numbers(receive(*b, 100));
  ASSERT_EQ(got.size(), 100U);
  EXPECT_EQ(got.front(), 500U);
  EXPECT_EQ(got.back(), 599U);
  EXPECT_TRUE(nothing_to_receive(*b));
}

TEST_P(KernelPortTest, FramesOfAnOutageNeverLeaveLater) {
  auto a = open_port({.interface = "va"});
  auto b = open_port({.interface = "vb"});
  // Down behind the port's back, and more than a batch and a ring of frames meanwhile.
  ASSERT_EQ(run_command("ip link set va down"), 0);
  for (std::uint32_t i = 0; i < 10; ++i) {
    send_numbers(*a, 100 * i, 100);
  }
  EXPECT_EQ(a->stats().tx_dropped, 1000U);
  ASSERT_EQ(run_command("ip link set va up"), 0);
  ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  send_numbers(*a, 5000, 200);
  const auto got = numbers(receive(*b, 200));
  ASSERT_EQ(got.size(), 200U);
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(got[i], 5000 + i);
  }
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_EQ(a->stats().tx_frames, 200U);
  EXPECT_EQ(a->stats().tx_bytes, 200U * 60);
}

}  // namespace
}  // namespace aoe::net
