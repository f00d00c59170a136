// Whether the model does what the driver does, by the figures of aoecmd.c and aoedev.c.
#include "sim/models/linux_driver.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_registers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

namespace aoe::sim {
namespace {

constexpr DeviceAddress kAddress{Shelf{7}, Slot{1}};
constexpr MacAddress kHost{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kTarget{{2, 0, 0, 0, 0, 2}};
constexpr std::uint16_t kBuffers = 64;
constexpr Duration kRoundTrip = Duration::milliseconds(1);

class LinuxDriverTest : public ::testing::Test {
 protected:
  LinuxDriverTest() {
    driver_.add_interface(PortId{0}, kHost, 1500);
    driver_.handle_timeout(now_);
    for (const auto& query : take_sent()) {
      offer(query);
    }
  }

  std::vector<std::vector<std::byte>> take_sent() {
    std::vector<std::vector<std::byte>> all;
    while (auto out = driver_.poll_transmit()) {
      all.push_back(std::move(out->bytes));
    }
    return all;
  }

  static std::vector<std::byte> reply_to(ConstByteSpan frame, std::size_t bytes) {
    std::vector<std::byte> reply(std::max(bytes, protocol::kFrameBytesMin));
    protocol::build_header(
        reply, protocol::reply_header(*protocol::parse_header(frame), kTarget, kAddress));
    return reply;
  }

  void offer(ConstByteSpan query) {
    std::vector<std::byte> reply = reply_to(query, protocol::kConfigHeaderBytes);
    protocol::build_config(reply, {.buffer_count = kBuffers, .sector_count = 2});
    driver_.handle_frame(now_, PortId{0}, reply);
  }

  void answer(ConstByteSpan frame) {
    const protocol::AtaArgument asked = protocol::parse_ata(frame)->argument;
    const bool is_identify = asked.command_status == 0xEC;
    const std::size_t bytes =
        is_identify ? protocol::kIdentifyBytes : std::size_t{asked.sector_count} * kSectorBytes;
    std::vector<std::byte> reply = reply_to(frame, protocol::kAtaHeaderBytes + bytes);
    protocol::AtaArgument result = asked;
    result.command_status = protocol::kStatusReady;
    result.feature_error = 0;
    protocol::build_ata(reply, result);
    if (is_identify) {
      protocol::build_identify(ByteSpan(reply).subspan(protocol::kAtaHeaderBytes), disk_);
    }
    driver_.handle_frame(now_, PortId{0}, reply);
  }

  // Answers what was sent, a round trip later.
  void round_trip() {
    const auto sent = take_sent();
    now_ = now_ + kRoundTrip;
    for (const auto& frame : sent) {
      answer(frame);
    }
    while (driver_.poll_completion()) {
    }
  }

  void come_up() {
    round_trip();
    ASSERT_TRUE(driver_.is_up(kAddress));
    driver_.open(kAddress);
  }

  void read() {
    ASSERT_TRUE(driver_.submit(now_, kAddress, {.lba = Lba{8}, .read_into = memory_}));
  }

  // Lets time pass, and takes what is sent meanwhile.
  std::vector<std::vector<std::byte>> sent_within(Duration duration) {
    std::vector<std::vector<std::byte>> all = take_sent();
    const Instant end = now_ + duration;
    while (driver_.poll_timeout() <= end) {
      now_ = std::max(now_, driver_.poll_timeout());
      driver_.handle_timeout(now_);
      for (auto& frame : take_sent()) {
        if (protocol::parse_header(frame)->command == 0) {
          all.push_back(std::move(frame));
        }
      }
    }
    now_ = end;
    return all;
  }

  [[nodiscard]] double rto_ms() const {
    return static_cast<double>(driver_.rto(kAddress).ns) / 1e6;
  }

  Instant now_{1'000'000'000};
  LinuxDriver driver_{{}};
  protocol::IdentifyModel disk_{.serial = "S1", .sector_count = 4096, .has_lba48 = true};
  std::vector<std::byte> memory_ = std::vector<std::byte>(kSectorBytes);
};

// A comparison of 250 ms in units of 1/256 us with deviations in units of 1/8 us.
TEST_F(LinuxDriverTest, TheFirstTimerIsSixteenSecondsAndLearnsFromTwoThousandAnswers) {
  EXPECT_NEAR(rto_ms(), 16'500, 1);
  come_up();

  struct Point {
    int samples;
    double ms;
  };

  int samples = 1;  // that of IDENTIFY
  for (const Point point :
       {Point{16, 4000}, Point{64, 2000}, Point{256, 940}, Point{1024, 48}, Point{2048, 2.9}}) {
    for (; samples < point.samples; ++samples) {
      read();
      round_trip();
    }
    EXPECT_NEAR(rto_ms(), point.ms, point.ms * 0.05) << "after " << point.samples << " answers";
  }
}

TEST_F(LinuxDriverTest, TheWindowBeginsAtHalfTheBuffersAndOneExpiryMakesItOne) {
  come_up();
  EXPECT_EQ(driver_.window_frames(kAddress), kBuffers / 2);
  read();
  EXPECT_EQ(sent_within(Duration::seconds(20)).size(), 2U) << "sent, and sent again";
  EXPECT_EQ(driver_.window_frames(kAddress), 1U);
}

TEST_F(LinuxDriverTest, AFrameIsSentAgainForEverAtOnePaceUnderNewTags) {
  come_up();
  for (int i = 0; i < 2048; ++i) {
    read();
    round_trip();
  }
  const double before_ms = rto_ms();
  read();
  const auto sent = sent_within(Duration::seconds(10));
  std::set<std::uint32_t> tags;
  for (const auto& frame : sent) {
    tags.insert(protocol::parse_header(frame)->tag.value);
  }
  EXPECT_EQ(tags.size(), sent.size());
  EXPECT_NEAR(static_cast<double>(sent.size()), 100, 3) << "at each tick of 100 ms";
  EXPECT_EQ(rto_ms(), before_ms) << "silence teaches nothing";
  EXPECT_EQ(driver_.counters().retransmissions, sent.size() - 1);
}

TEST_F(LinuxDriverTest, AnAnswerToAnEarlierTransmissionIsNotTaken) {
  come_up();
  read();
  const auto sent = sent_within(Duration::seconds(20));
  ASSERT_EQ(sent.size(), 2U);
  answer(sent.front());
  EXPECT_FALSE(driver_.poll_completion().has_value());
  EXPECT_EQ(driver_.counters().unexpected, 1U);
  answer(sent.back());
  EXPECT_TRUE(driver_.poll_completion().has_value());
}

TEST_F(LinuxDriverTest, ItsTagsCountInTheHighHalfAndTellTheTimeInTheLowOne) {
  come_up();
  std::vector<std::uint32_t> tags;
  for (int i = 0; i < 2; ++i) {
    read();
    tags.push_back(protocol::parse_header(take_sent().front())->tag.value);
    now_ = now_ + Duration::seconds(1);
  }
  EXPECT_EQ(tags[0] >> 31U, 0U);
  EXPECT_EQ((tags[1] >> 16U) - (tags[0] >> 16U), 1U);
  EXPECT_EQ((tags[1] & 0xFFFFU) - (tags[0] & 0xFFFFU), 250U);
}

TEST_F(LinuxDriverTest, ADiskThatWasGivenUpComesBackWhenItWasClosedAndIsFound) {
  come_up();
  read();
  static_cast<void>(sent_within(Duration::seconds(220)));
  const auto ended = driver_.poll_completion();
  ASSERT_TRUE(ended.has_value());
  EXPECT_FALSE(ended->ok);
  EXPECT_FALSE(driver_.is_up(kAddress));
  EXPECT_EQ(driver_.counters().disks_killed, 1U);

  driver_.close(kAddress);
  const auto queries = take_sent();
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_EQ(protocol::parse_header(queries[0])->address, kAddress);
  driver_.open(kAddress);
  offer(queries[0]);
  EXPECT_TRUE(take_sent().empty()) << "an open disk is not identified";
  driver_.close(kAddress);
  static_cast<void>(take_sent());
  offer(queries[0]);
  round_trip();
  EXPECT_TRUE(driver_.is_up(kAddress));
}

}  // namespace
}  // namespace aoe::sim
