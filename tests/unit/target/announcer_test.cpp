#include "support/target_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace aoe::test {
namespace {

using protocol::ConfigCommand;
using protocol::MaskAction;
using target::EventKind;
using target::ExportSettings;
using target::ExportState;
using target::PersistentState;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MacAddress kOtherTarget{{0x02, 0, 0, 0, 0x0b, 0x01}};
constexpr MacAddress kSecondMac{{0x02, 0, 0, 0, 0x0a, 0x11}};
constexpr PortId kPort0{0};
constexpr PortId kPort1{1};

PortInfo up(std::size_t mtu_bytes = 9000, const MacAddress& mac = kTargetMac) {
  return {.mac = mac, .mtu_bytes = mtu_bytes, .link_up = true};
}

PortInfo down() {
  return {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = false};
}

// What another target at e7.1 sends.
FrameBuilder foreign_answer() {
  return FrameBuilder::config(ConfigCommand::read).from(kOtherTarget).flags(0x8);
}

class Announcing : public TargetTest {
 protected:
  using TargetTest::TargetTest;

  // Adds `count` exports from e8.0 on and lets them come up.
  void serve_many(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      (void)t.add(TargetHarness::settings(many(i)));
    }
    t.advance(Duration::seconds(2));
    (void)t.take_frames();
    (void)t.take_events();
  }

  static DeviceAddress many(unsigned index) {
    return {Shelf{static_cast<std::uint16_t>(8 + index / 200)},
            Slot{static_cast<std::uint8_t>(index % 200)}};
  }
};

// ---- Duplicate address detection
// -------------------------------------------------------------------

TEST_F(Announcing, AsksThreeTimesForItsAddressBeforeItServes) {
  (void)t.add(TargetHarness::settings());
  EXPECT_EQ(t.at().state, ExportState::probing);
  t.advance(Duration::milliseconds(249));
  EXPECT_THAT(t.take_frames(), AllOf(SizeIs(3), Each(IsProbe(kE71))));
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read)), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::read(0)), IsEmpty());
  EXPECT_THAT(t.take_events(), IsEmpty());
  t.advance(Duration::milliseconds(5));
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAdvertisement(kE71, MacAddress::broadcast())));
  EXPECT_THAT(t.take_events(), ElementsAre(AllOf(IsEvent(EventKind::export_ready),
                                                 Field(&target::TargetEvent::value, 1024))));
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAtaOk());
}

TEST_F(Announcing, ProbesCarryTagsThatALinuxDriverIgnores) {
  (void)t.add(TargetHarness::settings());
  t.advance(Duration::milliseconds(1));
  const auto frames = t.take_frames();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_GE(load_be32(frames[0].bytes, 20), 0x80000000U);
  t.advance(Duration::seconds(1));
}

TEST_F(Announcing, AnswerFromAnotherStationMeansConflictAndAnotherTryLater) {
  (void)t.add(TargetHarness::settings());
  t.advance(Duration::milliseconds(100));
  t.deliver(foreign_answer());
  EXPECT_EQ(t.at().state, ExportState::conflict);
  EXPECT_THAT(t.take_events(), ElementsAre(AllOf(IsEvent(EventKind::address_conflict),
                                                 Field(&target::TargetEvent::mac, kOtherTarget))));
  (void)t.take_frames();
  t.advance(Duration::seconds(9));
  EXPECT_THAT(t.take_frames(), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read)), IsEmpty());
  // The other one still answers: conflict again.
  t.advance(Duration::seconds(1));
  EXPECT_THAT(t.take_frames(), Each(IsProbe(kE71)));
  t.deliver(foreign_answer());
  EXPECT_EQ(t.at().state, ExportState::conflict);
  // Now it is gone.
  t.advance(Duration::seconds(11));
  EXPECT_EQ(t.at().state, ExportState::online);
  (void)t.take_events();
}

TEST_F(Announcing, AdvertisementWithoutVersionOfAnotherTargetCountsToo) {
  (void)t.add(TargetHarness::settings());
  t.deliver(foreign_answer().version(0).broadcast().tag(0));
  EXPECT_EQ(t.at().state, ExportState::conflict);
}

TEST_F(Announcing, OnlyConfigAnswersForItsAddressOnItsPortsAreAConflict) {
  ExportSettings settings = TargetHarness::settings();
  settings.port_mask = 0x1;
  t.set_port(kPort1, up(1500, kSecondMac));
  (void)t.add(settings);
  t.deliver(foreign_answer().address(kE72));
  t.deliver(foreign_answer().flags(0xC).error(2));
  t.deliver(FrameBuilder::read(0).from(kOtherTarget).flags(0x8));
  t.deliver(foreign_answer().from(kTargetMac));
  // Another network, where the export is not served.
  t.deliver(foreign_answer().to(kSecondMac), kPort1);
  EXPECT_EQ(t.at().state, ExportState::probing);
  t.advance(Duration::seconds(1));
  EXPECT_EQ(t.at().state, ExportState::online);
}

TEST_F(Announcing, ForeignTargetIsReportedWhileServingGoesOn) {
  (void)t.serve(TargetHarness::settings());
  t.deliver(foreign_answer());
  EXPECT_THAT(t.take_events(), ElementsAre(AllOf(IsEvent(EventKind::foreign_target),
                                                 Field(&target::TargetEvent::mac, kOtherTarget))));
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), IsAtaOk());
}

TEST_F(Announcing, GoingOnlineAgainListensFirst) {
  const ExportId id = t.serve(TargetHarness::settings());
  ASSERT_TRUE(t.core().set_online(t.now(), id, target::TargetCore::Online::no));
  t.advance(Duration::seconds(1));
  EXPECT_THAT(t.take_frames(), IsEmpty());
  ASSERT_TRUE(t.core().set_online(t.now(), id, target::TargetCore::Online::yes));
  t.deliver(foreign_answer());
  EXPECT_EQ(t.at().state, ExportState::conflict);
}

TEST_F(Announcing, ExportThatStartsOfflineIsNotAdvertised) {
  ExportSettings settings = TargetHarness::settings();
  settings.starts_online = false;
  (void)t.add(settings);
  t.advance(Duration::seconds(1));
  EXPECT_EQ(t.at().state, ExportState::offline);
  EXPECT_THAT(t.take_frames(), Each(IsProbe(kE71)));
}

TEST_F(Announcing, FiveHundredExportsAskPacedAndEachThreeTimes) {
  for (unsigned i = 0; i < 500; ++i) {
    (void)t.add(TargetHarness::settings(many(i)));
  }
  std::map<DeviceAddress, int> probes;
  for (int ms = 0; ms < 600; ++ms) {
    t.advance(Duration::milliseconds(1));
    const auto frames = t.take_frames();
    EXPECT_LE(frames.size(), 128U) << ms;
    for (const SentFrame& frame : frames) {
      const auto header = protocol::parse_header(frame.bytes);
      probes[header->address] += header->is_response ? 0 : 1;
    }
  }
  EXPECT_EQ(probes.size(), 500U);
  for (const auto& [address, count] : probes) {
    EXPECT_EQ(count, 3) << to_string(address);
    EXPECT_EQ(t.at(address).state, ExportState::online);
  }
}

class FewBuffers : public Announcing {
 protected:
  FewBuffers() : Announcing({.limits = {.requests_max = 16}, .buffers = 20}) {}
};

TEST_F(FewBuffers, ManyExportsAreAskedForAllTheSame) {
  for (unsigned i = 0; i < 60; ++i) {
    (void)t.core().add_export(t.now(), TargetHarness::settings(many(i)), {});
  }
  for (int ms = 0; ms < 400; ++ms) {
    t.advance(Duration::milliseconds(1));
  }
  std::map<DeviceAddress, int> probes;
  for (const SentFrame& frame : t.take_frames()) {
    const auto header = protocol::parse_header(frame.bytes);
    probes[header->address] += header->is_response ? 0 : 1;
  }
  EXPECT_EQ(probes.size(), 60U);
}

// ---- Advertisements
// --------------------------------------------------------------------------------

TEST_F(Announcing, LinkUpMtuAndAddressChangesAreAdvertised) {
  (void)t.serve(TargetHarness::settings());
  t.set_port(kPort0, up(1500));
  t.advance(Duration::milliseconds(2));
  auto frames = t.take_frames();
  ASSERT_THAT(frames, ElementsAre(IsAdvertisement(kE71, MacAddress::broadcast())));
  EXPECT_EQ(load_u8(frames[0].bytes, 28), 2) << "sectors of the new MTU";
  t.set_port(kPort0, up(1500));
  t.advance(Duration::milliseconds(2));
  EXPECT_THAT(t.take_frames(), IsEmpty()) << "nothing changed";
  t.set_port(kPort0, down());
  t.advance(Duration::milliseconds(2));
  EXPECT_THAT(t.take_frames(), IsEmpty());
  t.set_port(kPort0, up(9000, kSecondMac));
  t.advance(Duration::milliseconds(2));
  frames = t.take_frames();
  ASSERT_THAT(frames, ElementsAre(IsAdvertisement(kE71, MacAddress::broadcast())));
  EXPECT_EQ(load_mac(frames[0].bytes, 6), kSecondMac);
  EXPECT_EQ(load_u8(frames[0].bytes, 28), 16) << "17 sectors fit, pages hold 8";
}

TEST_F(Announcing, ResizeIsAdvertised) {
  const ExportId id = t.serve(TargetHarness::settings());
  t.disk(id).set_sector_count(2048);
  ASSERT_TRUE(t.core().resize(id, 2048));
  t.advance(Duration::milliseconds(2));
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAdvertisement(kE71, MacAddress::broadcast())));
  EXPECT_THAT(t.take_events(), ElementsAre(AllOf(IsEvent(EventKind::size_changed),
                                                 Field(&target::TargetEvent::value, 2048))));
  EXPECT_THAT(t.answer(FrameBuilder::read(2047)), IsAtaOk());
  ASSERT_TRUE(t.core().resize(id, 2048));
  t.advance(Duration::milliseconds(2));
  EXPECT_THAT(t.take_frames(), IsEmpty()) << "the same size is no news";
}

TEST_F(Announcing, MaskedExportTellsOnlyThoseOnItsList) {
  PersistentState state;
  state.identity = 5;
  state.mask = {kInitiatorA, kInitiatorC};
  (void)t.add(TargetHarness::settings(), state);
  t.advance(Duration::milliseconds(249));
  (void)t.take_frames();
  t.advance(Duration::milliseconds(5));
  EXPECT_THAT(t.take_frames(),
              ElementsAre(IsAdvertisement(kE71, kInitiatorA), IsAdvertisement(kE71, kInitiatorC)));
}

TEST_F(Announcing, ExportTellsOnItsPortsOnly) {
  t.set_port(kPort1, up(1500, kSecondMac));
  ExportSettings settings = TargetHarness::settings();
  settings.port_mask = 0x2;
  (void)t.add(settings);
  t.advance(Duration::seconds(1));
  EXPECT_THAT(t.take_frames(), AllOf(SizeIs(4), Each(Field(&SentFrame::port, kPort1))));
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read)), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read).address(kEverywhere)), IsEmpty());
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read).to(kSecondMac), kPort1),
              IsConfigReply(ConfigCommand::read, ""));
}

TEST_F(Announcing, ExportThatWentOfflineInTheMeantimeIsNotAdvertised) {
  const ExportId id = t.serve(TargetHarness::settings());
  t.set_port(kPort0, up(1500));
  ASSERT_TRUE(t.core().set_online(t.now(), id, target::TargetCore::Online::no));
  t.advance(Duration::milliseconds(5));
  EXPECT_THAT(t.take_frames(), IsEmpty());
}

TEST_F(Announcing, LinkUpWithManyExportsIsPaced) {
  serve_many(500);
  t.set_port(kPort0, down());
  t.set_port(kPort0, up());
  std::size_t total = 0;
  for (int ms = 0; ms < 20; ++ms) {
    t.advance(Duration::milliseconds(1));
    const std::size_t sent = t.take_frames().size();
    EXPECT_LE(sent, 128U);
    total += sent;
  }
  EXPECT_EQ(total, 500U);
}

// Every place of the export table is in use and waits to be advertised.
class FullTable : public Announcing {
 protected:
  FullTable() : Announcing({.limits = {.exports_max = 200}}) {}
};

TEST_F(FullTable, LinkThatFlapsWhileAdvertisementsAreUnderWayIsSurvived) {
  serve_many(200);
  for (int flap = 0; flap < 20; ++flap) {
    t.set_port(kPort0, up(flap % 2 == 0 ? 1500 : 9000));
    t.advance(Duration::milliseconds(1));
  }
  t.advance(Duration::milliseconds(10));
  std::map<DeviceAddress, std::uint8_t> sectors;
  for (const SentFrame& frame : t.take_frames()) {
    sectors[protocol::parse_header(frame.bytes)->address] = load_u8(frame.bytes, 28);
  }
  EXPECT_THAT(sectors, SizeIs(200));
  for (const auto& [address, count] : sectors) {
    EXPECT_EQ(count, 16) << to_string(address) << " was told the last MTU";
  }
}

TEST_F(FullTable, ExportsThatComeAndGoWhileAdvertisementsAreUnderWayAreSurvived) {
  serve_many(200);
  for (int round = 0; round < 5; ++round) {
    t.set_port(kPort0, up(round % 2 == 0 ? 1500 : 9000));
    for (unsigned i = 0; i < 100; ++i) {
      ASSERT_TRUE(t.core().remove_export(t.now(), t.core().find(many(i))->id));
      (void)t.add(TargetHarness::settings(many(i)));
      (void)t.core().resize(t.core().find(many(i))->id, 4096);
    }
    // One late wake-up does all that is due.
    t.core().handle_timeout(t.now() + Duration::milliseconds(300 + round));
    t.run();
    t.advance(Duration::milliseconds(400));
  }
  EXPECT_THAT(t.take_frames(), testing::Not(IsEmpty()));
}

// ---- Wildcard queries
// ------------------------------------------------------------------------------

class Discovering : public Announcing {
 protected:
  Discovering() {
    for (const DeviceAddress address : {kE71, kE72, DeviceAddress{Shelf{9}, Slot{1}}}) {
      (void)t.add(TargetHarness::settings(address));
    }
    t.advance(Duration::seconds(1));
    (void)t.take_frames();
    (void)t.take_events();
  }

  std::vector<DeviceAddress> found(const Bytes& question) {
    std::vector<DeviceAddress> addresses;
    for (const SentFrame& frame : t.answers(question)) {
      EXPECT_EQ(load_mac(frame.bytes, 0), kInitiatorA);
      addresses.push_back(protocol::parse_header(frame.bytes)->address);
    }
    return addresses;
  }

  static FrameBuilder query(DeviceAddress address) {
    return FrameBuilder::config(ConfigCommand::read).broadcast().address(address);
  }
};

TEST_F(Discovering, EachWildcardStandsForItself) {
  const DeviceAddress e91{Shelf{9}, Slot{1}};
  EXPECT_THAT(found(query(kEverywhere)), ElementsAre(kE71, kE72, e91));
  EXPECT_THAT(found(query({Shelf{7}, protocol::kAllSlots})), ElementsAre(kE71, kE72));
  EXPECT_THAT(found(query({protocol::kAllShelves, Slot{1}})), ElementsAre(kE71, e91));
  EXPECT_THAT(found(query({Shelf{8}, protocol::kAllSlots})), IsEmpty());
  EXPECT_THAT(found(query({protocol::kAllShelves, Slot{9}})), IsEmpty());
  EXPECT_THAT(found(FrameBuilder::ata(0xEC, 0, 1).broadcast().address(kEverywhere)),
              ElementsAre(kE71, kE72, e91));
}

TEST_F(Discovering, WildcardIdentifyWithTheWriteFlagGetsNoAnswer) {
  EXPECT_THAT(found(FrameBuilder::ata(0xEC, 0, 1).ata_flags(0x01).broadcast().address(kEverywhere)),
              IsEmpty());
}

TEST_F(Discovering, OfflineMaskedAndUnlistedExportsStaySilent) {
  ASSERT_TRUE(
      t.core().set_online(t.now(), t.core().find(kE71)->id, target::TargetCore::Online::no));
  t.deliver(FrameBuilder::mask_edit({{static_cast<std::uint8_t>(MaskAction::add), kInitiatorB}})
                .address(kE72)
                .from(kInitiatorB));
  EXPECT_THAT(found(query(kEverywhere)), ElementsAre(DeviceAddress{Shelf{9}, Slot{1}}));
  EXPECT_EQ(t.core().stats().drops.access_denied, 1U);
  ExportSettings settings = t.at({Shelf{9}, Slot{1}}).settings;
  settings.allow_policy = target::AllowPolicy::listed;
  settings.allow = {kInitiatorC};
  ASSERT_TRUE(t.core().update_settings(t.at({Shelf{9}, Slot{1}}).id, settings));
  t.advance(Duration::milliseconds(5));
  EXPECT_THAT(found(query(kEverywhere)), IsEmpty());
}

TEST_F(Discovering, RemovedExportIsLeftOutOfAnAnswerUnderWay) {
  serve_many(100);
  EXPECT_THAT(t.answers(query(kEverywhere)), SizeIs(64));
  for (unsigned i = 0; i < 100; ++i) {
    ASSERT_TRUE(t.core().remove_export(t.now(), t.core().find(many(i))->id));
  }
  t.advance(Duration::milliseconds(5));
  EXPECT_THAT(t.take_frames(), ElementsAre(GoesTo(kInitiatorA, DeviceAddress{Shelf{9}, Slot{1}})));
}

TEST_F(Discovering, QuestionsBeyondTheLimitAreDropped) {
  serve_many(100);
  for (unsigned i = 0; i < 40; ++i) {
    const MacAddress source{{0x02, 0, 0, 2, 0, static_cast<std::uint8_t>(i)}};
    t.deliver(query(kEverywhere).from(source));
  }
  EXPECT_EQ(t.core().stats().drops.queue_full, 8U);
  t.advance(Duration::milliseconds(10));
  EXPECT_EQ(t.take_frames().size(), 32U * 103U);
}

}  // namespace
}  // namespace aoe::test
