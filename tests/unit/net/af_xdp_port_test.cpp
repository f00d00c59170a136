#include "net/af_xdp_port.h"

#include "unit/net/veth_test.h"

#include <cap-ng.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace aoe::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AfXdpPortTest : public VethTest {
 protected:
  void SetUp() override {
    VethTest::SetUp();
    if (!IsSkipped()) {
      skip_without_xdp();
    }
  }

  static std::unique_ptr<AfXdpPort> open_xdp(const AfPacketOptions& options) {
    auto port = AfXdpPort::open(options);
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }

  static std::unique_ptr<AfPacketPort> open_packet(const AfPacketOptions& options) {
    auto port = AfPacketPort::open(options);
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }

  static bool has_program(const char* interface) {
    return run_command(std::string("ip link show ") + interface + " | grep -q prog/xdp") == 0;
  }

  // The kernel lets go of a queue a moment after its socket was closed.
  static bool becomes_xdp(PacketPort& port) {
    for (int i = 0; i < 200; ++i) {
      port.refresh();
      if (port.kind() == "xdp") {
        return true;
      }
      ::poll(nullptr, 0, 10);
    }
    return false;
  }

  // Replaces the pair of SetUp() by one with so many queues.
  static void add_pair_with_queues(int queues) {
    const std::string count = std::to_string(queues);
    ASSERT_EQ(
        run_command("ip link del va && ip link add va address 02:00:00:00:00:0a numrxqueues " +
                    count + " numtxqueues " + count +
                    " type veth peer name vb address 02:00:00:00:00:0b numrxqueues " + count +
                    " numtxqueues " + count + " && ip link set va up && ip link set vb up"),
        0);
    ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  }
};

TEST_F(AfXdpPortTest, FramesTakeTheShortWay) {
  auto a = open_xdp({.interface = "va"});
  auto b = open_xdp({.interface = "vb"});
  auto beside = open_packet({.interface = "vb"});
  send_numbers(*a, 1, 3);
  auto frames = receive(*b, 3);
  EXPECT_THAT(numbers(frames), ElementsAre(1U, 2U, 3U));
  EXPECT_EQ(b->held_chunks(), 3U);
  EXPECT_TRUE(nothing_to_receive(*beside));
  frames.clear();
  EXPECT_EQ(b->held_chunks(), 0U);
}

TEST_F(AfXdpPortTest, OthersStillSeeQueriesBroadcastsAndWhatTheFilterLeavesOut) {
  auto a = open_packet({.interface = "va"});
  auto b = open_xdp({.interface = "vb", .filter = FrameFilter::requests});
  auto beside = open_packet({.interface = "vb"});
  PacketBuffer query = make_frame({.number = 1});
  store_u8(query.bytes(), 19, 1);
  a->transmit({&query, 1});
  send(*a, {.number = 2, .to = MacAddress::broadcast()});
  send(*a, {.number = 3, .flags = 0x18});
  send(*a, {.number = 4});
  EXPECT_THAT(numbers(receive(*beside, 3)), ElementsAre(1U, 2U, 3U));
  EXPECT_TRUE(nothing_to_receive(*beside));
  EXPECT_THAT(numbers(receive(*b, 3)), ::testing::UnorderedElementsAre(1U, 2U, 4U));
  EXPECT_TRUE(nothing_to_receive(*b));
}

TEST_F(AfXdpPortTest, FramesWithoutACarrierAreCounted) {
  auto a = open_xdp({.interface = "va"});
  ASSERT_EQ(run_command("ip link set vb down"), 0);
  send_numbers(*a, 0, 100);
  EXPECT_EQ(a->stats().tx_dropped, 100U);
  EXPECT_EQ(a->stats().tx_frames, 0U);
  EXPECT_EQ(a->stats().tx_bytes, 0U);
}

TEST_F(AfXdpPortTest, MtuAboveTheLimitIsRefusedWithTheLimit) {
  ASSERT_EQ(run_command("ip link set va mtu 9000"), 0);
  auto refused = AfXdpPort::open({.interface = "va"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_EQ(refused.error().message,
            "va: AF_XDP: MTU 9000 is more than 3606 (use port=packet, or ip link set va mtu 1500)");
  EXPECT_FALSE(has_program("va"));
  auto packet = AfXdpPort::open({.interface = "va"}, WithoutXdp::use_packet);
  ASSERT_TRUE(packet);
  EXPECT_EQ((*packet)->kind(), "packet");
  EXPECT_THAT((*packet)->kind_reason(), HasSubstr("MTU 9000 is more than 3606"));
}

TEST_F(AfXdpPortTest, LongestMtuOfAChunkWorks) {
  ASSERT_EQ(run_command("ip link set va mtu 3606 && ip link set vb mtu 3606"), 0);
  auto a = open_xdp({.interface = "va"});
  auto b = open_xdp({.interface = "vb"});
  auto beside = open_packet({.interface = "vb"});
  send(*a, {.number = 1, .size_bytes = 3620});
  auto frames = receive(*b, 1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].size(), 3620U);
  EXPECT_TRUE(
      equal_bytes(frames[0].bytes(), make_frame({.number = 1, .size_bytes = 3620}).bytes()));
  EXPECT_TRUE(nothing_to_receive(*beside));
}

TEST_F(AfXdpPortTest, MtuThatGrowsAndShrinksWhileBuffersAreOutLosesNothing) {
  auto a = open_xdp({.interface = "va"});
  auto b = open_xdp({.interface = "vb"});
  send_numbers(*a, 1, 2);
  auto held = receive(*b, 2);
  ASSERT_EQ(run_command("ip link set va mtu 9000 && ip link set vb mtu 9000"), 0);
  // Before anybody has looked: it takes the ordinary way, where a slot is too short for it.
  a->refresh();
  EXPECT_EQ(a->kind(), "packet");
  EXPECT_THAT(a->kind_reason(), HasSubstr("MTU 9000"));
  EXPECT_FALSE(has_program("va"));
  send(*a, {.number = 3, .size_bytes = 9014});
  EXPECT_TRUE(nothing_to_receive(*b));
  EXPECT_EQ(b->stats().rx_truncated, 1U);
  b->refresh();
  EXPECT_EQ(b->kind(), "packet");
  EXPECT_EQ(b->info().mtu_bytes, 9000U);
  send(*a, {.number = 4, .size_bytes = 9014});
  EXPECT_THAT(numbers(receive(*b, 1)), ElementsAre(4U));
  EXPECT_THAT(numbers(held), ElementsAre(1U, 2U));

  ASSERT_EQ(run_command("ip link set va mtu 1500 && ip link set vb mtu 1500"), 0);
  EXPECT_TRUE(becomes_xdp(*a)) << a->kind_reason();
  EXPECT_TRUE(becomes_xdp(*b)) << b->kind_reason();
  EXPECT_EQ(b->kind_reason(), "");
  EXPECT_THAT(numbers(held), ElementsAre(1U, 2U));
  send_numbers(*a, 5, 2);
  EXPECT_THAT(numbers(receive(*b, 2)), ElementsAre(5U, 6U));
  EXPECT_THAT(numbers(held), ElementsAre(1U, 2U));
  held.clear();
  EXPECT_EQ(b->held_chunks(), 0U);
}

TEST_F(AfXdpPortTest, LongerChunksWaitForBuffersThatAreOut) {
  auto a = open_packet({.interface = "va"});
  auto b = open_xdp({.interface = "vb"});
  send_numbers(*a, 1, 1);
  auto held = receive(*b, 1);
  ASSERT_EQ(run_command("ip link set va mtu 3000 && ip link set vb mtu 3000"), 0);
  a->refresh();
  b->refresh();
  EXPECT_EQ(b->kind(), "packet");
  EXPECT_THAT(b->kind_reason(), HasSubstr("still out"));
  send_numbers(*a, 2, 1);
  EXPECT_THAT(numbers(receive(*b, 1)), ElementsAre(2U));
  held.clear();
  EXPECT_TRUE(becomes_xdp(*b)) << b->kind_reason();
  send(*a, {.number = 3, .size_bytes = 3014});
  EXPECT_THAT(numbers(receive(*b, 1)), ElementsAre(3U));
}

TEST_F(AfXdpPortTest, EveryQueueReceives) {
  constexpr std::uint32_t kQueues = 4;
  add_pair_with_queues(kQueues);
  EXPECT_EQ(receive_queues("vb"), kQueues);
  auto a = open_packet({.interface = "va"});
  auto b = open_xdp({.interface = "vb"});
  auto beside = open_packet({.interface = "vb"});
  // The kernel spreads senders over queues by their processor and flow: several stations.
  std::uint32_t sent = 0;
  for (std::uint8_t station = 0; station < 32; ++station) {
    for (std::uint32_t i = 0; i < 8; ++i) {
      PacketBuffer frame = make_frame({.number = sent++});
      store_mac(frame.bytes(), 6, MacAddress{{2, 0, 0, 0, 1, station}});
      a->transmit({&frame, 1});
    }
  }
  auto frames = receive(*b, sent);
  EXPECT_EQ(frames.size(), sent);
  EXPECT_EQ(b->stats().rx_frames, sent);
  EXPECT_TRUE(nothing_to_receive(*beside)) << "a queue without a socket";
  frames.clear();
  EXPECT_EQ(b->held_chunks(), 0U);
}

TEST_F(AfXdpPortTest, SecondProgramIsRefused) {
  auto first = open_xdp({.interface = "va"});
  auto second = AfXdpPort::open({.interface = "va"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_THAT(second.error().message, HasSubstr("va: "));
  EXPECT_EQ(first->kind(), "xdp");
  send_numbers(*first, 1, 1);
  EXPECT_EQ(first->stats().tx_frames, 1U);
}

TEST_F(AfXdpPortTest, ProgramGoesWithThePortAndWithTheProcess) {
  EXPECT_FALSE(has_program("va"));
  auto port = open_xdp({.interface = "va"});
  EXPECT_TRUE(has_program("va"));
  port.reset();
  EXPECT_FALSE(has_program("va"));

  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto own = AfXdpPort::open({.interface = "va"});
    const char answer = own ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) {
      ::_exit(1);  // the parent finds nothing to read
    }
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_TRUE(has_program("va"));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(has_program("va"));
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_EQ(open_xdp({.interface = "va"})->kind(), "xdp");
}

TEST_F(AfXdpPortTest, WithoutPrivilegesItSaysWhichAndAnOpenPortGoesOn) {
  auto b = open_packet({.interface = "vb"});
  auto port = open_xdp({.interface = "va"});
  const pid_t child = ::fork();
  if (child != 0) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return;
  }
  // What daemons keep after their start.
  capng_clear(CAPNG_SELECT_BOTH);
  capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
               CAP_NET_RAW);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
    ::_exit(2);
  }
  const auto refused = AfXdpPort::open({.interface = "vb"});
  if (refused || refused.error().code != Errc::not_permitted ||
      refused.error().message.find("CAP_BPF and CAP_NET_ADMIN") == std::string::npos) {
    ::_exit(3);
  }
  send_numbers(*port, 1, 1);
  ::_exit(numbers(receive(*b, 1)) == std::vector<std::uint32_t>{1} ? 0 : 4);
}

TEST_F(AfXdpPortTest, WatchersAreRefused) {
  auto refused = AfXdpPort::open({.interface = "va", .filter = FrameFilter::remarkable_responses});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST_F(AfXdpPortTest, SharesAreRefused) {
  auto refused = AfXdpPort::open({.interface = "va", .share = {.index = 0, .count = 2}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace aoe::net
