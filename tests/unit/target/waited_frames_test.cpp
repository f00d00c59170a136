// Requests that lay in the port while the target stood still, through a whole core.
#include "support/linux_host.h"
#include "support/sealed_frames.h"
#include "support/target_fixture.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class WaitedFrames : public TargetTest {
 protected:
  WaitedFrames() { (void)t.serve(TargetHarness::settings()); }

  [[nodiscard]] std::uint64_t dropped() { return t.core().stats().drops.waited; }

  ModelDisk& disk() { return t.disk(t.at().id); }
};

TEST_F(WaitedFrames, APlainRequestThatWasSentAgainLongAgoIsNotAnswered) {
  t.set_waited_ms(999);
  EXPECT_THAT(t.answers(FrameBuilder::read(0)), SizeIs(1));
  EXPECT_EQ(dropped(), 0U);
  t.set_waited_ms(1000);
  EXPECT_THAT(t.answers(FrameBuilder::read(0)), IsEmpty());
  EXPECT_EQ(dropped(), 1U);
  t.set_waited_ms(0);
  EXPECT_THAT(t.answers(FrameBuilder::read(0)), SizeIs(1)) << "the copy that came last";
}

TEST_F(WaitedFrames, SuchAWriteIsNotExecuted) {
  const FrameBuilder write = FrameBuilder::write(10, pattern(kSectorBytes, 7));
  t.set_waited_ms(5000);
  EXPECT_THAT(t.answers(write), IsEmpty());
  EXPECT_EQ(disk().peek(10), Bytes(kSectorBytes));
  t.set_waited_ms(0);
  EXPECT_THAT(t.answers(write), SizeIs(1));
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 7));
}

TEST_F(WaitedFrames, OurOwnInitiatorKnowsWhatIsAnswered) {
  const auto reply = t.answer(hello_frame(hello_header(), hello_of(kInstanceA)));
  const auto hello = protocol::parse_hello(reply.bytes);
  ASSERT_TRUE(hello);
  t.set_waited_ms(5000);
  const protocol::Seal seal{
      .has_crc = true, .session = hello->session, .sequence = 1, .sequence_low = 1};
  EXPECT_THAT(t.answers(sealed(FrameBuilder::read(0), seal)), SizeIs(1));
  EXPECT_EQ(dropped(), 0U);
}

TEST_F(WaitedFrames, WhoLooksForTargetsIsAnswered) {
  t.set_waited_ms(5000);
  EXPECT_THAT(t.answers(FrameBuilder::config(protocol::ConfigCommand::read)), SizeIs(1));
  EXPECT_EQ(dropped(), 0U);
}

TEST_F(WaitedFrames, WhatWasInFlightWhenTheTargetStoodStillIsNotAnswered) {
  disk().hold();
  t.deliver(FrameBuilder::read(0));
  t.deliver(FrameBuilder::write(10, pattern(kSectorBytes, 7)));
  t.stand_still(Duration::seconds(60));
  t.core().handle_standstill();
  t.finish_all(t.at().id);
  EXPECT_THAT(t.take_frames(), IsEmpty());
  EXPECT_EQ(dropped(), 2U);
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 7)) << "it was executed all the same";
  disk().stop_holding();
  EXPECT_THAT(t.answers(FrameBuilder::read(0)), SizeIs(1)) << "the place is free again";
}

TEST_F(WaitedFrames, OurOwnInitiatorIsAnsweredThatAsWell) {
  const auto reply = t.answer(hello_frame(hello_header(), hello_of(kInstanceA)));
  const auto hello = protocol::parse_hello(reply.bytes);
  ASSERT_TRUE(hello);
  disk().hold();
  const protocol::Seal seal{
      .has_crc = true, .session = hello->session, .sequence = 1, .sequence_low = 1};
  t.deliver(sealed(FrameBuilder::read(0), seal));
  t.stand_still(Duration::seconds(60));
  t.core().handle_standstill();
  t.finish_all(t.at().id);
  EXPECT_THAT(t.take_frames(), SizeIs(1));
  EXPECT_EQ(dropped(), 0U);
}

TEST_F(WaitedFrames, AnErrorOfTheStoreIsNotToldEither) {
  disk().hold();
  t.deliver(FrameBuilder::read(0));
  t.core().handle_standstill();
  t.finish(t.at().id, 0, StoreErrc::io);
  EXPECT_THAT(t.take_frames(), IsEmpty());
  EXPECT_EQ(dropped(), 1U);
}

TEST_F(WaitedFrames, AStandstillIsOverWhenItIsOver) {
  disk().hold();
  t.core().handle_standstill();
  t.deliver(FrameBuilder::read(0));
  t.finish_all(t.at().id);
  EXPECT_THAT(t.take_frames(), SizeIs(1));
}

// Its tags say that they are old, which would otherwise mean that they hold no time.
TEST_F(WaitedFrames, TheClockOfALinuxHostIsKept) {
  LinuxHost host{250};
  const auto request = [this, &host] {
    FrameBuilder read = FrameBuilder::read(0);
    return Bytes(read.tag(host.next(t.now()).value));
  };
  for (int i = 0; i < 60; ++i) {
    t.advance(Duration::milliseconds(25));
    t.deliver(request());
  }
  ASSERT_EQ(t.core().stats().clocks_learned, 1U);
  const Bytes old = request();
  t.stand_still(Duration::seconds(30));
  t.set_waited_ms(30'000);
  EXPECT_THAT(t.answers(old), IsEmpty());
  t.set_waited_ms(0);
  EXPECT_THAT(t.answers(request()), SizeIs(1));
  EXPECT_EQ(t.core().stats().clocks_lost, 0U);
}

}  // namespace
}  // namespace aoe::test
