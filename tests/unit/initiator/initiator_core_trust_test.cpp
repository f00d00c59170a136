// Whom the core believes, where neither address nor tag tells.
#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <array>

namespace aoe::initiator {
namespace {

TEST(CoreTrust, ANewcomerOfAnotherSizeIsQuarantinedThoughItsNameIsTheSame) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const DeviceId id = world.open(target);
  FakeTarget clone(8192);  // the same serial number and model, as those of a copied machine
  clone.mac = kTargetMac2;
  world.core->discover(kE71);
  world.run(clone);
  EXPECT_TRUE(world.saw(EventKind::path_quarantined));
  EXPECT_EQ(world.core->device(id)->sectors(), 4096U);
  Bytes into(512 * 64);
  world.submit(id, {.op = IoOp::read, .sectors = 64, .read_into = into});
  world.run(target, [](const Sent& sent) {
    EXPECT_EQ(sent.header.destination, kTargetMac);
    return false;
  });
  EXPECT_EQ(world.completions().size(), 1U);
}

TEST(CoreTrust, AnIdentifyWithAWrongChecksumIsAskedForAgain) {
  CoreWorld world;
  world.port_up();
  FakeTarget target;
  const auto id = world.core->open_device(world.now, kE71, {});
  ASSERT_TRUE(id);
  int damaged = 0;
  world.advance(Duration::seconds(5), [&](const Sent& sent) {
    auto answer = target.answer(sent);
    if (!answer) {
      return;
    }
    const bool is_identify = sent.is_identify();
    if (is_identify && damaged < 2) {
      // One bit of the serial number.
      store_u8(*answer, protocol::kAtaHeaderBytes + 20,
               load_u8(*answer, protocol::kAtaHeaderBytes + 20) ^ 1U);
      ++damaged;
    }
    world.receive(*answer, sent.port);
  });
  EXPECT_EQ(damaged, 2);
  EXPECT_GE(world.core->stats().malformed, 2U);
  ASSERT_TRUE(world.core->device(*id)->is_up());
  EXPECT_EQ(world.core->device(*id)->identity()->serial, "S1");
}

TEST(CoreTrust, ARawCommandIsAnsweredOnThePortItWasSentTo) {
  CoreWorld world;
  world.port_up(PortId{0});
  world.port_up(PortId{1}, 1500, kHostMac2);
  FakeTarget target;
  Bytes argument(8);
  Bytes reply(64);
  ASSERT_TRUE(world.core->submit_command(world.now, {.cookie = 1,
                                                     .address = kE71,
                                                     .destination = kTargetMac,
                                                     .port = PortId{0},
                                                     .command = 1,
                                                     .argument = argument,
                                                     .reply = reply,
                                                     .reply_bytes_min = 8}));
  const Sent sent = world.take_sent().at(0);
  ASSERT_EQ(sent.port, PortId{0});
  std::array<CommandCompletion, 2> done;
  world.receive(*target.answer(sent), PortId{1});
  EXPECT_EQ(world.core->poll_commands(done), 0U);
  EXPECT_EQ(world.core->stats().wrong_path, 1U);
  world.receive(*target.answer(sent), PortId{0});
  EXPECT_EQ(world.core->poll_commands(done), 1U);
}

}  // namespace
}  // namespace aoe::initiator
