// Sessions and sealed requests through a whole core. The rules are those of
// docs/PROTOCOL-EXTENSION.md.
#include "support/sealed_frames.h"
#include "support/target_fixture.h"

#include <gmock/gmock.h>

#include <optional>

namespace aoe::test {
namespace {

using protocol::Hello;
using protocol::HelloKind;
using protocol::ReserveCommand;
using protocol::Seal;
using target::EventKind;
using target::ExportSettings;
using target::SealCounters;
using target::TargetEvent;
using testing::AllOf;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MacAddress kSecondMac{{0x02, 0, 0, 0, 0x0a, 0x11}};

HarnessOptions small_table() {
  HarnessOptions options;
  options.limits.sessions_max = 2;
  options.limits.sequence_window = 8;
  options.limits.light_replies_burst = 64;
  return options;
}

class SealedRequests : public TargetTest {
 protected:
  SealedRequests() : SealedRequests(HarnessOptions{}) {}

  explicit SealedRequests(const HarnessOptions& options) : TargetTest(options) {
    (void)t.serve(TargetHarness::settings());
    session = say_hello(hello_of(kInstanceA)).session;
  }

  Hello say_hello(const Hello& hello, const FrameBuilder& header = hello_header()) {
    const SentFrame reply = t.answer(hello_frame(header, hello));
    const auto parsed = protocol::parse_hello(reply.bytes);
    EXPECT_TRUE(parsed) << protocol::dissect_line(reply.bytes);
    return parsed ? *parsed : Hello{};
  }

  [[nodiscard]] Seal seal(std::uint32_t sequence, std::uint32_t low = 1) const {
    return {.has_crc = true, .session = session, .sequence = sequence, .sequence_low = low};
  }

  // The plain content of the only answer, whose seal has to be `wanted`.
  SentFrame answer(const FrameBuilder& request, const Seal& wanted, PortId port = PortId{0}) {
    return unsealed(t.answer(sealed(request, wanted), port), wanted);
  }

  static SentFrame unsealed(const SentFrame& reply, const Seal& wanted) {
    const auto found = protocol::parse_seal(reply.bytes);
    EXPECT_TRUE(found) << protocol::dissect_line(reply.bytes);
    if (!found) {
      return {};
    }
    EXPECT_EQ(*found, wanted);
    return {reply.port, opened(reply.bytes)};
  }

  static FrameBuilder write(std::uint64_t lba, std::uint8_t seed) {
    return FrameBuilder::write(lba, pattern(kSectorBytes, seed));
  }

  [[nodiscard]] const SealCounters& counters() { return t.at().stats.seal; }

  ModelDisk& disk() { return t.disk(t.at().id); }

  // How often the store was asked to change something.
  std::size_t changes() {
    std::size_t count = 0;
    for (const StoreRecord& record : disk().take_log()) {
      count += record.kind == StoreOpKind::read ? 0U : 1U;
    }
    return count;
  }

  void add_second_port() {
    t.set_port(PortId{1}, {.mac = kSecondMac, .mtu_bytes = 9000, .link_up = true});
    (void)t.take_frames();
  }

 public:
  std::uint32_t session = 0;
};

class FewSessions : public SealedRequests {
 protected:
  FewSessions() : SealedRequests(small_table()) {}
};

// ---- Hello
// --------------------------------------------------------------------------------------

TEST_F(SealedRequests, HelloGrantsWhatWasWantedAndTellsWhoWeAre) {
  const Hello reply = say_hello(hello_of(kInstanceB, 17));
  EXPECT_EQ(reply.kind, HelloKind::hello);
  EXPECT_EQ(reply.capabilities, kAllCapabilities);
  EXPECT_EQ(reply.initiator_instance, kInstanceB);
  EXPECT_EQ(reply.target_instance, t.core().instance());
  EXPECT_NE(reply.target_instance, 0U);
  EXPECT_NE(reply.session, 0U);
  EXPECT_EQ(reply.frame_life_ms, 1000U);
  EXPECT_EQ(reply.sequence_window, 1024U);
  EXPECT_EQ(reply.sequence_low, 17U);
  EXPECT_EQ(counters().hellos, 2U);
  EXPECT_EQ(counters().sessions, 2U);
}

TEST_F(SealedRequests, TheCacheEpochIsTheExportsOrOneOfThisStart) {
  EXPECT_EQ(say_hello(hello_of(kInstanceB)).cache_epoch, t.core().instance());
  ExportSettings settings = TargetHarness::settings();
  settings.address.slot = Slot{9};
  settings.cache_epoch = 0x55;
  (void)t.serve(settings);
  const FrameBuilder header = hello_header().address(settings.address);
  EXPECT_EQ(say_hello(hello_of(kInstanceB), header).cache_epoch, 0x55U);
}

TEST_F(SealedRequests, HelloIsAnsweredToItsSenderWithItsTag) {
  const SentFrame reply = t.answer(hello_frame(hello_header().from(kInitiatorC).tag(0x99), {}));
  EXPECT_THAT(reply, GoesTo(kInitiatorC, kE71));
  EXPECT_EQ(reply.bytes.size(), protocol::kHelloBytes);
  EXPECT_EQ(load_be32(reply.bytes, 20), 0x99U);
}

TEST_F(SealedRequests, OneInstanceHasOneSessionWhateverPathItUses) {
  EXPECT_EQ(say_hello(hello_of(kInstanceA), hello_header().from(kInitiatorB)).session, session);
  EXPECT_NE(say_hello(hello_of(kInstanceB)).session, session);
  EXPECT_EQ(counters().sessions, 2U);
}

TEST_F(SealedRequests, EveryExportHasSessionsOfItsOwn) {
  (void)t.serve(TargetHarness::settings(kE72));
  EXPECT_NE(say_hello(hello_of(kInstanceA), hello_header().address(kE72)).session, session);
}

TEST_F(SealedRequests, OnlyWhatIsWantedAndOfferedIsGranted) {
  Hello hello = hello_of(kInstanceB);
  hello.capabilities = 0x8000 | protocol::kCapabilityCrc;
  EXPECT_EQ(say_hello(hello).capabilities, protocol::kCapabilityCrc);
  ExportSettings settings = TargetHarness::settings(kE72);
  settings.has_duplicate_memory = false;
  (void)t.serve(settings);
  EXPECT_EQ(say_hello(hello_of(kInstanceA), hello_header().address(kE72)).capabilities,
            protocol::kCapabilityCrc);
}

TEST_F(SealedRequests, BadHellosAreDroppedAndForeignOnesAreUnknownCommands) {
  Bytes damaged = hello_frame(hello_header(), hello_of(kInstanceB));
  damaged[40] ^= std::byte{1};
  EXPECT_THAT(t.answers(damaged), IsEmpty());
  Hello renew = hello_of(kInstanceB);
  renew.kind = HelloKind::renew;
  EXPECT_THAT(t.answers(hello_frame(hello_header(), renew)), IsEmpty());
  EXPECT_THAT(t.answers(hello_frame(hello_header().broadcast(), hello_of(kInstanceB))), IsEmpty());
  EXPECT_EQ(counters().hellos_damaged, 3U);
  EXPECT_EQ(t.core().stats().drops.hello, 3U);
  EXPECT_THAT(t.answer(hello_header()), IsAoeError(1));
}

TEST_F(SealedRequests, HelloObeysAccessListsAndIsSilentForWildcards) {
  ExportSettings settings = t.at().settings;
  settings.allow_policy = target::AllowPolicy::listed;
  settings.allow = {kInitiatorA};
  ASSERT_TRUE(t.core().update_settings(t.at().id, settings));
  const Bytes stranger = hello_frame(hello_header().from(kInitiatorB), hello_of(kInstanceB));
  EXPECT_THAT(t.answers(stranger), IsEmpty());
  const Bytes wild = hello_frame(hello_header().address(kEverywhere), hello_of(kInstanceB));
  EXPECT_THAT(t.answers(wild), IsEmpty());
  EXPECT_EQ(counters().sessions, 1U);
}

TEST_F(FewSessions, AFullTableTakesTheLongestIdleSessionWhichIsThenRefused) {
  t.advance(Duration::seconds(1));
  const std::uint32_t second = say_hello(hello_of(kInstanceB)).session;
  t.advance(Duration::seconds(1));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  const std::uint32_t third = say_hello(hello_of(0xC)).session;
  EXPECT_NE(third, second);
  Seal old = seal(1);
  old.session = second;
  const auto renew = protocol::parse_hello(t.answer(sealed(write(1, 9), old)).bytes);
  ASSERT_TRUE(renew);
  EXPECT_EQ(renew->kind, HelloKind::renew);
  EXPECT_EQ(disk().peek(1), pattern(kSectorBytes, 1));
}

TEST_F(FewSessions, SessionsWithSomethingExecutingAreKeptAndHelloFindsNoRoom) {
  (void)say_hello(hello_of(kInstanceB));
  const std::uint32_t other = say_hello(hello_of(kInstanceB)).session;
  disk().hold();
  t.deliver(sealed(write(1, 1), seal(1)));
  Seal second = seal(1);
  second.session = other;
  t.deliver(sealed(write(2, 2), second));
  EXPECT_THAT(t.answers(hello_frame(hello_header(), hello_of(0xC))), IsEmpty());
  EXPECT_EQ(counters().hellos_refused, 1U);
  t.finish_all(t.at().id);
}

TEST_F(FewSessions, SessionsInUseAreKeptAndHelloFindsNoRoomUntilOneWasIdleForAFrameLife) {
  (void)say_hello(hello_of(kInstanceB));
  t.advance(Duration::milliseconds(500));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  t.advance(Duration::milliseconds(499));
  EXPECT_THAT(t.answers(hello_frame(hello_header(), hello_of(0xC))), IsEmpty());
  EXPECT_EQ(counters().hellos_refused, 1U);
  t.advance(Duration::milliseconds(1));
  (void)say_hello(hello_of(0xC));
  EXPECT_THAT(answer(write(1, 2), seal(2)), IsAtaOk()) << "the one that was used is there";
}

TEST_F(SealedRequests, AFlippedBitOfTheCommandMakesNoOtherCommandOfARequest) {
  const auto config_string = t.at().persistent.config_string;
  const auto mask = t.at().persistent.mask;
  std::uint64_t dropped = 0;
  for (const Bytes& good :
       {sealed(FrameBuilder::ata(0xE7), seal(1)), sealed(write(4, 1), seal(2))}) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes frame = good;
      frame[19] ^= static_cast<std::byte>(1U << bit);
      EXPECT_THAT(t.answers(frame), IsEmpty()) << "bit " << bit;
      EXPECT_EQ(counters().damaged, ++dropped);
    }
  }
  EXPECT_EQ(t.at().persistent.config_string, config_string);
  EXPECT_EQ(t.at().persistent.mask, mask);
  EXPECT_EQ(changes(), 0U);
}

// ---- Sealed requests and their answers
// ----------------------------------------------------------

TEST_F(SealedRequests, CommandsOfEveryKindAreAnsweredWithASeal) {
  const Bytes data = pattern(1024, 3);
  EXPECT_THAT(answer(FrameBuilder::write(5, data), seal(1)), AllOf(IsAtaOk(), CarriesNoData()));
  EXPECT_THAT(answer(FrameBuilder::read(5, 2), seal(0)), AllOf(IsAtaOk(), CarriesData(data)));
  EXPECT_THAT(answer(FrameBuilder::ata(0xEC), seal(0)), IsAtaOk());
  EXPECT_THAT(answer(FrameBuilder::ata(0xEA), seal(2)), AllOf(IsAtaOk(), CarriesNoData()));
  EXPECT_THAT(answer(FrameBuilder::trim({{5, 1}}), seal(3)), AllOf(IsAtaOk(), CarriesNoData()));
  EXPECT_THAT(answer(FrameBuilder::ata(0xE5), seal(4)), IsAtaOk());
  EXPECT_THAT(answer(FrameBuilder::smart(0xD0), seal(0)), IsAtaOk());
  EXPECT_EQ(counters().requests, 7U);
}

TEST_F(SealedRequests, FailuresAreAnsweredWithASealToo) {
  EXPECT_THAT(answer(FrameBuilder::read(5000), seal(0)), IsAtaNotFound());
  EXPECT_THAT(answer(FrameBuilder::write(5, pattern(512, 1)).ata_flags(0x40), seal(1)),
              IsAoeError(2));
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::write, .at_lba = {}});
  EXPECT_THAT(answer(write(5, 1), seal(2)), IsAtaFault());
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::read, .at_lba = {}});
  EXPECT_THAT(answer(FrameBuilder::read(5), seal(0)), CarriesNoData());
}

TEST_F(SealedRequests, ASessionWithoutCrcHasSealsWithoutCrc) {
  Hello hello = hello_of(kInstanceB);
  hello.capabilities = protocol::kCapabilitySequences;
  session = say_hello(hello).session;
  Seal plain = seal(1);
  plain.has_crc = false;
  EXPECT_THAT(answer(write(1, 1), plain), IsAtaOk());
  EXPECT_THAT(answer(write(1, 1), plain), IsAtaOk());
  EXPECT_EQ(counters().duplicates_answered, 1U);
  EXPECT_THAT(t.answers(sealed(write(1, 2), seal(2))), IsEmpty()) << "a CRC nobody agreed on";
  EXPECT_EQ(counters().refused, 1U);
}

TEST_F(SealedRequests, ASealWithoutTheAgreedCrcIsRefused) {
  Seal bare = seal(1);
  bare.has_crc = false;
  EXPECT_THAT(t.answers(sealed(write(1, 1), bare)), IsEmpty());
  EXPECT_EQ(counters().refused, 1U);
  EXPECT_EQ(changes(), 0U);
}

TEST_F(SealedRequests, PayloadLimitsCountTheSeal) {
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 22 + 1024, .link_up = true});
  (void)t.take_frames();
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 2)), IsAtaOk());
  EXPECT_THAT(answer(FrameBuilder::read(0, 2), seal(0)), IsAtaAborted());
  EXPECT_THAT(answer(FrameBuilder::read(0, 1), seal(0)), IsAtaOk());
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 22 + 1024 + 20, .link_up = true});
  (void)t.take_frames();
  EXPECT_THAT(answer(FrameBuilder::read(0, 2), seal(0)), IsAtaOk());
}

// ---- Damage
// -------------------------------------------------------------------------------------

TEST_F(SealedRequests, ADamagedFrameIsDroppedCountedAndReportedWithItsHeader) {
  Bytes frame = sealed(write(1, 1), seal(1));
  frame[300] ^= std::byte{0x10};
  EXPECT_THAT(t.answers(frame), IsEmpty());
  EXPECT_EQ(counters().damaged, 1U);
  EXPECT_EQ(t.core().stats().drops.sealed, 1U);
  const auto events = t.take_events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::frame_damaged);
  EXPECT_EQ(events[0].mac, kInitiatorA);
  EXPECT_TRUE(equal_bytes(events[0].frame_head, ConstByteSpan(frame).first(36)));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk()) << "the copy that is intact";
}

TEST_F(SealedRequests, NoSingleBitFlipGetsThrough) {
  const Bytes good = sealed(write(1, 1), seal(1));
  // Behind the Ethernet type and the start of the AoE header, where a flip makes a frame for
  // others.
  for (std::size_t bit = 19UL * 8; bit < good.size() * 8; ++bit) {
    Bytes frame = good;
    frame[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    t.deliver(frame);
  }
  EXPECT_EQ(changes(), 0U);
  // All of them, but for those in the session, which are damaged too.
  EXPECT_EQ(counters().damaged + counters().refused, (good.size() - 19) * 8);
}

TEST_F(SealedRequests, DamageIsReportedOncePerBurst) {
  Bytes frame = sealed(write(1, 1), seal(1));
  frame[300] ^= std::byte{0x10};
  for (int i = 0; i < 5; ++i) {
    t.deliver(frame);
  }
  EXPECT_THAT(t.take_events(), SizeIs(1));
  t.advance(Duration::seconds(2));
  t.deliver(frame);
  const auto events = t.take_events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].value, 5U) << "four that were left out, and this one";
}

// Without its magic a sealed write looks like a plain one with something behind its data.
TEST_F(SealedRequests, AWriteWhoseSealLostItsMagicIsNoPlainWrite) {
  Bytes frame = sealed(write(1, 1), seal(1));
  frame[36 + 512] ^= std::byte{0x80};
  EXPECT_THAT(t.answers(frame), IsEmpty());
  EXPECT_EQ(counters().damaged, 1U);
  // An initiator has several ports, and a target that was started anew knows none of them.
  store_mac(frame, 6, kInitiatorB);
  EXPECT_THAT(t.answers(frame), IsEmpty());
  EXPECT_EQ(changes(), 0U);
}

// ---- Unknown sessions
// ---------------------------------------------------------------------------

TEST_F(SealedRequests, AFrameOfAnUnknownSessionIsNeverExecutedAndAnsweredWithRenew) {
  Seal unknown = seal(1);
  unknown.session ^= 0x55;
  const SentFrame reply = t.answer(sealed(write(1, 1).tag(0x77), unknown));
  EXPECT_THAT(reply, GoesTo(kInitiatorA, kE71));
  const auto renew = protocol::parse_hello(reply.bytes);
  ASSERT_TRUE(renew);
  EXPECT_EQ(renew->kind, HelloKind::renew);
  EXPECT_EQ(renew->session, unknown.session);
  EXPECT_EQ(renew->target_instance, t.core().instance());
  EXPECT_EQ(load_be32(reply.bytes, 20), 0x77U);
  EXPECT_EQ(counters().renews, 1U);
  EXPECT_EQ(changes(), 0U);
  EXPECT_EQ(protocol::parse_hello(t.answer(sealed(FrameBuilder::read(1), unknown)).bytes)->kind,
            HelloKind::renew);
}

// The same disk number on another slot: a key without the export would execute it there.
TEST_F(SealedRequests, ASessionOfAnotherExportIsUnknown) {
  (void)t.serve(TargetHarness::settings(kE72));
  const auto renew =
      protocol::parse_hello(t.answer(sealed(write(1, 1).address(kE72), seal(1))).bytes);
  ASSERT_TRUE(renew);
  EXPECT_EQ(renew->kind, HelloKind::renew);
  EXPECT_THAT(t.disk(t.at(kE72).id).take_log(), IsEmpty());
}

TEST_F(SealedRequests, TheSameSequenceOnAnotherExportIsAnotherRequest) {
  (void)t.serve(TargetHarness::settings(kE72));
  const std::uint32_t other = say_hello(hello_of(kInstanceA), hello_header().address(kE72)).session;
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  Seal on_other = seal(1);
  on_other.session = other;
  (void)t.answers(sealed(write(1, 2).address(kE72), on_other));
  EXPECT_EQ(t.disk(t.at(kE72).id).peek(1), pattern(kSectorBytes, 2));
}

TEST_F(SealedRequests, SessionsEndWithTheirExport) {
  ASSERT_TRUE(t.core().remove_export(t.now(), t.at().id));
  t.run();
  for (const target::Session& place : t.core().sessions()) {
    EXPECT_EQ(place.id, 0U) << "its place is free";
  }
  (void)t.serve(TargetHarness::settings());
  EXPECT_EQ(protocol::parse_hello(t.answer(sealed(write(1, 1), seal(1))).bytes)->kind,
            HelloKind::renew);
}

TEST_F(SealedRequests, RenewGoesOnlyToThoseWhoMayUseTheExport) {
  ExportSettings settings = t.at().settings;
  settings.allow_policy = target::AllowPolicy::listed;
  settings.allow = {kInitiatorB};
  ASSERT_TRUE(t.core().update_settings(t.at().id, settings));
  Seal unknown = seal(1);
  unknown.session ^= 0x55;
  EXPECT_THAT(t.answers(sealed(write(1, 1), unknown)), IsEmpty());
  EXPECT_THAT(t.answers(sealed(write(1, 1), seal(1))), IsEmpty()) << "the list is asked first";
}

// ---- Copies
// -------------------------------------------------------------------------------------

TEST_F(SealedRequests, ACopyOfADoneWriteIsAnsweredFromMemory) {
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  EXPECT_EQ(changes(), 1U);
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  EXPECT_EQ(changes(), 0U);
  EXPECT_EQ(counters().duplicates_answered, 1U);
}

// The hazard this is all about: the old copy arrives after a newer write of the sector.
TEST_F(SealedRequests, ADelayedCopyDoesNotUndoANewerWrite) {
  const Bytes delayed = sealed(write(1, 1), seal(1));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  EXPECT_THAT(answer(write(1, 2), seal(2, 2)), IsAtaOk());
  EXPECT_THAT(t.answers(delayed), IsEmpty());
  EXPECT_EQ(counters().stale, 1U);
  EXPECT_EQ(t.core().stats().drops.sealed, 1U);
  EXPECT_EQ(disk().peek(1), pattern(kSectorBytes, 2));
}

// A memory that counts its entries, or lets them grow old, would execute the copy.
TEST_F(SealedRequests, NeitherManyOtherWritesNorTimeMakeACopyNew) {
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  for (std::uint32_t sequence = 2; sequence <= 1024; ++sequence) {
    ASSERT_THAT(t.answers(sealed(write(sequence % 512 + 2, 7), seal(sequence))), SizeIs(1));
  }
  t.advance(Duration::seconds(3600));
  (void)changes();
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  EXPECT_EQ(changes(), 0U);
  EXPECT_EQ(counters().duplicates_answered, 1U);
}

TEST_F(SealedRequests, ACopyOfAnExecutingWriteIsNotExecutedAndTakesTheAnswerWithIt) {
  add_second_port();
  disk().hold();
  EXPECT_THAT(t.answers(sealed(write(1, 1), seal(1))), IsEmpty());
  const FrameBuilder copy = write(1, 1).from(kInitiatorB).to(kSecondMac).tag(9);
  EXPECT_THAT(t.answers(sealed(copy, seal(1)), PortId{1}), IsEmpty());
  EXPECT_EQ(counters().duplicates_executing, 1U);
  EXPECT_EQ(disk().waiting(), 1U);
  t.finish_all(t.at().id);
  const auto frames = t.take_frames();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_EQ(frames[0].port, PortId{1});
  const SentFrame plain = unsealed(frames[0], seal(1));
  EXPECT_THAT(plain, AllOf(GoesTo(kInitiatorB, kE71), IsAtaResponse(9U, 0x40, 0)));
  EXPECT_EQ(load_mac(plain.bytes, 6), kSecondMac);
}

TEST_F(SealedRequests, ACopyByAnotherPathIsACopy) {
  add_second_port();
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  const FrameBuilder copy = write(1, 1).from(kInitiatorB).to(kSecondMac);
  EXPECT_THAT(answer(copy, seal(1), PortId{1}), GoesTo(kInitiatorB, kE71));
  EXPECT_EQ(changes(), 1U);
}

TEST_F(SealedRequests, WhateverChangesSomethingIsExecutedOnce) {
  std::uint32_t sequence = 1;
  for (const FrameBuilder& request : {write(1, 1), FrameBuilder::ata(0xEA), FrameBuilder::ata(0xE7),
                                      FrameBuilder::trim({{3, 2}})}) {
    (void)changes();
    EXPECT_THAT(answer(request, seal(sequence)), IsAtaOk());
    const std::size_t first = changes();
    EXPECT_GE(first, 1U);
    EXPECT_THAT(answer(request, seal(sequence)), IsAtaOk());
    EXPECT_EQ(changes(), 0U) << sequence;
    ++sequence;
  }
  // SET FEATURES and its like change settings: the copy must not undo what came in between.
  EXPECT_THAT(answer(FrameBuilder::smart(0xD9), seal(sequence)), IsAtaOk());
  EXPECT_THAT(answer(FrameBuilder::smart(0xD8), seal(sequence + 1)), IsAtaOk());
  EXPECT_THAT(answer(FrameBuilder::smart(0xD9), seal(sequence)), IsAtaOk());
  EXPECT_TRUE(t.at().ata.smart_enabled);
}

TEST_F(SealedRequests, AFailureIsRememberedAsAFailure) {
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::write, .at_lba = {}});
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaFault());
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaFault());
  EXPECT_EQ(changes(), 1U);
  EXPECT_THAT(answer(write(2000, 1), seal(2)), IsAtaNotFound());
  disk().set_sector_count(4000);
  ASSERT_TRUE(t.core().resize(t.at().id, 4000));
  (void)t.take_frames();
  EXPECT_THAT(answer(write(2000, 1), seal(2)), IsAtaNotFound()) << "it was answered: it is over";
  EXPECT_EQ(changes(), 0U);
}

TEST_F(SealedRequests, ReadsAreExecutedAgain) {
  EXPECT_THAT(answer(FrameBuilder::read(1), seal(0)), IsAtaOk());
  disk().poke(1, pattern(kSectorBytes, 9));
  EXPECT_THAT(answer(FrameBuilder::read(1), seal(0)), CarriesData(pattern(kSectorBytes, 9)));
  // A sequence does not make a memory of what no memory could hold.
  EXPECT_THAT(answer(FrameBuilder::read(1), seal(5)), IsAtaOk());
  disk().poke(1, pattern(kSectorBytes, 8));
  EXPECT_THAT(answer(FrameBuilder::read(1), seal(5)), CarriesData(pattern(kSectorBytes, 8)));
  EXPECT_EQ(counters().requests, 4U);
}

TEST_F(SealedRequests, DataWithoutASequenceAreNotWritten) {
  EXPECT_THAT(t.answers(sealed(write(1, 1), seal(0))), IsEmpty());
  EXPECT_THAT(t.answers(sealed(FrameBuilder::trim({{1, 1}}), seal(0))), IsEmpty());
  EXPECT_EQ(counters().unordered, 2U);
  EXPECT_EQ(changes(), 0U);
  EXPECT_THAT(answer(FrameBuilder::ata(0xEA), seal(0)), IsAtaOk()) << "a flush harms nobody";
}

TEST_F(SealedRequests, WithoutSequencesASessionWritesWithoutThem) {
  Hello hello = hello_of(kInstanceB);
  hello.capabilities = protocol::kCapabilityCrc;
  session = say_hello(hello).session;
  EXPECT_THAT(answer(write(1, 1), seal(0)), IsAtaOk());
  EXPECT_THAT(answer(write(1, 1), seal(0)), IsAtaOk());
  EXPECT_EQ(changes(), 2U);
}

TEST_F(FewSessions, WhatIsBeyondTheWindowIsDroppedUntilLowMovesOn) {
  EXPECT_THAT(answer(write(1, 1), seal(8)), IsAtaOk());
  EXPECT_THAT(t.answers(sealed(write(2, 2), seal(9))), IsEmpty());
  EXPECT_EQ(counters().beyond_window, 1U);
  EXPECT_THAT(answer(write(2, 2), seal(9, 2)), IsAtaOk());
  EXPECT_THAT(t.answers(sealed(write(3, 3), seal(1))), IsEmpty()) << "below low now";
  EXPECT_EQ(counters().stale, 1U);
}

TEST_F(SealedRequests, LowComesWithReadsAndHellosToo) {
  (void)answer(FrameBuilder::read(1), seal(0, 10));
  EXPECT_THAT(t.answers(sealed(write(1, 1), seal(9))), IsEmpty());
  (void)say_hello(hello_of(kInstanceA, 20));
  EXPECT_THAT(t.answers(sealed(write(1, 1), seal(19))), IsEmpty());
  EXPECT_EQ(counters().stale, 2U);
}

TEST_F(SealedRequests, AnotherRequestUnderAUsedSequenceIsRefused) {
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  EXPECT_THAT(t.answers(sealed(write(2, 1), seal(1))), IsEmpty()) << "another address";
  EXPECT_THAT(t.answers(sealed(write(1, 2), seal(1))), IsEmpty()) << "other data";
  EXPECT_THAT(t.answers(sealed(FrameBuilder::ata(0xEA), seal(1))), IsEmpty());
  EXPECT_EQ(counters().mismatched, 3U);
  EXPECT_EQ(changes(), 1U);
}

TEST_F(SealedRequests, TheCopyOfAGivenUpRequestThatStillRunsIsStale) {
  disk().hold();
  t.deliver(sealed(write(1, 1), seal(1)));
  t.deliver(sealed(FrameBuilder::ata(0xE5), seal(2, 2)));
  EXPECT_THAT(t.answers(sealed(write(1, 1), seal(1))), IsEmpty());
  EXPECT_EQ(counters().stale, 1U);
  t.finish_all(t.at().id);
}

// ---- Refusals that may pass
// ---------------------------------------------------------------------

// What got no answer was not executed either, so the next copy is as new as the first.
TEST_F(FewSessions, ARequestThatFoundNoRoomIsExecutedWhenItComesAgain) {
  disk().hold();
  for (std::uint32_t sequence = 1; sequence <= 7; ++sequence) {
    t.deliver(sealed(write(sequence, 1), seal(sequence)));
  }
  for (std::uint32_t i = 0; t.core().requests_in_flight() < 256; ++i) {
    t.deliver(FrameBuilder::read(100 + i));
  }
  EXPECT_THAT(t.answers(sealed(write(9, 1), seal(8))), IsEmpty());
  EXPECT_EQ(disk().waiting(), 256U);
  disk().stop_holding();
  t.finish_all(t.at().id);
  (void)t.take_frames();
  EXPECT_THAT(answer(write(9, 1), seal(8)), IsAtaOk());
  EXPECT_EQ(disk().peek(9), pattern(kSectorBytes, 1));
}

TEST_F(SealedRequests, AnExportThatWasOfflineExecutesTheNextCopy) {
  ASSERT_TRUE(t.core().set_online(t.now(), t.at().id, target::TargetCore::Online::no));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAoeError(3));
  ASSERT_TRUE(t.core().set_online(t.now(), t.at().id, target::TargetCore::Online::yes));
  t.advance(Duration::seconds(1));
  (void)t.take_frames();
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
}

TEST_F(SealedRequests, ARefusalForAReservationIsFinal) {
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorB}).from(kInitiatorB));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAoeError(6));
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {}).from(kInitiatorB));
  (void)changes();
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAoeError(6)) << "whoever was told no was told no";
  EXPECT_EQ(changes(), 0U);
  EXPECT_THAT(answer(write(1, 1), seal(2)), IsAtaOk());
}

TEST_F(SealedRequests, ACopyOfWhatWasDoneBeforeATakeoverGetsTheTruth) {
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  t.deliver(FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorB}).from(kInitiatorB));
  EXPECT_THAT(answer(write(1, 1), seal(1)), IsAtaOk());
  EXPECT_EQ(disk().take_log().size(), 1U);
}

// The fence is asked once more when a waiting write is about to be executed, for the station that
// was let in, wherever the newest copy came from.
TEST_F(SealedRequests, AWriteThatWaitedThroughATakeoverIsRefusedAndStaysRefused) {
  disk().hold();
  t.deliver(FrameBuilder::read(1));
  t.deliver(sealed(write(1, 1), seal(1)));
  t.deliver(FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorB}).from(kInitiatorB));
  t.deliver(sealed(write(1, 1).from(kInitiatorB), seal(1)));
  (void)t.take_frames();
  disk().stop_holding();
  t.finish_all(t.at().id);
  const auto frames = t.take_frames();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(unsealed(frames[1], seal(1)), AllOf(IsAoeError(6), GoesTo(kInitiatorB, kE71)));
  EXPECT_EQ(changes(), 0U);
  EXPECT_THAT(answer(write(1, 1).from(kInitiatorB), seal(1)), IsAoeError(6));
}

TEST_F(SealedRequests, SealedAnswersAreBoundedLikeAllLightOnes) {
  HarnessOptions options;
  options.limits.light_replies_burst = 4;
  options.limits.light_replies_per_second = 1;
  TargetHarness few(options);
  (void)few.serve(TargetHarness::settings());
  Seal unknown{.has_crc = true, .session = 1, .sequence = 1, .sequence_low = 1};
  std::size_t answers = 0;
  for (int i = 0; i < 100; ++i) {
    answers += few.answers(sealed(write(1, 1), unknown)).size();
  }
  EXPECT_LE(answers, 4U);
}

}  // namespace
}  // namespace aoe::test
