#include "base/buffer_pool.h"
#include "net/af_packet_port.h"
#include "os/clock.h"
#include "runtime/event_loop.h"
#include "support/lossbridge/bridge.h"
#include "support/lossbridge/schedule.h"
#include "support/network_namespace.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace aoe::lossbridge {
namespace {

std::string temp_path(const char* what) {
  return fmt::format("{}aoekit-lossbridge-{}.{}", ::testing::TempDir(), ::getpid(), what);
}

// The content of the file, which is removed.
std::string take_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream copy;
  copy << file.rdbuf();
  ::unlink(path.c_str());
  return copy.str();
}

// Host a on va -- (wa, bridge, wb) -- host b on vb.
class LossbridgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AOE_NEW_NETWORK_OR_SKIP();
    ASSERT_EQ(aoe::testing::run_command(
                  "for end in a b; do ip link add v$end address 02:00:00:00:00:0$end mtu 9000 "
                  "type veth peer name w$end mtu 9000 && ip link set v$end up && "
                  "ip link set w$end up || exit 1; done"),
              0);
    for (const char* name : {"va", "vb", "wa", "wb"}) {
      ASSERT_TRUE(aoe::testing::wait_for_carrier(name));
    }
    auto loop = runtime::EventLoop::create({});
    ASSERT_TRUE(loop);
    loop_ = *std::move(loop);
    open_bridge(options());
    a_ = open_port("va");
    b_ = open_port("vb");
  }

  static Bridge::Options options() {
    Bridge::Options options;
    options.interfaces = {"wa", "wb"};
    options.seed = 7;
    return options;
  }

  void open_bridge(const Bridge::Options& options) {
    bridge_.reset();
    auto bridge = Bridge::open(*loop_, options);
    ASSERT_TRUE(bridge) << bridge.error().message;
    bridge_ = *std::move(bridge);
  }

  static std::unique_ptr<net::AfPacketPort> open_port(const char* name) {
    auto port = net::AfPacketPort::open({.interface = name});
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }

  static constexpr MacAddress kHostA{{2, 0, 0, 0, 0, 0xa}};
  static constexpr MacAddress kHostB{{2, 0, 0, 0, 0, 0xb}};
  static constexpr MacAddress kHostC{{2, 0, 0, 0, 0, 0xc}};

  void send_one(net::PacketPort& port, const MacAddress& from, const MacAddress& to) {
    PacketBuffer frame = pool_.allocate();
    frame.resize(60);
    fill_zero(frame.bytes());
    store_mac(frame.bytes(), 0, to);
    store_mac(frame.bytes(), 6, from);
    store_be16(frame.bytes(), 12, 0x88A2);
    port.transmit({&frame, 1});
  }

  void send(net::PacketPort& port, std::uint32_t count, std::size_t size_bytes = 60) {
    for (std::uint32_t i = 0; i < count; ++i) {
      PacketBuffer frame = pool_.allocate();
      frame.resize(size_bytes);
      fill_zero(frame.bytes());
      store_mac(frame.bytes(), 0, MacAddress::broadcast());
      store_be16(frame.bytes(), 12, 0x88A2);
      store_be32(frame.bytes(), 36, i);
      port.transmit({&frame, 1});
    }
  }

  // Runs the bridge until `count` frames have come in on it and none waits, and returns the numbers
  // that arrived at `port`.
  std::vector<std::uint32_t> pass(net::PacketPort& port, std::size_t from, std::uint64_t count) {
    const Instant give_up = os::monotonic_now() + Duration::seconds(5);
    while ((bridge_->counters(from).received < count || bridge_->next_due()) &&
           os::monotonic_now() < give_up) {
      loop_->run_once(std::min(bridge_->next_due().value_or(give_up), give_up));
      bridge_->send_due(os::monotonic_now());
    }
    std::vector<std::uint32_t> numbers;
    std::vector<PacketBuffer> frames(64);
    while (const std::size_t got = port.receive(frames)) {
      for (std::size_t i = 0; i < got; ++i) {
        numbers.push_back(load_be32(frames[i].bytes(), 36));
      }
    }
    return numbers;
  }

  BufferPool pool_{{.count = 4, .frame_bytes = 9014}};
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<Bridge> bridge_;
  std::unique_ptr<net::AfPacketPort> a_;
  std::unique_ptr<net::AfPacketPort> b_;
};

TEST_F(LossbridgeTest, HarmlessBridgeForwardsAllInOrderBothWays) {
  send(*a_, 100);
  const auto at_b = pass(*b_, 0, 100);
  ASSERT_EQ(at_b.size(), 100U);
  EXPECT_TRUE(std::is_sorted(at_b.begin(), at_b.end()));
  send(*b_, 10, 9014);
  EXPECT_EQ(pass(*a_, 1, 10).size(), 10U);
}

TEST_F(LossbridgeTest, SameSeedLosesTheSameFrames) {
  ASSERT_TRUE(bridge_->command("loss 0.2"));
  send(*a_, 500);
  const auto first = pass(*b_, 0, 500);
  EXPECT_GT(first.size(), 350U);
  EXPECT_LT(first.size(), 450U);
  EXPECT_EQ(bridge_->counters(0).lost, 500 - first.size());
  open_bridge(options());
  ASSERT_TRUE(bridge_->command("loss 0.2"));
  send(*a_, 500);
  EXPECT_EQ(pass(*b_, 0, 500), first);
}

TEST_F(LossbridgeTest, ImpairmentOfOneDirectionLeavesTheOther) {
  ASSERT_TRUE(bridge_->command("loss wa=1"));
  send(*a_, 10);
  EXPECT_TRUE(pass(*b_, 0, 10).empty());
  send(*b_, 10);
  EXPECT_EQ(pass(*a_, 1, 10).size(), 10U);
}

TEST_F(LossbridgeTest, DuplicatesAreSentTwice) {
  ASSERT_TRUE(bridge_->command("dup 1"));
  send(*a_, 3);
  EXPECT_THAT(pass(*b_, 0, 3), ::testing::ElementsAre(0U, 0U, 1U, 1U, 2U, 2U));
}

TEST_F(LossbridgeTest, ReorderingKeepsEveryFrame) {
  ASSERT_TRUE(bridge_->command("reorder 0.5"));
  send(*a_, 200);
  auto numbers = pass(*b_, 0, 200);
  ASSERT_EQ(numbers.size(), 200U);
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

TEST_F(LossbridgeTest, DelayHoldsFramesBack) {
  ASSERT_TRUE(bridge_->command("delay 20000,20000"));
  const Instant start = os::monotonic_now();
  send(*a_, 2);
  EXPECT_EQ(pass(*b_, 0, 2).size(), 2U);
  EXPECT_GE(os::monotonic_now() - start, Duration::milliseconds(20));
}

TEST_F(LossbridgeTest, RateSpreadsFramesAndDropsWhatItsQueueCannotHold) {
  // 9014 bytes at 10 Mbit/s take 7.2 ms: about 14 fit into 100 ms.
  ASSERT_TRUE(bridge_->command("rate 10"));
  send(*a_, 30, 9014);
  const auto numbers = pass(*b_, 0, 30);
  EXPECT_GE(numbers.size(), 13U);
  EXPECT_LE(numbers.size(), 20U);
  EXPECT_EQ(bridge_->counters(0).queue_full, 30 - numbers.size());
}

TEST_F(LossbridgeTest, LongFramesVanishInABlackHole) {
  ASSERT_TRUE(bridge_->command("max-frame 1514"));
  send(*a_, 1, 1514);
  send(*a_, 1, 1515);
  EXPECT_EQ(pass(*b_, 0, 2).size(), 1U);
  EXPECT_EQ(bridge_->counters(0).black_holed, 1U);
}

TEST_F(LossbridgeTest, FlipInvertsExactlyOneBit) {
  const std::string path = temp_path("pcap");
  Bridge::Options with_pcap = options();
  with_pcap.pcap_path = path;
  open_bridge(with_pcap);
  ASSERT_TRUE(bridge_->command("flip 1"));
  send(*a_, 50);
  pass(*b_, 0, 50);
  bridge_.reset();  // completes the capture
  const std::string text = take_file(path);

  PacketBuffer sent = pool_.allocate();
  auto reader = net::PcapReader::open(as_byte_span(text));
  ASSERT_TRUE(reader) << reader.error().message;
  std::uint32_t count = 0;
  for (auto record = reader->next(); record && *record; record = reader->next()) {
    sent.resize(60);
    fill_zero(sent.bytes());
    store_mac(sent.bytes(), 0, MacAddress::broadcast());
    store_be16(sent.bytes(), 12, 0x88A2);
    store_be32(sent.bytes(), 36, count++);
    int bits = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      bits += __builtin_popcount(load_u8(sent.bytes(), i) ^ load_u8((*record)->frame, i));
    }
    EXPECT_EQ(bits, 1);
  }
  EXPECT_EQ(count, 50U);
}

TEST_F(LossbridgeTest, DownBlocksAndUpAndClearRestore) {
  ASSERT_TRUE(bridge_->command("down"));
  send(*a_, 2);
  EXPECT_TRUE(pass(*b_, 0, 2).empty());
  EXPECT_EQ(bridge_->counters(0).blocked, 2U);
  ASSERT_TRUE(bridge_->command("up"));
  send(*a_, 1);
  EXPECT_EQ(pass(*b_, 0, 3).size(), 1U);
  ASSERT_TRUE(bridge_->command("loss 1"));
  ASSERT_TRUE(bridge_->command("clear wa"));
  send(*a_, 1);
  EXPECT_EQ(pass(*b_, 0, 4).size(), 1U);
}

TEST_F(LossbridgeTest, VlanTagsSurvive) {
  PacketBuffer frame = pool_.allocate();
  frame.resize(64);
  fill_zero(frame.bytes());
  store_mac(frame.bytes(), 0, MacAddress::broadcast());
  store_be16(frame.bytes(), 12, 0x8100);
  store_be16(frame.bytes(), 14, 5);
  store_be16(frame.bytes(), 16, 0x88A2);
  a_->transmit({&frame, 1});
  EXPECT_TRUE(pass(*b_, 0, 1).empty());
  EXPECT_EQ(b_->stats().rx_foreign, 1U) << "the frame arrived with a tag";
}

TEST_F(LossbridgeTest, UnicastGoesWhereItsDestinationWasSeenAndAHubForgets) {
  ASSERT_EQ(aoe::testing::run_command(
                "ip link add vc address 02:00:00:00:00:0c type veth peer name wc && "
                "ip link set vc up && ip link set wc up"),
            0);
  ASSERT_TRUE(aoe::testing::wait_for_carrier("wc"));
  for (const auto learning : {Bridge::Learning::on, Bridge::Learning::off}) {
    Bridge::Options three = options();
    three.interfaces = {"wa", "wb", "wc"};
    three.learning = learning;
    open_bridge(three);
    send_one(*a_, kHostA, kHostB);  // nobody knows b yet: to all
    pass(*b_, 0, 1);
    EXPECT_EQ(bridge_->counters(0).forwarded, 2U);
    send_one(*b_, kHostB, kHostA);
    pass(*a_, 1, 1);
    EXPECT_EQ(bridge_->counters(1).forwarded, learning == Bridge::Learning::on ? 1U : 2U);
    send_one(*a_, kHostA, kHostB);
    pass(*b_, 0, 2);
    EXPECT_EQ(bridge_->counters(0).forwarded, learning == Bridge::Learning::on ? 3U : 4U);
    send_one(*a_, kHostA, kHostC);
    send_one(*a_, kHostA, MacAddress::broadcast());
    pass(*b_, 0, 4);
    EXPECT_EQ(bridge_->counters(0).forwarded, learning == Bridge::Learning::on ? 7U : 8U);
  }
}

TEST_F(LossbridgeTest, BadCommandsAreRefused) {
  for (const char* line : {"loss", "loss 2", "loss x", "loss -1", "loss nosuch=0.1", "delay 5,1",
                           "teleport 1", "down nosuch", ""}) {
    EXPECT_FALSE(bridge_->command(line)) << line;
  }
}

TEST_F(LossbridgeTest, OneDirectionsTrafficDoesNotChangeTheOthersLosses) {
  ASSERT_TRUE(bridge_->command("loss 0.2"));
  send(*a_, 200);
  const auto alone = pass(*b_, 0, 200);
  open_bridge(options());
  ASSERT_TRUE(bridge_->command("loss 0.2"));
  send(*b_, 77);
  const auto back = pass(*a_, 1, 77);
  send(*a_, 200);
  EXPECT_EQ(pass(*b_, 0, 200), alone);
  EXPECT_LT(back.size(), 77U);
}

TEST_F(LossbridgeTest, DecisionLogTellsEveryFramesFate) {
  const std::string path = temp_path("log");
  Bridge::Options with_log = options();
  with_log.log_path = path;
  open_bridge(with_log);
  send(*a_, 1);
  pass(*b_, 0, 1);
  for (const char* command : {"loss wa=1", "down", "clear", "max-frame 1514", "dup 1", "flip 1"}) {
    ASSERT_TRUE(bridge_->command(command));
    if (std::string_view(command) == "max-frame 1514") {
      send(*a_, 1, 9014);
    } else {
      send(*a_, 1);
    }
    pass(*b_, 0, bridge_->counters(0).received + 1);
  }
  ASSERT_TRUE(bridge_->command("clear"));
  ASSERT_TRUE(bridge_->command("delay 1500"));
  send(*b_, 1);
  pass(*a_, 1, 1);
  bridge_.reset();
  std::istringstream lines(take_file(path));
  std::vector<std::string> decisions;
  for (std::string line; std::getline(lines, line);) {
    decisions.push_back(line.substr(line.find(' ') + 1));  // without the time
  }
  EXPECT_THAT(
      decisions,
      ::testing::ElementsAre(
          "wa 0 60 forwarded", "command loss wa=1", "wa 1 60 lost", "command down",
          "wa 2 60 blocked", "command clear", "wa 3 60 forwarded", "command max-frame 1514",
          "wa 4 9014 black-holed", "command dup 1", "wa 5 60 forwarded", "wa 5 60 duplicated",
          "wa 5 60 forwarded", "command flip 1", ::testing::MatchesRegex("wa 6 60 flipped=[0-9]+"),
          "wa 6 60 forwarded", "wa 6 60 duplicated", "wa 6 60 forwarded", "command clear",
          "command delay 1500", "wb 0 60 delayed=1500"));
}

TEST(Fate, DependsOnSeedDirectionAndNumberOnly) {
  Impairment loss_only;
  loss_only.loss = 0.3;
  Impairment all = loss_only;
  all.dup = all.flip = all.reorder = 0.5;
  all.delay_max = Duration::milliseconds(1);
  int lost = 0;
  int differs_by_direction = 0;
  int differs_by_seed = 0;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const bool first = decide_fate(loss_only, 7, 0, number, 60).lost;
    EXPECT_EQ(decide_fate(all, 7, 0, number, 9014).lost, first) << number;
    lost += first ? 1 : 0;
    differs_by_direction += decide_fate(loss_only, 7, 1, number, 60).lost != first ? 1 : 0;
    differs_by_seed += decide_fate(loss_only, 8, 0, number, 60).lost != first ? 1 : 0;
  }
  EXPECT_NEAR(lost, 300, 60);
  EXPECT_NEAR(differs_by_direction, 420, 80);
  EXPECT_NEAR(differs_by_seed, 420, 80);
}

TEST(Fate, DelaysStayInTheirBoundsAndBitsInTheFrame) {
  Impairment impairment;
  impairment.flip = impairment.dup = 1;
  impairment.delay_min = Duration::microseconds(100);
  impairment.delay_max = Duration::microseconds(200);
  std::uint64_t highest_bit = 0;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const Fate fate = decide_fate(impairment, 1, 0, number, 10);
    ASSERT_EQ(fate.copies, 2U);
    for (const Fate::Copy& copy : fate.copy) {
      ASSERT_GE(copy.delay, impairment.delay_min);
      ASSERT_LE(copy.delay, impairment.delay_max);
    }
    ASSERT_TRUE(fate.flipped_bit);
    ASSERT_LT(*fate.flipped_bit, 80U);
    highest_bit = std::max(highest_bit, *fate.flipped_bit);
  }
  EXPECT_GT(highest_bit, 70U);
  EXPECT_FALSE(decide_fate(impairment, 1, 0, 0, 0).flipped_bit) << "an empty frame has no bits";
}

TEST(Schedule, IsSortedByTimeAndKeepsTheOrderWithinOne) {
  const auto schedule = parse_schedule(
      "# two pulls\n"
      "1500 down wa\n"
      "\n"
      "500 loss wb=0.5\n"
      "1500 up wa\n");
  ASSERT_TRUE(schedule) << schedule.error().message;
  ASSERT_EQ(schedule->size(), 3U);
  EXPECT_EQ((*schedule)[0].line, "loss wb=0.5");
  EXPECT_EQ((*schedule)[0].after_start, Duration::milliseconds(500));
  EXPECT_EQ((*schedule)[1].line, "down wa");
  EXPECT_EQ((*schedule)[2].line, "up wa");
}

TEST(Schedule, RefusesWhatHasNoTimeOrNoCommand) {
  for (const char* text : {"down", "x down", "100", "100 ", "-5 down"}) {
    const auto schedule = parse_schedule(text);
    ASSERT_FALSE(schedule) << text;
    EXPECT_EQ(schedule.error().code, Errc::invalid_argument);
  }
  EXPECT_FALSE(read_schedule("/nonexistent/schedule"));
}

}  // namespace
}  // namespace aoe::lossbridge
