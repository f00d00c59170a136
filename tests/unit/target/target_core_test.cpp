// The order of decisions, line by line, and administration. What each command then does is in the
// tests of its part.
#include "support/target_fixture.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using protocol::ConfigCommand;
using protocol::ReserveCommand;
using target::EventKind;
using target::ExportSettings;
using target::ExportState;
using target::TargetCore;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

using MacList = std::vector<MacAddress>;

class Core : public TargetTest {
 protected:
  Core() : Core(HarnessOptions{}) {}

  explicit Core(const HarnessOptions& options)
      : TargetTest(options), id(t.serve(TargetHarness::settings())) {}

  const target::DropCounters& drops() {
    stats_ = t.core().stats();
    return stats_.drops;
  }

 public:
  ExportId id;

 private:
  target::TargetStats stats_;
};

// ---- Decision order
// --------------------------------------------------------------------------------

TEST_F(Core, RuntsAndOtherEtherTypesAreDroppedFirst) {
  EXPECT_THAT(t.answers({}), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::read(0).truncate(23)), IsEmpty());
  EXPECT_EQ(drops().runt, 2U);
  EXPECT_THAT(t.answers(FrameBuilder::read(0).byte(13, 0xA3)), IsEmpty());
  EXPECT_EQ(drops().not_aoe, 1U);
}

TEST_F(Core, ResponsesAreDroppedBeforeTheirAddressIsLookedAt) {
  EXPECT_THAT(t.answers(FrameBuilder::read(0).flags(8).address(kE72)), IsEmpty());
  EXPECT_EQ(drops().response, 1U);
  EXPECT_EQ(drops().unknown_address, 0U);
}

TEST_F(Core, SourceIsLookedAtBeforeTheAddress) {
  EXPECT_THAT(t.answers(FrameBuilder::read(0).from(MacAddress{}).address(kE72)), IsEmpty());
  EXPECT_EQ(drops().bad_source, 1U);
  EXPECT_EQ(drops().unknown_address, 0U);
}

TEST_F(Core, AddressComesBeforeMaskAndVersion) {
  t.deliver(FrameBuilder::mask_edit({{1, kInitiatorA}}));
  EXPECT_THAT(t.answers(FrameBuilder::read(0).version(9).from(kInitiatorB).address(kE72)),
              IsEmpty());
  EXPECT_EQ(drops().unknown_address, 1U);
  EXPECT_EQ(drops().access_denied, 0U);
}

TEST_F(Core, MaskComesBeforeVersion) {
  t.deliver(FrameBuilder::mask_edit({{1, kInitiatorA}}));
  EXPECT_THAT(t.answers(FrameBuilder::read(0).version(9).from(kInitiatorB)), IsEmpty());
  EXPECT_EQ(drops().access_denied, 1U);
}

TEST_F(Core, VersionComesBeforeCommandAndCommandBeforeLength) {
  EXPECT_THAT(t.answer(FrameBuilder::command(0x77).version(2).truncate(24)), IsAoeError(5));
  EXPECT_THAT(t.answer(FrameBuilder::command(0x77).truncate(24)), IsAoeError(1));
  EXPECT_THAT(t.answer(FrameBuilder::command(0).truncate(24)), IsAoeError(2));
}

TEST_F(Core, LengthComesBeforeReservationAndReservationBeforeTheCommand) {
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorB}));
  EXPECT_THAT(t.answer(FrameBuilder::read(0).truncate(35)), IsAoeError(2));
  EXPECT_THAT(t.answer(FrameBuilder::read(9999)), IsAoeError(6));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x60, 0, 1)), IsAoeError(6));
}

TEST_F(Core, EachErrorCodeIsSaidOnItsOccasion) {
  EXPECT_THAT(t.answer(FrameBuilder::command(0xF0)), IsAoeError(1));
  EXPECT_THAT(t.answer(FrameBuilder::read(0).ata_flags(0x41)), IsAoeError(2));
  t.deliver(FrameBuilder::config(ConfigCommand::set, "x"));
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::set, "y")), IsAoeError(4));
  EXPECT_THAT(t.answer(FrameBuilder::read(0).version(2)), IsAoeError(5));
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  EXPECT_THAT(t.answer(FrameBuilder::read(0).from(kInitiatorB)), IsAoeError(6));
  ASSERT_TRUE(t.core().set_online(t.now(), id, TargetCore::Online::no));
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), AllOf(IsAoeError(3), IsBareHeader()));
  EXPECT_EQ(t.core().stats().aoe_errors, 6U);
}

TEST_F(Core, ErrorRepliesCarryTheExportsAddressAndTheTag) {
  const SentFrame reply = t.answer(FrameBuilder::command(0x55).from(kInitiatorC).tag(0xABCD0123));
  EXPECT_THAT(reply, AllOf(IsAoeError(1), GoesTo(kInitiatorC, kE71)));
  const auto header = protocol::parse_header(reply.bytes);
  EXPECT_EQ(header->command, 0x55);
  EXPECT_EQ(header->tag, Tag{0xABCD0123});
}

TEST_F(Core, BroadcastRequestsForOneAddressAreAnswered) {
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read).broadcast()),
              IsConfigReply(ConfigCommand::read, ""));
  // aoecfg sends its changes to everybody, with the address of one.
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::set, "x").broadcast()),
              IsConfigReply(ConfigCommand::set, "x"));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC, 0, 1).broadcast()), IsAtaOk());
}

TEST_F(Core, PortsThatAreDownOrUnknownReceiveNothing) {
  EXPECT_THAT(t.answers(FrameBuilder::read(0), PortId{5}), IsEmpty());
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 1500, .link_up = false});
  EXPECT_THAT(t.answers(FrameBuilder::read(0)), IsEmpty());
  EXPECT_EQ(drops().link_down, 1U);
}

TEST_F(Core, AnswersLeaveOnThePortOfTheQuestion) {
  const MacAddress second{{0x02, 0, 0, 0, 0x0a, 0x11}};
  t.set_port(PortId{1}, {.mac = second, .mtu_bytes = 1500, .link_up = true});
  t.advance(Duration::milliseconds(5));
  const SentFrame reply = t.answer(FrameBuilder::read(0, 2).to(second), PortId{1});
  EXPECT_THAT(reply, IsAtaOk());
  EXPECT_EQ(reply.port, PortId{1});
  EXPECT_EQ(load_mac(reply.bytes, 6), second);
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 3).to(second), PortId{1}), IsAtaAborted())
      << "three sectors do not fit this port";
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 3)), IsAtaOk());
}

// ---- Offline
// ---------------------------------------------------------------------------------------

TEST_F(Core, OfflineExportAnswersItsAddressButNoDiscoveryAndNoAta) {
  ASSERT_TRUE(t.core().set_online(t.now(), id, TargetCore::Online::no));
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read)),
              IsConfigReply(ConfigCommand::read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read()), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read)),
              IsReserveReply(ReserveCommand::read, MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC)), IsAoeError(3));
  EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(512, 1))), IsAoeError(3));
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read).address(kEverywhere)), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::ata(0xEC).address(kEverywhere)), IsEmpty());
  EXPECT_THAT(t.disk(id).take_log(), IsEmpty());
}

TEST_F(Core, WhatRunsWhenAnExportGoesOfflineIsFinished) {
  t.disk(id).hold();
  t.deliver(FrameBuilder::write(3, pattern(512, 1)));
  ASSERT_TRUE(t.core().set_online(t.now(), id, TargetCore::Online::no));
  t.finish(id);
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAtaOk()));
}

// ---- Rate of light answers
// -------------------------------------------------------------------------

class Limited : public Core {
 protected:
  Limited() : Core({.limits = {.light_replies_per_second = 100, .light_replies_burst = 10}}) {}
};

TEST_F(Limited, FloodOfQueriesGetsABoundedNumberOfAnswersAndDataIsNotHeldUp) {
  t.advance(Duration::seconds(1));
  std::size_t answered = 0;
  for (int i = 0; i < 1000; ++i) {
    answered += t.answers(FrameBuilder::config(ConfigCommand::read)).size();
  }
  EXPECT_EQ(answered, 10U);
  EXPECT_EQ(drops().rate_limited, 990U);
  for (const Bytes& light :
       {FrameBuilder::command(0x77).build(), FrameBuilder::mask_read().build(),
        FrameBuilder::reserve(ReserveCommand::read).build(), FrameBuilder::ata(0xEC).build(),
        FrameBuilder::read(0).version(3).build(), FrameBuilder::ata(0x60).build()}) {
    EXPECT_THAT(t.answers(light), IsEmpty());
  }
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(512, 1))), IsAtaOk());
  t.advance(Duration::milliseconds(100));
  answered = 0;
  for (int i = 0; i < 100; ++i) {
    answered += t.answers(FrameBuilder::config(ConfigCommand::read)).size();
  }
  EXPECT_EQ(answered, 10U);
}

// ---- Administration
// --------------------------------------------------------------------------------

TEST_F(Core, AddressesSizesAndBuffersThatCannotBeServedAreRefused) {
  const auto error = [this](const ExportSettings& settings) {
    const auto added = t.core().add_export(t.now(), settings, {});
    EXPECT_FALSE(added);
    return added ? Errc::io : added.error().code;
  };
  for (const DeviceAddress address :
       {DeviceAddress{Shelf{0xFFFF}, Slot{1}}, DeviceAddress{Shelf{0xFFF}, Slot{1}},
        DeviceAddress{Shelf{1}, Slot{0xFF}}}) {
    EXPECT_EQ(error(TargetHarness::settings(address)), Errc::invalid_argument);
  }
  EXPECT_EQ(error(TargetHarness::settings(kE72, 0)), Errc::invalid_argument);
  EXPECT_EQ(error(TargetHarness::settings(kE72, kLbaLimit)), Errc::invalid_argument);
  ExportSettings few = TargetHarness::settings(kE72);
  few.buffer_count = 1;
  EXPECT_EQ(error(few), Errc::invalid_argument);
  EXPECT_EQ(error(TargetHarness::settings(kE71)), Errc::already_exists);
}

TEST_F(Core, StaleIdsAreRefusedEverywhere) {
  ASSERT_TRUE(t.core().remove_export(t.now(), id));
  t.run();
  EXPECT_THAT(t.take_events(), ElementsAre(IsEvent(EventKind::export_removed)));
  const auto is_gone = [](const Result<void>& result) {
    return !result && result.error().code == Errc::not_found;
  };
  // The same place, another export.
  const ExportId next = t.serve(TargetHarness::settings());
  EXPECT_NE(next, id);
  EXPECT_TRUE(is_gone(t.core().remove_export(t.now(), id)));
  EXPECT_TRUE(is_gone(t.core().set_online(t.now(), id, TargetCore::Online::no)));
  EXPECT_TRUE(is_gone(t.core().clear_failure(id)));
  EXPECT_TRUE(is_gone(t.core().resize(id, 5)));
  EXPECT_TRUE(is_gone(t.core().save_state(t.now(), id)));
  EXPECT_TRUE(is_gone(t.core().update_settings(id, TargetHarness::settings())));
  EXPECT_EQ(t.core().find(id), nullptr);
  EXPECT_NE(t.core().find(next), nullptr);
}

TEST_F(Core, RemovedExportIsSilentAtOnceAndTheOthersGoOn) {
  (void)t.serve(TargetHarness::settings(kE72));
  ASSERT_TRUE(t.core().remove_export(t.now(), id));
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read)), IsEmpty());
  EXPECT_THAT(t.answer(FrameBuilder::read(0).address(kE72)), IsAtaOk());
}

TEST_F(Core, ExportCanBeRemovedWhileItIsProbing) {
  const ExportId other = t.add(TargetHarness::settings(kE72));
  ASSERT_TRUE(t.core().remove_export(t.now(), other));
  t.advance(Duration::seconds(1));
  EXPECT_EQ(t.core().find(kE72), nullptr);
}

TEST_F(Core, ResizeChecksTheNewSize) {
  EXPECT_EQ(t.core().resize(id, 0).error().code, Errc::invalid_argument);
  EXPECT_EQ(t.core().resize(id, kLbaLimit).error().code, Errc::invalid_argument);
  EXPECT_EQ(t.at().settings.sector_count, 1024U);
}

TEST_F(Core, UpdateChangesWhatCanChangeAndKeepsTheRest) {
  ExportSettings settings = t.at().settings;
  settings.address = kE72;
  settings.sector_count = 5;
  settings.mode = target::WriteMode::read_only;
  settings.serial = "NEW";
  settings.buffer_count = 7;
  ASSERT_TRUE(t.core().update_settings(id, settings));
  EXPECT_EQ(t.at(kE71).serial, "NEW");
  EXPECT_EQ(t.at().settings.buffer_count, 7);
  EXPECT_EQ(t.at().settings.sector_count, 1024U);
  EXPECT_EQ(t.at().settings.mode, target::WriteMode::write_through);
  settings.serial.clear();
  ASSERT_TRUE(t.core().update_settings(id, settings));
  EXPECT_EQ(t.at().serial, target::default_serial(t.at().persistent));
  t.advance(Duration::milliseconds(5));
}

TEST_F(Core, ClearingAFailureDoesNotEndAStall) {
  t.disk(id).hold();
  t.deliver(FrameBuilder::read(0));
  t.advance(Duration::seconds(32));
  ASSERT_EQ(t.at().health, target::ExportHealth::stalled);
  ASSERT_TRUE(t.core().clear_failure(id));
  EXPECT_EQ(t.at().health, target::ExportHealth::stalled);
  t.finish_all(id);
}

TEST_F(Core, EventsThatNobodyTakesAreCountedAndTheFirstOnesKept) {
  for (int i = 0; i < 300; ++i) {
    // Straight into the core, which the harness would drain.
    t.core().handle_port(t.now(), PortId{0},
                         {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = true});
    ASSERT_TRUE(t.core().resize(id, static_cast<std::uint64_t>(2000 + i)));
  }
  EXPECT_EQ(t.core().stats().events_lost, 44U);
  t.run();
  const auto events = t.take_events();
  ASSERT_THAT(events, SizeIs(256));
  EXPECT_EQ(events.front().value, 2000U);
  t.advance(Duration::milliseconds(5));
}

TEST_F(Core, InitiatorsAreListedWithWhatTheyDid) {
  t.deliver(FrameBuilder::read(0));
  t.deliver(FrameBuilder::read(0));
  t.deliver(FrameBuilder::read(0).from(kInitiatorB));
  std::map<MacAddress, std::uint64_t> requests;
  for (const target::Initiator& initiator : t.core().initiators()) {
    if (initiator.in_use) {
      requests[initiator.mac] = initiator.requests;
    }
  }
  EXPECT_EQ(requests, (std::map<MacAddress, std::uint64_t>{{kInitiatorA, 2}, {kInitiatorB, 1}}));
}

// Same inputs, same limits, same seed: the same bytes in the same order.
TEST(CoreDeterminism, SameStoryTwiceGivesTheSameTrace) {
  const auto play = [] {
    TargetHarness t;
    Prng prng(7);
    for (std::uint8_t slot = 0; slot < 20; ++slot) {
      (void)t.add(TargetHarness::settings({Shelf{7}, Slot{slot}}));
    }
    for (int i = 0; i < 500; ++i) {
      const DeviceAddress address{Shelf{7}, Slot{static_cast<std::uint8_t>(prng.below(20))}};
      t.deliver(FrameBuilder::write(prng.below(100), pattern(512, 1)).address(address));
      t.deliver(FrameBuilder::read(prng.below(100)).address(address));
      t.advance(Duration::milliseconds(static_cast<std::int64_t>(prng.below(20))));
    }
    Bytes trace;
    for (const SentFrame& frame : t.take_frames()) {
      trace.insert(trace.end(), frame.bytes.begin(), frame.bytes.end());
    }
    return trace;
  };
  const Bytes first = play();
  EXPECT_GT(first.size(), 100'000U);
  EXPECT_EQ(first, play());
}

}  // namespace
}  // namespace aoe::test
