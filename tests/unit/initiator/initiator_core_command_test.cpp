// Raw commands.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <array>

namespace aoe::initiator {
namespace {

class CoreCommand : public testing::Test {
 protected:
  void SetUp() override { world.port_up(); }

  std::vector<CommandCompletion> commands() {
    std::vector<CommandCompletion> all(20);
    all.resize(world.core->poll_commands(all));
    return all;
  }

  void submit(const CommandRequest& request) {
    EXPECT_TRUE(world.core->submit_command(world.now, request).has_value());
  }

  CommandRequest config_query() {
    return {.cookie = 9,
            .address = kE71,
            .destination = kTargetMac,
            .command = 1,
            .argument = argument,
            .reply = reply,
            .reply_bytes_min = 8};
  }

  CoreWorld world;
  FakeTarget target;
  Bytes argument = Bytes(8);
  Bytes reply = Bytes(1500);
};

TEST_F(CoreCommand, ReturnsTheReplysBytesAndHeader) {
  target.config_string = "abc";
  submit(config_query());
  const Sent sent = world.take_sent().at(0);
  EXPECT_EQ(sent.header.destination, kTargetMac);
  world.now = world.now + Duration::milliseconds(3);
  world.receive(*target.answer(sent));
  const auto done = commands();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0].answered);
  EXPECT_EQ(done[0].cookie, 9U);
  EXPECT_EQ(done[0].header.source, kTargetMac);
  EXPECT_EQ(done[0].rtt, Duration::milliseconds(3));
  EXPECT_EQ(done[0].reply_bytes, 36U);
  EXPECT_EQ(as_text(ConstByteSpan(reply).subspan(8, 3)), "abc");
}

TEST_F(CoreCommand, GoesOutOnEveryPortAndTakesTheFirstAnswer) {
  world.port_up(PortId{1}, 1500, kHostMac2);
  CommandRequest request = config_query();
  request.destination = MacAddress::broadcast();
  request.address = {protocol::kAllShelves, protocol::kAllSlots};
  submit(request);
  const std::vector<Sent> sent = world.take_sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].header.tag, sent[1].header.tag);
  EXPECT_EQ(sent[1].header.source, kHostMac2);
  world.receive(*target.answer(sent[1]), PortId{1});
  world.receive(*target.answer(sent[0]), PortId{0});
  const auto done = commands();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].port, PortId{1});
  EXPECT_EQ(done[0].header.address, kE71);
}

TEST_F(CoreCommand, RepeatsUnderTheSameTagThenTimesOut) {
  submit(config_query());
  std::vector<Sent> sent = world.take_sent();
  world.advance(Duration::milliseconds(4999), [&](const Sent& frame) { sent.push_back(frame); });
  // 0, 0.2, 0.6, 1.4, 3.0
  EXPECT_EQ(sent.size(), 5U);
  for (const Sent& frame : sent) {
    EXPECT_EQ(frame.frame, sent[0].frame);
  }
  EXPECT_TRUE(commands().empty());
  world.advance(Duration::milliseconds(1));
  const auto done = commands();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].answered);
  EXPECT_EQ(done[0].retransmissions, 4U);
}

TEST_F(CoreCommand, SendsOnceWhereNoRetransmissionIsWanted) {
  CommandRequest request = config_query();
  request.retransmissions_max = 0;
  submit(request);
  std::size_t frames = world.take_sent().size();
  world.advance(Duration::seconds(10), [&](const Sent&) { ++frames; });
  EXPECT_EQ(frames, 1U);
  EXPECT_EQ(commands().size(), 1U);
}

TEST_F(CoreCommand, IgnoresAnswersOfOthersAndShortOnes) {
  submit(config_query());
  const Sent sent = world.take_sent().at(0);
  const Bytes good = *target.answer(sent);
  Bytes forged = good;
  store_mac(forged, 6, kTargetMac2);
  world.receive(forged);
  forged = good;
  store_u8(forged, 18, 9);
  world.receive(forged);
  forged = good;
  store_u8(forged, 19, 2);
  world.receive(forged);
  forged = good;
  forged.resize(30);
  world.receive(forged);
  EXPECT_TRUE(commands().empty());
  EXPECT_EQ(world.core->stats().wrong_path, 1U);
  EXPECT_EQ(world.core->stats().wrong_address, 1U);
  EXPECT_EQ(world.core->stats().wrong_command, 1U);
  EXPECT_EQ(world.core->stats().short_data, 1U);
  world.receive(good);
  EXPECT_EQ(commands().size(), 1U);
}

TEST_F(CoreCommand, ErrorRepliesAreAnswers) {
  submit(config_query());
  Bytes error = reply_to(world.take_sent().at(0), target);
  error.resize(24);
  error[14] |= std::byte{0x04};
  error[15] = std::byte{1};
  world.receive(error);
  const auto done = commands();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(done[0].header.is_error);
  EXPECT_EQ(done[0].header.error, 1);
}

TEST_F(CoreCommand, TheTableIsBoundedAndCancelFreesASlot) {
  for (std::uint64_t i = 0; i < 16; ++i) {
    CommandRequest request = config_query();
    request.cookie = i;
    submit(request);
  }
  EXPECT_EQ(world.core->submit_command(world.now, config_query()).error(), SubmitError::busy);
  world.core->cancel_command(3);
  world.core->cancel_command(777);
  submit(config_query());
  EXPECT_TRUE(commands().empty());
}

TEST_F(CoreCommand, RefusesUnknownPortsAndOversizedArguments) {
  CommandRequest request = config_query();
  request.port = PortId{1};
  EXPECT_EQ(world.core->submit_command(world.now, request).error(), SubmitError::bad_request);
  const Bytes huge(10'000);
  request = config_query();
  request.argument = huge;
  EXPECT_EQ(world.core->submit_command(world.now, request).error(), SubmitError::bad_request);
}

TEST_F(CoreCommand, WaitsForALink) {
  world.port_down();
  submit(config_query());
  EXPECT_TRUE(world.take_sent().empty());
  world.port_up();
  std::size_t frames = 0;
  world.advance(Duration::milliseconds(500), [&](const Sent&) { ++frames; });
  EXPECT_GE(frames, 1U);
}

}  // namespace
}  // namespace aoe::initiator
