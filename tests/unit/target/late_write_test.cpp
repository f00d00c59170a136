// Writes of plain initiators that come too late, through a whole core.
#include "support/linux_host.h"
#include "support/sealed_frames.h"
#include "support/target_fixture.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using target::ExportSettings;
using target::LateWriteCounters;
using testing::IsEmpty;
using testing::SizeIs;

class LateWrites : public TargetTest {
 protected:
  LateWrites() = default;

  explicit LateWrites(const HarnessOptions& options) : TargetTest(options) {}

  void serve(const ExportSettings& settings = TargetHarness::settings()) {
    (void)t.serve(settings);
  }

  static FrameBuilder write(std::uint64_t lba, std::uint8_t seed, std::size_t sectors = 1) {
    return FrameBuilder::write(lba, pattern(sectors * kSectorBytes, seed));
  }

  // The same frame as the sender sends it now.
  Bytes from_linux(FrameBuilder frame, LinuxHost& sender, const MacAddress& mac = kInitiatorA) {
    return frame.from(mac).tag(sender.next(t.now()).value);
  }

  // Reads until the clock of the sender is known.
  void make_known(LinuxHost& sender, const MacAddress& mac = kInitiatorA) {
    for (int i = 0; i < 60; ++i) {
      t.advance(Duration::milliseconds(25));
      t.deliver(from_linux(FrameBuilder::read(500), sender, mac));
    }
    (void)t.take_frames();
    (void)disk().take_log();
  }

  ModelDisk& disk() { return t.disk(t.at().id); }

  [[nodiscard]] const LateWriteCounters& counters() { return t.at().stats.late; }

  // An empty one when the address is not known.
  [[nodiscard]] target::Initiator initiator(const MacAddress& mac) {
    for (const target::Initiator& entry : t.core().initiators()) {
      if (entry.in_use && entry.mac == mac) {
        return entry;
      }
    }
    return {};
  }

 public:
  LinuxHost host{250};
};

// ---- The guard for Linux hosts
// ------------------------------------------------------------------

TEST_F(LateWrites, ADelayedCopyFromLinuxDoesNotUndoANewerWrite) {
  serve();
  make_known(host);
  const Bytes delayed = from_linux(write(10, 1), host);
  t.advance(Duration::milliseconds(100));
  EXPECT_THAT(t.answers(from_linux(write(10, 1), host)), SizeIs(1)) << "sent again";
  t.advance(Duration::milliseconds(10));
  EXPECT_THAT(t.answers(from_linux(write(10, 2), host)), SizeIs(1));
  t.advance(Duration::milliseconds(500));
  EXPECT_THAT(t.answers(delayed), IsEmpty());
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 2));
  EXPECT_EQ(counters().stale, 1U);
  EXPECT_EQ(counters().judged, 3U);
  EXPECT_EQ(t.core().stats().drops.late_write, 1U);
  EXPECT_EQ(t.core().stats().clocks_learned, 1U);
  EXPECT_EQ(initiator(kInitiatorA).stale_writes, 1U);
  EXPECT_EQ(initiator(kInitiatorA).clock.hz(), 250U);
}

// What is dropped comes again with a new tag, and is executed.
TEST_F(LateWrites, WhatWasDroppedIsExecutedWhenItIsSentAgain) {
  serve();
  make_known(host);
  const Bytes overtaken = from_linux(write(10, 1), host);
  EXPECT_THAT(t.answers(from_linux(write(10, 2), host)), SizeIs(1));
  EXPECT_THAT(t.answers(overtaken), IsEmpty());
  EXPECT_THAT(t.answers(from_linux(write(10, 1), host)), SizeIs(1));
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 1));
}

TEST_F(LateWrites, OnlyOverlappingWritesAreCompared) {
  serve();
  make_known(host);
  const Bytes below = from_linux(write(8, 1, 2), host);
  const Bytes across = from_linux(write(9, 1, 2), host);
  const Bytes above = from_linux(write(12, 1, 2), host);
  EXPECT_THAT(t.answers(from_linux(write(10, 2, 2), host)), SizeIs(1));
  EXPECT_THAT(t.answers(below), SizeIs(1));
  EXPECT_THAT(t.answers(above), SizeIs(1));
  EXPECT_THAT(t.answers(across), IsEmpty());
}

TEST_F(LateWrites, AnOldCopyDoesNotPassWhileTheNewerWriteStillRuns) {
  serve();
  make_known(host);
  const Bytes delayed = from_linux(write(10, 1), host);
  disk().hold();
  t.deliver(from_linux(write(10, 2), host));
  t.deliver(delayed);
  EXPECT_EQ(counters().stale, 1U);
  disk().stop_holding();
  t.finish_all(t.at().id);
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 2));
}

TEST_F(LateWrites, TwoPortsOfOneHostAreOneHost) {
  serve();
  make_known(host);
  make_known(host, kInitiatorB);
  EXPECT_EQ(initiator(kInitiatorA).host, initiator(kInitiatorB).host);
  const Bytes delayed = from_linux(write(10, 1), host, kInitiatorA);
  EXPECT_THAT(t.answers(from_linux(write(10, 2), host, kInitiatorB)), SizeIs(1));
  EXPECT_THAT(t.answers(delayed), IsEmpty());
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 2));
}

TEST_F(LateWrites, TwoHostsAreNotComparedWithEachOther) {
  serve();
  LinuxHost other(250, 77);
  make_known(host);
  make_known(other, kInitiatorB);
  EXPECT_NE(initiator(kInitiatorA).host, initiator(kInitiatorB).host);
  EXPECT_THAT(t.answers(from_linux(write(10, 1), host)), SizeIs(1));
  EXPECT_THAT(t.answers(from_linux(write(10, 2), other, kInitiatorB)), SizeIs(1));
  EXPECT_EQ(counters().stale, 0U);
}

TEST_F(LateWrites, ExportsAreNotComparedWithEachOther) {
  serve();
  serve(TargetHarness::settings(kE72));
  make_known(host);
  const Bytes first = from_linux(write(10, 1), host);
  EXPECT_THAT(t.answers(from_linux(write(10, 2).address(kE72), host)), SizeIs(1));
  EXPECT_THAT(t.answers(first), SizeIs(1));
}

// Whoever sends the same tag again would wait for ever if his old writes were dropped.
TEST_F(LateWrites, InitiatorsWithOtherTagsAreLeftAlone) {
  serve();
  std::uint32_t counter = 0x01000000;
  for (int i = 0; i < 200; ++i) {
    t.advance(Duration::milliseconds(25));
    t.deliver(FrameBuilder::read(500).tag(counter++));
  }
  const Bytes first = write(10, 1).tag(counter++);
  EXPECT_THAT(t.answers(write(10, 2).tag(counter++)), SizeIs(1));
  EXPECT_THAT(t.answers(first), SizeIs(1));
  EXPECT_THAT(t.answers(first), SizeIs(1));
  EXPECT_EQ(counters().judged, 0U);
  EXPECT_EQ(t.core().stats().clocks_learned, 0U);
}

TEST_F(LateWrites, AContradictionTurnsTheGuardOffAndCostsOneWrite) {
  serve();
  make_known(host);
  const Bytes strange = write(10, 1).tag(0x12345678);
  EXPECT_THAT(t.answers(strange), IsEmpty());
  EXPECT_EQ(counters().contradicted, 1U);
  EXPECT_EQ(t.core().stats().clocks_lost, 1U);
  EXPECT_THAT(t.answers(strange), SizeIs(1)) << "the same tag again";
  make_known(host);
  EXPECT_EQ(t.core().stats().clocks_learned, 2U);
}

TEST_F(LateWrites, CommandsThatLinuxNeverSendsTurnTheGuardOff) {
  serve();
  make_known(host);
  EXPECT_THAT(t.answers(from_linux(FrameBuilder::ata(0xEA), host)), SizeIs(1));
  EXPECT_EQ(t.core().stats().clocks_lost, 1U);
  EXPECT_EQ(initiator(kInitiatorA).host, 0U);
  EXPECT_FALSE(initiator(kInitiatorA).clock.is_known());
}

TEST_F(LateWrites, TheGuardCanBeSwitchedOffForAnExport) {
  ExportSettings settings = TargetHarness::settings();
  settings.has_stale_write_guard = false;
  serve(settings);
  make_known(host);
  const Bytes delayed = from_linux(write(10, 1), host);
  EXPECT_THAT(t.answers(from_linux(write(10, 2), host)), SizeIs(1));
  EXPECT_THAT(t.answers(delayed), SizeIs(1));
}

HarnessOptions no_life() {
  HarnessOptions options;
  options.limits.frame_life = Duration{};
  return options;
}

class Careless : public LateWrites {
 protected:
  Careless() : LateWrites(no_life()) {}
};

TEST_F(Careless, WithoutAFrameLifeNothingIsJudged) {
  serve();
  make_known(host);
  const Bytes delayed = from_linux(write(10, 1), host);
  EXPECT_THAT(t.answers(from_linux(write(10, 2), host)), SizeIs(1));
  EXPECT_THAT(t.answers(delayed), SizeIs(1));
  EXPECT_EQ(counters().judged, 0U);
}

HarnessOptions few_stamps() {
  HarnessOptions options;
  options.limits.write_stamps_max = 4;
  return options;
}

class FewStamps : public LateWrites {
 protected:
  FewStamps() : LateWrites(few_stamps()) {}
};

TEST_F(FewStamps, WhatCannotBeRememberedIsNotExecutedButWaits) {
  serve();
  make_known(host);
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_THAT(t.answers(from_linux(write(i * 32, 1), host)), SizeIs(1));
  }
  EXPECT_THAT(t.answers(from_linux(write(200, 1), host)), IsEmpty());
  EXPECT_EQ(counters().unremembered, 1U);
  EXPECT_THAT(t.answers(write(200, 1).from(kInitiatorB)), SizeIs(1)) << "others are not judged";
  t.advance(Duration::seconds(2));
  EXPECT_THAT(t.answers(from_linux(write(200, 1), host)), SizeIs(1));
}

// ---- After a start
// ------------------------------------------------------------------------------

class Restarted : public LateWrites {
 protected:
  Restarted() {
    ExportSettings settings = TargetHarness::settings();
    settings.hold_plain_writes = Duration::seconds(2);
    serve(settings);
  }
};

TEST_F(Restarted, PlainWritesWaitForAFrameLifeAndReadsDoNot) {
  EXPECT_THAT(t.answers(write(10, 1)), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::trim({{1, 1}})), IsEmpty());
  EXPECT_EQ(counters().held, 2U);
  EXPECT_EQ(t.core().stats().drops.late_write, 2U);
  EXPECT_THAT(t.answer(FrameBuilder::read(10)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEA)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::config(protocol::ConfigCommand::read)),
              IsConfigReply(protocol::ConfigCommand::read, ""));
  t.advance(Duration::seconds(2));
  EXPECT_THAT(t.answer(write(10, 1)), IsAtaOk());
}

TEST_F(Restarted, SealedWritesDoNotWait) {
  const SentFrame reply = t.answer(hello_frame(hello_header(), hello_of(kInstanceA)));
  const auto hello = protocol::parse_hello(reply.bytes);
  ASSERT_TRUE(hello);
  EXPECT_THAT(t.answers(sealed(
                  write(10, 1),
                  {.has_crc = true, .session = hello->session, .sequence = 1, .sequence_low = 1})),
              SizeIs(1));
  EXPECT_EQ(disk().peek(10), pattern(kSectorBytes, 1));
}

}  // namespace
}  // namespace aoe::test
