#include "support/target_fixture.h"
#include "target/persistent_state.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using protocol::ConfigCommand;
using protocol::MaskAction;
using protocol::MaskDirective;
using protocol::MaskError;
using protocol::ReserveCommand;
using target::decode_state;
using target::EventKind;
using target::ExportSettings;
using target::PersistentState;
using target::RemoteAdmin;
using target::TargetEvent;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

using enum ConfigCommand;
using Saved = TargetHarness::Saved;
using MacList = std::vector<MacAddress>;

constexpr auto kAdd = static_cast<std::uint8_t>(MaskAction::add);
constexpr auto kRemove = static_cast<std::uint8_t>(MaskAction::remove);
constexpr auto kSkip = static_cast<std::uint8_t>(MaskAction::none);

class Keeping : public TargetTest {
 protected:
  Keeping() : Keeping(HarnessOptions{}) {}

  explicit Keeping(const HarnessOptions& options) : TargetTest(options) {
    (void)t.serve(TargetHarness::settings());
  }

  void set_admins(RemoteAdmin remote_admin, const MacList& admins = {}) {
    ExportSettings settings = t.at().settings;
    settings.remote_admin = remote_admin;
    settings.admins = admins;
    ASSERT_TRUE(t.core().update_settings(t.at().id, settings));
    t.advance(Duration::milliseconds(2));
    (void)t.take_frames();
  }

  PersistentState on_disk() {
    const auto state = decode_state(kE71, t.saved_state(kE71));
    EXPECT_TRUE(state.has_value());
    return state ? *state : PersistentState{};
  }

  std::string config_on_disk() {
    const PersistentState state = on_disk();
    return std::string(as_text(state.config_string));
  }
};

// ---- Config string
// ---------------------------------------------------------------------------------

TEST_F(Keeping, ConfigReplyTellsWhatTheTargetCanDo) {
  const SentFrame reply = t.answer(FrameBuilder::config(read).tag(77));
  ASSERT_THAT(reply, AllOf(IsConfigReply(read, ""), GoesTo(kInitiatorA, kE71)));
  const auto config = protocol::parse_config(reply.bytes);
  EXPECT_EQ(config->buffer_count, 64);
  EXPECT_EQ(config->sector_count, 16) << "whole pages of the 17 that fit MTU 9000";
  EXPECT_EQ(load_be32(reply.bytes, 20), 77U);
}

TEST_F(Keeping, SetStoresOnceAndForceSetAlways) {
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "one")), IsConfigReply(set, "one"));
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "two")), IsConfigError(4, set, "one"));
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "one")), IsConfigReply(set, "one"))
      << "a retransmitted set succeeds";
  EXPECT_THAT(t.answer(FrameBuilder::config(force_set, "two")), IsConfigReply(force_set, "two"));
  EXPECT_EQ(config_on_disk(), "two");
  EXPECT_THAT(t.answer(FrameBuilder::config(force_set, "")), IsConfigReply(force_set, ""));
  EXPECT_EQ(config_on_disk(), "");
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "three")), IsConfigReply(set, "three"));
  const auto events = t.take_events();
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_THAT(events, testing::Each(AllOf(IsEvent(EventKind::config_changed),
                                          Field(&TargetEvent::mac, kInitiatorA))));
}

TEST_F(Keeping, TestsAnswerOnlyOnAMatch) {
  t.deliver(FrameBuilder::config(set, "abc"));
  EXPECT_THAT(t.answer(FrameBuilder::config(test, "abc")), IsConfigReply(test, "abc"));
  for (const char* other : {"", "ab", "abcd", "abd"}) {
    EXPECT_THAT(t.answers(FrameBuilder::config(test, other)), IsEmpty()) << other;
  }
  for (const char* prefix : {"", "a", "ab", "abc"}) {
    EXPECT_THAT(t.answer(FrameBuilder::config(prefix_test, prefix)),
                IsConfigReply(prefix_test, "abc"))
        << prefix;
  }
  for (const char* other : {"b", "abcd", "ac"}) {
    EXPECT_THAT(t.answers(FrameBuilder::config(prefix_test, other)), IsEmpty()) << other;
  }
  EXPECT_EQ(t.core().stats().drops.config_mismatch, 7U);
}

TEST_F(Keeping, UnknownConfigCommandsShowTheStringWithTheError) {
  t.deliver(FrameBuilder::config(set, "abc"));
  for (unsigned command = 5; command < 16; ++command) {
    EXPECT_THAT(t.answer(FrameBuilder::config(static_cast<ConfigCommand>(command), "x")),
                IsConfigError(2, command, "abc"));
  }
}

TEST_F(Keeping, ConfigStringsHoldAnyBytes) {
  const std::string bytes("\0\xff a\0", 5);
  EXPECT_THAT(t.answer(FrameBuilder::config(set, bytes)), IsConfigReply(set, bytes));
  EXPECT_EQ(config_on_disk(), bytes);
}

TEST_F(Keeping, ReadIgnoresTheStringOfTheQuery) {
  EXPECT_THAT(t.answer(FrameBuilder::config(read, "whatever")), IsConfigReply(read, ""));
}

// A string that does not fit the smallest frame would make the export invisible there.
TEST_F(Keeping, ConfigStringThatItsAnswerCouldNotCarryIsRefused) {
  t.set_port(PortId{1}, {.mac = {{2, 0, 0, 0, 0xa, 0x11}}, .mtu_bytes = 576, .link_up = true});
  (void)t.take_frames();
  EXPECT_THAT(t.answer(FrameBuilder::config(set, std::string(559, 'x'))), IsAoeError(2));
  EXPECT_THAT(t.answer(FrameBuilder::config(set, std::string(558, 'x'))),
              IsConfigReply(set, std::string(558, 'x')));
}

// ---- Mask
// ------------------------------------------------------------------------------------------

TEST_F(Keeping, MaskEditsAreAppliedInOrderAndIdempotent) {
  EXPECT_THAT(t.answer(FrameBuilder::mask_read()), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorA},
                                                {kSkip, kInitiatorC},
                                                {kAdd, kInitiatorB},
                                                {kAdd, kInitiatorA},
                                                {kRemove, kInitiatorC},
                                                {kAdd, kInitiatorC},
                                                {kRemove, kInitiatorB}})),
              IsMaskReply(MacList{kInitiatorA, kInitiatorC}));
  EXPECT_EQ(on_disk().mask, (MacList{kInitiatorA, kInitiatorC}));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read().from(kInitiatorC)),
              IsMaskReply(MacList{kInitiatorA, kInitiatorC}));
}

TEST_F(Keeping, MaskHidesTheExportFromEverybodyElse) {
  t.deliver(FrameBuilder::mask_edit({{kAdd, kInitiatorA}}));
  for (const Bytes& frame :
       {FrameBuilder::config(read).from(kInitiatorB).build(),
        FrameBuilder::mask_edit({{kAdd, kInitiatorB}}).from(kInitiatorB).build(),
        FrameBuilder::reserve(ReserveCommand::read).from(kInitiatorB).build(),
        FrameBuilder::ata(0xEC).from(kInitiatorB).build(),
        FrameBuilder::command(0x99).from(kInitiatorB).build(),
        FrameBuilder::config(read).version(5).from(kInitiatorB).build()}) {
    EXPECT_THAT(t.answers(frame), IsEmpty());
  }
  EXPECT_EQ(t.core().stats().drops.access_denied, 6U);
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC)), IsAtaOk());
}

TEST_F(Keeping, EditThatShutsItsSenderOutIsStillAnswered) {
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorB}})),
              IsMaskReply(MacList{kInitiatorB}));
  EXPECT_THAT(t.answers(FrameBuilder::mask_read()), IsEmpty());
}

TEST_F(Keeping, FirstBadDirectiveStopsTheEditAndKeepsWhatWasDone) {
  EXPECT_THAT(
      t.answer(FrameBuilder::mask_edit(
          {{kAdd, kInitiatorA}, {kAdd, kInitiatorB}, {3, kInitiatorC}, {kAdd, kInitiatorC}})),
      IsMaskError(MaskError::bad_directive, 2));
  EXPECT_EQ(t.at().persistent.mask, (MacList{kInitiatorA, kInitiatorB}));
  EXPECT_EQ(on_disk().mask, (MacList{kInitiatorA, kInitiatorB}));
  const std::size_t saves = t.save_count();
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{0xFF, kInitiatorC}})),
              IsMaskError(MaskError::bad_directive, 0));
  EXPECT_EQ(t.save_count(), saves) << "nothing changed, nothing is written";
}

TEST_F(Keeping, GroupAndZeroAddressesAreBadDirectives) {
  for (const MacAddress& mac :
       {MacAddress{}, MacAddress::broadcast(), MacAddress{{0x01, 0, 0, 0, 0, 1}}}) {
    EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, mac}})),
                IsMaskError(MaskError::bad_directive, 0));
    EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kRemove, mac}})), IsMaskReply(MacList{}));
  }
}

TEST_F(Keeping, UnknownMaskCommandsAreABadArgument) {
  for (unsigned command = 2; command < 256; ++command) {
    EXPECT_THAT(t.answer(FrameBuilder::mask_read().byte(25, static_cast<std::uint8_t>(command))),
                AllOf(IsAoeError(2), IsBareHeader()));
  }
}

// ---- Reservation
// -----------------------------------------------------------------------------------

TEST_F(Keeping, ReservationIsSetReadAndReleasedByItsHolders) {
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA, kInitiatorB})),
              IsReserveReply(ReserveCommand::set, MacList{kInitiatorA, kInitiatorB}));
  EXPECT_EQ(on_disk().reservation, (MacList{kInitiatorA, kInitiatorB}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read).from(kInitiatorC)),
              IsReserveReply(ReserveCommand::read, MacList{kInitiatorA, kInitiatorB}))
      << "everybody may see who holds it";
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorC}).from(kInitiatorC)),
              IsReserveRefusal(ReserveCommand::set, MacList{kInitiatorA, kInitiatorB}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set).from(kInitiatorB)),
              IsReserveReply(ReserveCommand::set, MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::read(0).from(kInitiatorC)), IsAtaOk());
}

TEST_F(Keeping, ForceSetTakesOver) {
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  EXPECT_THAT(
      t.answer(FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorB}).from(kInitiatorB)),
      IsReserveReply(ReserveCommand::force_set, MacList{kInitiatorB}));
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAoeError(6));
}

TEST_F(Keeping, ReservationDoesNotHideConfigMaskAndReserve) {
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  EXPECT_THAT(t.answer(FrameBuilder::config(read).from(kInitiatorB)), IsConfigReply(read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read().from(kInitiatorB)), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEC).from(kInitiatorB)), IsAtaOk());
}

TEST_F(Keeping, RepeatedReservationIsAnsweredWithoutAnotherSave) {
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  const std::size_t saves = t.save_count();
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA, kInitiatorA})),
              IsReserveReply(ReserveCommand::set, MacList{kInitiatorA}));
  EXPECT_EQ(t.save_count(), saves);
}

// The answer to the first copy was lost, and with its success its sender ceased to be a holder.
TEST_F(Keeping, AReservationHandedOverIsAnsweredAgain) {
  const auto hand_over = FrameBuilder::reserve(ReserveCommand::set, {kInitiatorB});
  const MacList holders{kInitiatorB};
  EXPECT_THAT(t.answer(hand_over), IsReserveReply(ReserveCommand::set, holders));
  const std::size_t saves = t.save_count();
  EXPECT_THAT(t.answer(hand_over), IsReserveReply(ReserveCommand::set, holders));
  EXPECT_EQ(t.save_count(), saves);
}

TEST_F(Keeping, ALateCopyDoesNotUndoANewerReservation) {
  const auto release = FrameBuilder::reserve(ReserveCommand::force_set, {}).tag(5);
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}).tag(4));
  EXPECT_THAT(t.answer(release), IsReserveReply(ReserveCommand::force_set, MacList{}));
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorB}).from(kInitiatorB).tag(6));
  EXPECT_THAT(t.answers(release), IsEmpty());
  EXPECT_EQ(t.core().stats().drops.late_change, 1U);
  EXPECT_EQ(t.at().persistent.reservation, MacList{kInitiatorB});
  // The same wish again, which its sender may well have later, is a new one by its tag.
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::force_set, {}).tag(7)),
              IsReserveReply(ReserveCommand::force_set, MacList{}));
}

TEST_F(Keeping, ALateCopyDoesNotUndoANewerStringOrMask) {
  const auto first = FrameBuilder::config(force_set, "one").tag(5);
  t.deliver(first);
  t.deliver(FrameBuilder::config(force_set, "two").tag(6));
  EXPECT_THAT(t.answers(first), IsEmpty());
  EXPECT_EQ(as_text(t.at().persistent.config_string), "two");
  const auto add = FrameBuilder::mask_edit({{kAdd, kInitiatorA}, {kAdd, kInitiatorB}}).tag(7);
  t.deliver(add);
  t.deliver(FrameBuilder::mask_edit({{kRemove, kInitiatorB}}).tag(8));
  EXPECT_THAT(t.answers(add), IsEmpty());
  EXPECT_EQ(t.at().persistent.mask, MacList{kInitiatorA});
  // A tool that uses one tag for everything waits until no copy can be left.
  t.advance(Duration::seconds(1));
  EXPECT_THAT(t.answer(first), IsConfigReply(force_set, "one"));
}

TEST_F(Keeping, UnknownReserveCommandsAndTooManyHoldersAreABadArgument) {
  for (unsigned command = 3; command < 256; ++command) {
    EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read)
                             .byte(24, static_cast<std::uint8_t>(command))),
                AllOf(IsAoeError(2), IsBareHeader()));
  }
  t.set_port(PortId{1}, {.mac = {{2, 0, 0, 0, 0xa, 0x11}}, .mtu_bytes = 576, .link_up = true});
  (void)t.take_frames();
  // (576 + 14 - 26) / 6 = 94 addresses fit the smallest answer.
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, MacList(95, kInitiatorA))),
              IsAoeError(2));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, MacList(94, kInitiatorA))),
              IsReserveReply(ReserveCommand::set, MacList{kInitiatorA}));
}

// ---- Who may change
// --------------------------------------------------------------------------------

TEST_F(Keeping, ExportWithoutRemoteAdminRefusesEveryChangeInItsOwnWay) {
  t.deliver(FrameBuilder::config(set, "abc"));
  set_admins(RemoteAdmin::none);
  (void)t.take_events();
  EXPECT_THAT(t.answer(FrameBuilder::config(force_set, "x")), IsConfigError(4, force_set, "abc"));
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "abc")), IsConfigError(4, set, "abc"));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorA}})),
              IsMaskError(MaskError::unspecified, 0));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA})),
              IsReserveRefusal(ReserveCommand::set, MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorA})),
              IsReserveRefusal(ReserveCommand::force_set, MacList{}));
  EXPECT_THAT(t.take_events(), AllOf(SizeIs(5), testing::Each(IsEvent(EventKind::admin_refused))));
  EXPECT_THAT(t.answer(FrameBuilder::config(read)), IsConfigReply(read, "abc"));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read()), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read)),
              IsReserveReply(ReserveCommand::read, MacList{}));
}

TEST_F(Keeping, ListedAdministratorPassesAMaskThatForgotIt) {
  set_admins(RemoteAdmin::listed, {kInitiatorC});
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorA}})),
              IsMaskError(MaskError::unspecified, 0));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorB}}).from(kInitiatorC)),
              IsMaskReply(MacList{kInitiatorB}));
  EXPECT_THAT(t.answers(FrameBuilder::mask_read()), IsEmpty());
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kRemove, kInitiatorB}}).from(kInitiatorC)),
              IsMaskReply(MacList{}));
}

// ---- Durable before the reply
// ----------------------------------------------------------------------

TEST_F(Keeping, ChangeIsAnsweredAndEffectiveOnlyOnceItIsOnDisk) {
  t.hold_saves();
  EXPECT_THAT(t.answers(FrameBuilder::config(set, "new")), IsEmpty());
  ASSERT_THAT(t.held_saves(), SizeIs(1));
  EXPECT_EQ(t.held_saves()[0].address, kE71);
  const auto state = decode_state(kE71, t.held_saves()[0].bytes);
  ASSERT_TRUE(state);
  EXPECT_EQ(as_text(state->config_string), "new");
  EXPECT_EQ(state->generation, t.held_saves()[0].generation);
  EXPECT_THAT(t.answer(FrameBuilder::config(read)), IsConfigReply(read, "")) << "not yet";
  t.finish_save();
  EXPECT_THAT(t.take_frames(), ElementsAre(IsConfigReply(set, "new")));
}

TEST_F(Keeping, SecondChangeWaitsForARetransmissionAndTheFirstIsAnsweredOnce) {
  t.hold_saves();
  t.deliver(FrameBuilder::config(set, "new"));
  EXPECT_THAT(t.answers(FrameBuilder::config(set, "new")), IsEmpty()) << "retransmitted";
  EXPECT_THAT(t.answers(FrameBuilder::mask_edit({{kAdd, kInitiatorA}})), IsEmpty());
  EXPECT_EQ(t.core().stats().drops.change_pending, 2U);
  t.finish_save();
  EXPECT_THAT(t.take_frames(), ElementsAre(IsConfigReply(set, "new")));
  t.stop_holding_saves();
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "new")), IsConfigReply(set, "new"));
}

TEST_F(Keeping, ChangeThatCannotBeStoredIsRefusedAndForgotten) {
  t.set_save_result(Saved::no);
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "new")), AllOf(IsAoeError(3), IsBareHeader()));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorB}})), IsAoeError(3));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorB})), IsAoeError(3));
  EXPECT_THAT(t.take_events(),
              AllOf(SizeIs(3), testing::Each(IsEvent(EventKind::state_save_failed))));
  EXPECT_THAT(t.answer(FrameBuilder::config(read)), IsConfigReply(read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read()), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAtaOk());
  t.set_save_result(Saved::yes);
  EXPECT_THAT(t.answer(FrameBuilder::config(set, "new")), IsConfigReply(set, "new"));
}

TEST_F(Keeping, StaleAnswersOfTheStateDiskAreIgnored) {
  t.hold_saves();
  t.deliver(FrameBuilder::config(set, "new"));
  const auto generation = t.held_saves()[0].generation;
  const ExportId id = t.at().id;
  t.core().handle_state_saved(t.now(), id, generation - 1, Saved::yes);
  t.core().handle_state_saved(t.now(), id, generation + 1, Saved::yes);
  t.core().handle_state_saved(t.now(), ExportId{id.value + (1U << 16U)}, generation, Saved::yes);
  t.core().handle_state_saved(t.now(), ExportId{0xFFFFFFFF}, generation, Saved::yes);
  t.run();
  EXPECT_THAT(t.take_frames(), IsEmpty());
  t.finish_save();
  EXPECT_THAT(t.take_frames(), SizeIs(1));
  t.core().handle_state_saved(t.now(), id, generation, Saved::yes);
  t.run();
  EXPECT_THAT(t.take_frames(), IsEmpty());
}

TEST_F(Keeping, GenerationGrowsWithEverySave) {
  const auto first = on_disk().generation;
  t.deliver(FrameBuilder::config(set, "a"));
  t.deliver(FrameBuilder::config(force_set, "b"));
  EXPECT_EQ(on_disk().generation, first + 2);
}

TEST_F(Keeping, StateSurvivesARestart) {
  t.deliver(FrameBuilder::config(set, "name"));
  t.deliver(FrameBuilder::mask_edit({{kAdd, kInitiatorA}, {kAdd, kInitiatorB}}));
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  const std::string serial = t.at().serial;
  const PersistentState saved = on_disk();
  TargetHarness again({.limits = {}, .seed = 2});
  (void)again.serve(TargetHarness::settings(), saved);
  EXPECT_EQ(again.at().serial, serial);
  EXPECT_THAT(again.answer(FrameBuilder::config(read)), IsConfigReply(read, "name"));
  EXPECT_THAT(again.answers(FrameBuilder::config(read).from(kInitiatorC)), IsEmpty());
  EXPECT_THAT(again.answer(FrameBuilder::read(0).from(kInitiatorB)), IsAoeError(6));
  EXPECT_THAT(again.answer(FrameBuilder::read(0)), IsAtaOk());
  EXPECT_EQ(again.at().persistent.life.starts, saved.life.starts + 1);
  EXPECT_EQ(again.unfinished(), "");
}

TEST_F(Keeping, CountersAreSavedOnRequestAndSurvive) {
  EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(1536, 1))), IsAtaOk());
  t.advance(Duration::seconds(100));
  ASSERT_TRUE(t.core().save_state(t.now(), t.at().id));
  t.run();
  const PersistentState saved = on_disk();
  EXPECT_EQ(saved.life.sectors_written, 3U);
  EXPECT_EQ(saved.life.powered_on_seconds, 100U);
  t.hold_saves();
  ASSERT_TRUE(t.core().save_state(t.now(), t.at().id));
  const auto busy = t.core().save_state(t.now(), t.at().id);
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, Errc::busy);
  t.run();
  t.finish_save();
  EXPECT_THAT(t.take_frames(), IsEmpty());
}

TEST_F(Keeping, RemovedExportForgetsTheChangeThatWasUnderWay) {
  t.hold_saves();
  t.deliver(FrameBuilder::config(set, "new"));
  const ExportId id = t.at().id;
  ASSERT_TRUE(t.core().remove_export(t.now(), id));
  t.run();
  t.finish_save();
  EXPECT_THAT(t.take_frames(), IsEmpty());
  t.stop_holding_saves();
  (void)t.serve(TargetHarness::settings());
  EXPECT_THAT(t.answer(FrameBuilder::config(read)), IsConfigReply(read, ""));
}

// ---- Many exports
// ----------------------------------------------------------------------------------

class ManyNew : public TargetTest {
 protected:
  ManyNew() : TargetTest({.limits = {.changes_max = 4}}) {}
};

// The serial number that an initiator has seen must not change at the next start.
TEST_F(ManyNew, IdentityOfEveryNewExportReachesTheDisk) {
  t.hold_saves();
  for (std::uint8_t slot = 0; slot < 20; ++slot) {
    (void)t.add(TargetHarness::settings({Shelf{8}, Slot{slot}}));
  }
  EXPECT_THAT(t.held_saves(), SizeIs(4));
  while (!t.held_saves().empty()) {
    t.finish_save();
  }
  t.advance(Duration::seconds(1));
  for (std::uint8_t slot = 0; slot < 20; ++slot) {
    const DeviceAddress address{Shelf{8}, Slot{slot}};
    const auto state = decode_state(address, t.saved_state(address));
    ASSERT_TRUE(state) << unsigned{slot};
    EXPECT_EQ(target::default_serial(*state), t.at(address).serial);
  }
}

TEST_F(ManyNew, ExportWhoseIdentityCouldNotBeSavedServesAndTriesAgain) {
  t.set_save_result(Saved::no);
  (void)t.serve(TargetHarness::settings());
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAtaOk());
  t.set_save_result(Saved::yes);
  t.deliver(FrameBuilder::config(set, "x"));
  EXPECT_EQ(target::default_serial(*decode_state(kE71, t.saved_state(kE71))), t.at().serial);
}

}  // namespace
}  // namespace aoe::test
