// One target after another: what the second knows of what the first did.
#include "target/handover.h"

#include "support/linux_host.h"
#include "support/sealed_frames.h"
#include "support/target_fixture.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using protocol::Hello;
using protocol::Seal;
using target::EventKind;
using target::ExportSettings;
using target::Handover;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kEpoch = 77;

ExportSettings lasting() {
  ExportSettings settings = TargetHarness::settings();
  settings.cache_epoch = kEpoch;
  return settings;
}

HarnessOptions other_seed() {
  HarnessOptions options;
  options.seed = 2;
  return options;
}

// `t` serves first, `next` afterwards, and both lie at one place of one clock.
class HandoverTest : public TargetTest {
 protected:
  static Hello say_hello(TargetHarness& to) {
    const auto parsed =
        protocol::parse_hello(to.answer(hello_frame(hello_header(), hello_of(kInstanceA))).bytes);
    EXPECT_TRUE(parsed);
    return parsed ? *parsed : Hello{};
  }

  static FrameBuilder write(std::uint64_t lba, std::uint8_t seed) {
    return FrameBuilder::write(lba, pattern(kSectorBytes, seed));
  }

  void follow(const ExportSettings& settings) {
    const auto left = t.core().hand_over(t.now(), t.at().id);
    ASSERT_TRUE(left) << left.error().message;
    const auto handover = target::decode_handover(kE71, target::encode_handover(kE71, *left));
    ASSERT_TRUE(handover) << handover.error().message;
    if (t.now() > next.now()) {
      next.advance(t.now() - next.now());
    }
    ExportSettings held = settings;
    held.hold_plain_writes = Duration::seconds(1);
    const ExportId id = next.add(held);
    ASSERT_TRUE(next.core().take_over(next.now(), id, *handover));
    next.run();
    (void)next.take_frames();
  }

  std::size_t writes_of(TargetHarness& harness) {
    std::size_t count = 0;
    for (const StoreRecord& record : harness.disk(harness.at().id).take_log()) {
      count += record.kind == StoreOpKind::write ? 1U : 0U;
    }
    return count;
  }

 public:
  TargetHarness next{other_seed()};
};

TEST_F(HandoverTest, SessionsGoOnAndCopiesAreKnown) {
  (void)t.serve(lasting());
  const Hello before = say_hello(t);
  const Seal seal{.has_crc = true, .session = before.session, .sequence = 3, .sequence_low = 1};
  const SentFrame first = t.answer(sealed(write(10, 1), seal));
  follow(lasting());

  EXPECT_EQ(next.core().instance(), before.target_instance);
  const SentFrame again = next.answer(sealed(write(10, 1), seal));
  EXPECT_EQ(again.bytes, first.bytes);
  EXPECT_EQ(writes_of(next), 0U) << "it was executed by the target before";
  EXPECT_EQ(next.at().stats.seal.duplicates_answered, 1U);

  const Seal fresh{.has_crc = true, .session = before.session, .sequence = 4, .sequence_low = 1};
  (void)next.answer(sealed(write(11, 2), fresh));
  EXPECT_EQ(writes_of(next), 1U);

  const Hello after = say_hello(next);
  EXPECT_EQ(after.session, before.session);
  EXPECT_EQ(after.cache_epoch, kEpoch);
  EXPECT_EQ(next.at().stats.seal.sessions, 0U);
}

TEST_F(HandoverTest, ItServesAtOnceOrStaysOfflineAsTheOneBefore) {
  const ExportId id = t.serve(lasting());
  follow(lasting());
  EXPECT_EQ(next.at().state, target::ExportState::online);
  ASSERT_THAT(next.take_events(), SizeIs(1));

  ASSERT_TRUE(t.core().set_online(t.now(), id, target::TargetCore::Online::no));
  auto left = t.core().hand_over(t.now(), id);
  ASSERT_TRUE(left);
  EXPECT_FALSE(left->is_online);
  TargetHarness third;
  ASSERT_TRUE(third.core().take_over(third.now(), third.add(lasting()), *left));
  EXPECT_EQ(third.at().state, target::ExportState::offline);
}

TEST_F(HandoverTest, AWriteCacheStaysOffThatSomebodySwitchedOffAndOnlyThen) {
  ExportSettings write_back = lasting();
  write_back.mode = target::WriteMode::write_back;
  const ExportId id = t.serve(lasting());
  follow(write_back);
  EXPECT_TRUE(next.at().ata.write_cache_enabled) << "the one before had none";
  ASSERT_TRUE(t.core().remove_export(t.now(), id));
  t.run();
  (void)t.serve(write_back);
  (void)t.answer(FrameBuilder::ata(0xEF).feature(0x82));
  const auto left = t.core().hand_over(t.now(), t.at().id);
  ASSERT_TRUE(left);
  EXPECT_TRUE(left->is_write_cache_off);
  TargetHarness third;
  ASSERT_TRUE(third.core().take_over(third.now(), third.add(write_back), *left));
  EXPECT_FALSE(third.at().ata.write_cache_enabled);
}

// The store is a new one, and an initiator has to learn that what it did not flush is gone.
TEST_F(HandoverTest, AStoreThatDoesNotOutliveItsTargetBeginsAnew) {
  (void)t.serve(TargetHarness::settings());
  const Hello before = say_hello(t);
  follow(TargetHarness::settings());
  const Hello after = say_hello(next);
  EXPECT_EQ(after.target_instance, before.target_instance);
  EXPECT_NE(after.session, before.session);
  EXPECT_NE(after.cache_epoch, before.cache_epoch);
}

TEST_F(HandoverTest, SessionsOfAnotherInstanceAreNotTaken) {
  (void)t.serve(lasting());
  const Hello before = say_hello(t);
  (void)next.serve(TargetHarness::settings({Shelf{7}, Slot{2}}));
  (void)next.answer(hello_frame(hello_header().address({Shelf{7}, Slot{2}}), hello_of(kInstanceB)));
  follow(lasting());
  EXPECT_NE(next.core().instance(), before.target_instance) << "its own was told already";
  const Seal seal{.has_crc = true, .session = before.session, .sequence = 3, .sequence_low = 1};
  (void)next.answers(sealed(write(10, 1), seal));
  EXPECT_EQ(writes_of(next), 0U) << "the session has to be begun anew first";
}

TEST_F(HandoverTest, WhatLinuxWroteIsKnownAndNothingIsHeld) {
  (void)t.serve(lasting());
  LinuxHost host(250);
  const auto from_linux = [&host](FrameBuilder frame, TargetHarness& to) {
    return Bytes(frame.from(kInitiatorA).tag(host.next(to.now()).value));
  };
  for (int i = 0; i < 60; ++i) {
    t.advance(Duration::milliseconds(25));
    t.deliver(from_linux(FrameBuilder::read(500), t));
  }
  const Bytes delayed = from_linux(write(10, 1), t);
  t.advance(Duration::milliseconds(100));
  (void)t.answers(from_linux(write(10, 2), t));
  follow(lasting());

  EXPECT_THAT(next.answers(delayed), IsEmpty());
  EXPECT_EQ(next.at().stats.late.stale, 1U);
  next.advance(Duration::milliseconds(10));
  EXPECT_THAT(next.answers(from_linux(write(10, 3), next)), SizeIs(1));
  EXPECT_EQ(next.at().stats.late.held, 0U);
}

TEST_F(HandoverTest, RequestsInFlightCannotBeHandedOver) {
  const ExportId id = t.serve(lasting());
  t.disk(id).hold();
  t.deliver(write(10, 1));
  EXPECT_FALSE(t.core().hand_over(t.now(), id));
  t.finish_all(id);
  EXPECT_TRUE(t.core().hand_over(t.now(), id));
}

TEST(HandoverBlob, EveryByteCounts) {
  Handover handover;
  handover.target_instance = 5;
  handover.is_write_cache_off = true;
  handover.sessions.push_back({.id = 9,
                               .initiator_instance = 11,
                               .capabilities = 3,
                               .frame_life_ms = 1000,
                               .last_source = kInitiatorA,
                               .low = 4,
                               .answers = {{.sequence = 4, .digest = {1, 2, 3}, .answer = {}}}});
  handover.hosts.push_back({.mac = kInitiatorA, .number = 1, .clock = {.hz = 250, .offset = 7}});
  handover.stamps.push_back({.host = 1, .lba = Lba{8}, .sectors = 16, .stamp = Tag{6}});
  const Bytes blob = target::encode_handover(kE71, handover);
  const auto read = target::decode_handover(kE71, blob);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(target::encode_handover(kE71, *read), blob);
  EXPECT_FALSE(target::decode_handover({Shelf{7}, Slot{2}}, blob));
  for (std::size_t i = 0; i < blob.size(); ++i) {
    Bytes damaged = blob;
    damaged[i] ^= std::byte{0x10};
    EXPECT_FALSE(target::decode_handover(kE71, damaged)) << i;
    EXPECT_FALSE(target::decode_handover(kE71, ConstByteSpan(blob).first(i))) << i;
  }
}

}  // namespace
}  // namespace aoe::test
