// What other AoE targets get wrong, one test a slip. The name of each test says what ours does; the
// comment says what went wrong elsewhere.
#include "support/target_fixture.h"

#include <gmock/gmock.h>

namespace aoe::test {
namespace {

using protocol::ConfigCommand;
using protocol::MaskAction;
using protocol::MaskDirective;
using protocol::MaskError;
using protocol::ReserveCommand;
using target::ExportSettings;
using target::WriteMode;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

using MacList = std::vector<MacAddress>;
using ByteList = std::vector<std::uint8_t>;

constexpr auto kAdd = static_cast<std::uint8_t>(MaskAction::add);
constexpr auto kRemove = static_cast<std::uint8_t>(MaskAction::remove);

MacAddress numbered_mac(unsigned number) {
  return {{0x02, 0, 0, 1, static_cast<std::uint8_t>(number >> 8U),
           static_cast<std::uint8_t>(number & 0xFFU)}};
}

class KnownSlips : public TargetTest {
 protected:
  KnownSlips() : id(t.serve(TargetHarness::settings())) {}

  ModelDisk& disk() { return t.disk(id); }

 public:
  ExportId id;
};

// ---- Mask
// ----------------------------------------------------------------------------------------

// vblade 25 overflows a buffer in rmmask: one frame that adds an address and one that deletes it
// stop the process (aoe.c:222).
TEST_F(KnownSlips, DeletingTheOnlyMaskEntryLeavesAnEmptyList) {
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorA}})),
              IsMaskReply(MacList{kInitiatorA}));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kRemove, kInitiatorA}})), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read).from(kInitiatorB)),
              IsConfigReply(ConfigCommand::read, ""));
}

// vblade 25: the third and every later addition overwrites entry 2 and leaves zero entries behind.
TEST_F(KnownSlips, AddingManyMaskEntriesKeepsEachOfThem) {
  std::vector<MaskDirective> directives{{kAdd, kInitiatorA}};
  MacList wanted{kInitiatorA};
  for (unsigned i = 0; i < 40; ++i) {
    directives.push_back({kAdd, numbered_mac(i)});
    wanted.push_back(numbered_mac(i));
  }
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit(directives)), IsMaskReply(wanted));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read()), IsMaskReply(wanted));
}

TEST_F(KnownSlips, DeletingFromTheMiddleKeepsTheOthersInOrder) {
  t.deliver(FrameBuilder::mask_edit(
      {{kAdd, kInitiatorA}, {kAdd, kInitiatorB}, {kAdd, kInitiatorC}, {kAdd, numbered_mac(4)}}));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kRemove, kInitiatorB}})),
              IsMaskReply(MacList{kInitiatorA, kInitiatorC, numbered_mac(4)}));
}

// vblade has no length check in aoemask(): a 28-byte frame that claims 5 directives applies those
// of the frame before it and locks the sender out.
TEST_F(KnownSlips, DirectivesThatAreNotThereAreABadArgument) {
  t.deliver(FrameBuilder::mask_edit(std::vector<MaskDirective>(5, {kAdd, kInitiatorA})));
  t.deliver(FrameBuilder::mask_edit({{kRemove, kInitiatorA}}));
  const auto lie = FrameBuilder::mask_edit({}).byte(27, 5).truncate(28);
  EXPECT_THAT(t.answer(lie), AllOf(IsAoeError(2), IsBareHeader()));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read()), IsMaskReply(MacList{}));
}

// The same where padding holds part of what was claimed: 4 directives fit 60 bytes, 5 do not.
TEST_F(KnownSlips, DirectiveCountBehindThePaddedFrameIsABadArgument) {
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({}).byte(27, 5)), IsAoeError(2));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({}).byte(27, 255)), IsAoeError(2));
  // Padding that is read as directives "none" changes nothing.
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({}).byte(27, 4)), IsMaskReply(MacList{}));
}

// A mask that nobody can fit into an answer would make the list unreadable for ever.
TEST_F(KnownSlips, MaskStopsGrowingWhereItsAnswerWouldNotFitTheFrame) {
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 1500, .link_up = true});
  (void)t.take_frames();
  std::vector<MaskDirective> directives{{kAdd, kInitiatorA}};
  for (unsigned i = 0; i < 180; ++i) {
    directives.push_back({kAdd, numbered_mac(i)});
  }
  EXPECT_EQ(t.answers(FrameBuilder::mask_edit(directives)).size(), 1U);
  directives.clear();
  for (unsigned i = 1000; i < 1010; ++i) {
    directives.push_back({kAdd, numbered_mac(i)});
  }
  // (1500 + 14 - 28) / 8 = 185 entries fit: 181 are there, the fifth new one is refused.
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit(directives)), IsMaskError(MaskError::list_full, 4));
  EXPECT_EQ(t.at().persistent.mask.size(), 185U);
}

// ggaoed does not cut the echoed directives off when it reports a bad one.
TEST_F(KnownSlips, MaskErrorCarriesNoDirectives) {
  const std::vector<MaskDirective> directives{
      {kAdd, kInitiatorA}, {kAdd, kInitiatorB}, {9, kInitiatorC}};
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit(directives)),
              IsMaskError(MaskError::bad_directive, 2));
}

// ---- Reserve
// -------------------------------------------------------------------------------------

// ggaoed stores the list as it came and searches it by bisection: holders find themselves locked
// out.
TEST_F(KnownSlips, EveryMemberOfAnUnsortedReservationMayUseTheDisk) {
  const MacList holders{kInitiatorC, kInitiatorA, numbered_mac(700), kInitiatorB};
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, holders));
  for (const MacAddress& mac : holders) {
    EXPECT_THAT(t.answer(FrameBuilder::read(0).from(mac)), IsAtaOk()) << to_string(mac);
  }
  EXPECT_THAT(t.answer(FrameBuilder::read(0).from(numbered_mac(1))), IsAoeError(6));
}

TEST_F(KnownSlips, ReserveCountBehindTheFrameIsABadArgument) {
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}).byte(25, 6)),
              IsAoeError(2));
  EXPECT_THAT(
      t.answer(FrameBuilder::reserve(ReserveCommand::force_set, {kInitiatorA}).byte(25, 255)),
      IsAoeError(2));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read)),
              IsReserveReply(ReserveCommand::read, MacList{}));
}

// ggaoed guards only reads and writes: a stranger's FLUSH, TRIM or SET FEATURES gets through.
TEST_F(KnownSlips, ReservationGuardsEveryAtaCommandButIdentify) {
  t.deliver(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}));
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    const auto frame = FrameBuilder::ata(static_cast<std::uint8_t>(opcode), 0, 1).from(kInitiatorB);
    if (opcode == 0xEC) {
      EXPECT_THAT(t.answer(frame), IsAtaOk());
    } else {
      EXPECT_THAT(t.answer(frame), IsAoeError(6)) << std::hex << opcode;
    }
  }
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

// ---- Replies
// -------------------------------------------------------------------------------------

// vblade echoes a request's error flag and code in its answer.
TEST_F(KnownSlips, PresetErrorBitsOfARequestAreNotEchoed) {
  EXPECT_THAT(t.answer(FrameBuilder::read(0).flags(0x4).error(9)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read).flags(0x4).error(9)),
              IsConfigReply(ConfigCommand::read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read().flags(0x7).error(0xFF)), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read).flags(0x4).error(3)),
              IsReserveReply(ReserveCommand::read, MacList{}));
}

// aoeping sets a reserved bit for SMART WRITE LOG; it means nothing and is not sent back.
TEST_F(KnownSlips, ReservedFlagBitsAreIgnored) {
  EXPECT_THAT(t.answer(FrameBuilder::read(0).flags(0x3)), IsAtaOk());
}

// vblade and kvblade build answers in the request's buffer: what the last frame left there goes out
// again. The harness fills every buffer with EEh before it is used; the matchers want zeros.
TEST_F(KnownSlips, NothingOfAnotherFrameIsBehindTheContentOfAReply) {
  const auto noise = pattern(400, 0x5A);
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xE7).trailing(noise)), AllOf(IsAtaOk(), CarriesNoData()));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x60, 0, 1).trailing(noise)),
              AllOf(IsAtaAborted(), CarriesNoData()));
  EXPECT_THAT(t.answer(FrameBuilder::read(5000)), AllOf(IsAtaNotFound(), CarriesNoData()));
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read).trailing(noise)),
              IsConfigReply(ConfigCommand::read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::mask_read().trailing(noise)), IsMaskReply(MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::read).trailing(noise)),
              IsReserveReply(ReserveCommand::read, MacList{}));
  EXPECT_THAT(t.answer(FrameBuilder::command(0x77).trailing(noise)),
              AllOf(IsAoeError(1), IsBareHeader()));
  EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(512, 3)).truncate(200)),
              AllOf(IsAoeError(2), IsBareHeader()));
}

// A read that fails after the store has put bytes into the reply.
TEST_F(KnownSlips, FailedReadCarriesNothingOfTheDisk) {
  disk().poke(8, pattern(512, 8));
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::read, .at_lba = 9});
  EXPECT_THAT(t.answer(FrameBuilder::read(8, 2)),
              AllOf(IsAtaResponse(1U, 0x41, 0x40), CarriesNoData(), HasAtaLba(9)));
}

// vblade's config answers and ATA errors are shorter than 60 bytes; 9front and aoetools ignore
// those.
TEST_F(KnownSlips, EveryReplyIsPaddedToSixtyBytes) {
  for (const Bytes& request :
       {FrameBuilder::config(ConfigCommand::read).unpadded().build(),
        FrameBuilder::mask_read().unpadded().build(),
        FrameBuilder::reserve(ReserveCommand::read).unpadded().build(),
        FrameBuilder::ata(0xE5).unpadded().build(), FrameBuilder::command(9).unpadded().build()}) {
    EXPECT_EQ(t.answer(request).bytes.size(), 60U);
  }
}

// 9front copies the request's destination into the reply's source, which may be broadcast.
TEST_F(KnownSlips, ReplyToABroadcastComesFromThePort) {
  const SentFrame reply = t.answer(FrameBuilder::config(ConfigCommand::read).broadcast());
  ASSERT_FALSE(reply.bytes.empty());
  EXPECT_EQ(load_mac(reply.bytes, 6), kTargetMac);
  EXPECT_EQ(load_mac(reply.bytes, 0), kInitiatorA);
}

// vblade leaves status 0 after FLUSH, ggaoed the opcode E7h with its failure bits.
TEST_F(KnownSlips, FlushAnswersReadyAndHasFlushed) {
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xE7)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0xEA)), IsAtaOk());
  EXPECT_THAT(disk().take_log(), ElementsAre(Field(&StoreRecord::kind, StoreOpKind::flush),
                                             Field(&StoreRecord::kind, StoreOpKind::flush)));
}

// qaoed sets the AoE error flag with code 0 on a media error.
TEST_F(KnownSlips, MediaErrorIsAnAtaErrorAndNoAoeError) {
  disk().fail_next({.status = StoreErrc::io, .kind = StoreOpKind::read, .at_lba = {}});
  EXPECT_THAT(t.answer(FrameBuilder::read(3)), IsAtaResponse(1U, 0x41, 0x40));
}

// kvblade leaves DRDY out of error statuses, vblade out of a FLUSH.
TEST_F(KnownSlips, EveryAtaAnswerHasReadyAndNeitherBusyNorDataRequest) {
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    const SentFrame reply = t.answer(FrameBuilder::ata(static_cast<std::uint8_t>(opcode), 0, 1));
    ASSERT_FALSE(reply.bytes.empty()) << std::hex << opcode;
    EXPECT_EQ(load_u8(reply.bytes, 14), 0x18) << std::hex << opcode;
    EXPECT_EQ(load_u8(reply.bytes, 27) & 0xC8U, 0x40U) << std::hex << opcode;
  }
}

// ---- Writes
// --------------------------------------------------------------------------------------

// kvblade, qaoed and 9front write what lies behind a frame that is too short.
TEST_F(KnownSlips, WriteWithLessDataThanItsCountWritesNothing) {
  const Bytes before = disk().peek(0, 8);
  for (const std::size_t size : {36U, 60U, 547U, 36U + 511U}) {
    EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(512, 1)).truncate(size)), IsAoeError(2));
  }
  EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(1024, 1)).truncate(36 + 1023)),
              IsAoeError(2));
  EXPECT_THAT(disk().take_log(), IsEmpty());
  EXPECT_EQ(disk().peek(0, 8), before);
}

// vblade decides by the W flag what to send back: a write without it echoes the data.
TEST_F(KnownSlips, WriteWithoutTheWriteFlagIsABadArgument) {
  for (const std::uint8_t opcode :
       ByteList{0x30, 0x31, 0x34, 0x35, 0x39, 0x3D, 0xC5, 0xCA, 0xCB, 0xCE}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, 0, 1).ata_flags(0x40)),
                AllOf(IsAoeError(2), IsBareHeader()));
  }
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

// The same the other way round: a read with W gets 60 bytes without data and looks successful.
TEST_F(KnownSlips, ReadWithTheWriteFlagIsABadArgument) {
  for (const std::uint8_t opcode : ByteList{0x20, 0x24, 0x25, 0x29, 0xC4, 0xC8}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, 0, 1).ata_flags(0x41)), IsAoeError(2));
  }
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

// qaoed and torus do not bound the count; the sum of LBA and count runs over in others.
TEST_F(KnownSlips, CountAboveWhatTheFrameCanCarryIsAborted) {
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 1500, .link_up = true});
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 2)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 3)), AllOf(IsAtaAborted(), CarriesNoData()));
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 255)), IsAtaAborted());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x34, 0, 3)), IsAtaAborted());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x34, 0, 255).data(pattern(512, 1))), IsAtaAborted());
}

// vblade answers a read of 0 sectors with success and 9front with an AoE error; both are wrong
// about what 0 means to a disk.
TEST_F(KnownSlips, CountZeroMovesNothingAndIsAborted) {
  for (const std::uint8_t opcode : ByteList{0x20, 0x24, 0x30, 0x34, 0xC8, 0x3D}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, 0, 0)), AllOf(IsAtaAborted(), CarriesNoData()));
  }
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

// vblade executes a write that was sent to every shelf and slot.
TEST_F(KnownSlips, WildcardsReachNothingButConfigQueriesAndIdentify) {
  for (const DeviceAddress address : {kEverywhere, DeviceAddress{Shelf{7}, protocol::kAllSlots},
                                      DeviceAddress{protocol::kAllShelves, Slot{1}}}) {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      const auto frame =
          FrameBuilder::ata(static_cast<std::uint8_t>(opcode), 0, 1).address(address);
      EXPECT_THAT(t.answers(frame), SizeIs(opcode == 0xEC ? 1 : 0)) << std::hex << opcode;
    }
    for (unsigned command = 0; command < 16; ++command) {
      const auto frame =
          FrameBuilder::config(static_cast<ConfigCommand>(command), "").address(address);
      EXPECT_THAT(t.answers(frame), SizeIs(command <= 2 ? 1 : 0)) << command;
    }
    EXPECT_THAT(t.answers(FrameBuilder::mask_read().address(address)), IsEmpty());
    EXPECT_THAT(t.answers(FrameBuilder::mask_edit({{kAdd, kInitiatorA}}).address(address)),
                IsEmpty());
    for (const ReserveCommand command :
         {ReserveCommand::read, ReserveCommand::set, ReserveCommand::force_set}) {
      EXPECT_THAT(t.answers(FrameBuilder::reserve(command, {kInitiatorA}).address(address)),
                  IsEmpty());
    }
    for (unsigned code = 4; code < 256; ++code) {
      EXPECT_THAT(
          t.answers(FrameBuilder::command(static_cast<std::uint8_t>(code)).address(address)),
          IsEmpty());
    }
  }
  EXPECT_THAT(disk().take_log(), IsEmpty());
  EXPECT_EQ(t.save_count(), 1U) << "only the identity of the new export was saved";
}

// A write that goes to every station on the wire is nobody's intention, whatever its address.
TEST_F(KnownSlips, BroadcastWriteIsNotExecuted) {
  EXPECT_THAT(t.answers(FrameBuilder::write(0, pattern(512, 1)).broadcast()), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::write(0, pattern(512, 1)).to({{0x01, 0, 0x5E, 0, 0, 1}})),
              IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::trim({{0, 8}}).broadcast()), IsEmpty());
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

// Userspace targets never look at the destination: a port that hears other stations' frames would
// execute their writes.
TEST_F(KnownSlips, FrameForAnotherStationIsNotExecuted) {
  EXPECT_THAT(t.answers(FrameBuilder::write(0, pattern(512, 1)).to(kInitiatorC)), IsEmpty());
  EXPECT_EQ(t.core().stats().drops.not_for_us, 1U);
}

TEST_F(KnownSlips, ReadOnlyExportWritesNothing) {
  ExportSettings settings = TargetHarness::settings(kE72);
  settings.mode = WriteMode::read_only;
  const ExportId read_only = t.serve(settings);
  for (const std::uint8_t opcode :
       ByteList{0x30, 0x31, 0x34, 0x35, 0x39, 0x3D, 0xC5, 0xCA, 0xCB, 0xCE, 0x06}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, 0, 1).feature(1).address(kE72)), IsAtaAborted());
  }
  EXPECT_THAT(t.disk(read_only).take_log(), IsEmpty());
}

// ---- Addresses
// -----------------------------------------------------------------------------------

// vblade masks the high bits of a 28-bit address: sector 2^28 is sector 0.
class BigDisk : public TargetTest {
 protected:
  static constexpr std::uint64_t kSectors = kLbaLimit - 1;

  BigDisk() : id(t.serve(TargetHarness::settings(kE71, kSectors))) {}

 public:
  ExportId id;
};

TEST_F(BigDisk, LastSectorOf28BitsIsReachedAndNothingWrapsBehindIt) {
  t.disk(id).poke(kLba28Limit - 1, pattern(512, 28));
  t.disk(id).poke(0, pattern(512, 1));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x20, kLba28Limit - 1, 1)),
              AllOf(IsAtaOk(), CarriesData(pattern(512, 28))));
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x20, kLba28Limit - 1, 2)), IsAtaNotFound());
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x30, kLba28Limit - 1, 2)), IsAtaNotFound());
  EXPECT_EQ(t.disk(id).peek(0), pattern(512, 1));
}

// The address bytes that a 28-bit command does not have must be zero, or the sender means another
// sector than we would take.
TEST_F(BigDisk, AddressBitsThatA28BitCommandDoesNotHaveAreNotDropped) {
  for (const std::uint8_t opcode : ByteList{0x20, 0x30, 0x40, 0xC8, 0xCA}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, 0, 1).byte(32, 1)), IsAtaNotFound());
    EXPECT_THAT(t.answer(FrameBuilder::ata(opcode, 0, 1).byte(33, 0x80)), IsAtaNotFound());
  }
  // With the flag for 48 bits the high nibble of byte 31 is address too.
  EXPECT_THAT(t.answer(FrameBuilder::ata(0x20, 0, 1).ata_flags(0x40).byte(31, 0x10)),
              IsAtaNotFound());
  // Without it it is the device register, whatever it says.
  for (const unsigned device : {0x00U, 0xA0U, 0xE0U, 0xF0U}) {
    EXPECT_THAT(t.answer(FrameBuilder::ata(0x20, 0, 1).byte(31, static_cast<std::uint8_t>(device))),
                IsAtaOk());
  }
  EXPECT_EQ(t.disk(id).take_log().size(), 4U);
}

TEST_F(BigDisk, NothingWrapsNear48Bits) {
  t.disk(id).poke(kSectors - 1, pattern(512, 48));
  EXPECT_THAT(t.answer(FrameBuilder::read(kSectors - 1)),
              AllOf(IsAtaOk(), CarriesData(pattern(512, 48))));
  EXPECT_THAT(t.answer(FrameBuilder::read(kSectors - 1, 2)),
              AllOf(IsAtaNotFound(), HasAtaLba(kSectors)));
  EXPECT_THAT(t.answer(FrameBuilder::read(kLbaLimit - 1, 1)), IsAtaNotFound());
  EXPECT_THAT(t.answer(FrameBuilder::read(kLbaLimit - 1, 16)), IsAtaNotFound());
  EXPECT_THAT(t.answer(FrameBuilder::write(kLbaLimit - 1, pattern(1024, 1))), IsAtaNotFound());
  EXPECT_EQ(t.disk(id).take_log().size(), 1U);
}

// qaoed returns what lies behind the end as data of a successful read.
TEST_F(KnownSlips, ReadAcrossTheEndIsRefusedAsAWhole) {
  EXPECT_THAT(t.answer(FrameBuilder::read(1023)), IsAtaOk());
  EXPECT_THAT(t.answer(FrameBuilder::read(1023, 2)),
              AllOf(IsAtaNotFound(), HasAtaLba(1024), CarriesNoData()));
  EXPECT_THAT(t.answer(FrameBuilder::read(1024)), AllOf(IsAtaNotFound(), HasAtaLba(1024)));
  EXPECT_THAT(t.answer(FrameBuilder::read(4000)), AllOf(IsAtaNotFound(), HasAtaLba(4000)));
}

// ---- Who is answered
// -----------------------------------------------------------------------------

// vblade answers a request from a broadcast address to everybody: 146 times the bytes, sent to all.
TEST_F(KnownSlips, GroupZeroAndOwnSourceAddressesGetNoAnswer) {
  for (const MacAddress& source :
       {MacAddress::broadcast(), MacAddress{{0x01, 0, 0x5E, 0, 0, 1}}, MacAddress{}, kTargetMac}) {
    EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read).from(source)), IsEmpty());
    EXPECT_THAT(t.answers(FrameBuilder::write(0, pattern(512, 1)).from(source)), IsEmpty());
  }
  EXPECT_EQ(t.core().stats().drops.bad_source, 8U);
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

TEST_F(KnownSlips, SourceAddressOfAnotherPortOfOursGetsNoAnswer) {
  const MacAddress second{{0x02, 0, 0, 0, 0x0a, 0x11}};
  t.set_port(PortId{1}, {.mac = second, .mtu_bytes = 1500, .link_up = true});
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::read).from(second)), IsEmpty());
}

// qaoed (on little-endian machines), jaoed and torus answer responses; two of them answer each
// other for ever.
TEST_F(KnownSlips, ResponsesAreNeverAnswered) {
  for (unsigned command = 0; command < 256; ++command) {
    const auto code = static_cast<std::uint8_t>(command);
    for (const std::uint8_t flags : ByteList{0x8, 0xC, 0xF}) {
      EXPECT_THAT(t.answers(FrameBuilder::command(code).flags(flags)), IsEmpty());
      EXPECT_THAT(t.answers(FrameBuilder::command(code).flags(flags).address(kEverywhere)),
                  IsEmpty());
    }
  }
  EXPECT_THAT(t.answers(FrameBuilder::write(0, pattern(512, 1)).flags(0x8)), IsEmpty());
  EXPECT_THAT(disk().take_log(), IsEmpty());
}

// vblade and kvblade echo or ignore the version; VoE and old drivers know 0.
TEST_F(KnownSlips, VersionZeroIsUnderstoodAndLaterOnesAreRefused) {
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::read).version(0)),
              IsConfigReply(ConfigCommand::read, ""));
  EXPECT_THAT(t.answer(FrameBuilder::read(0).version(0)), IsAtaOk());
  for (std::uint8_t version = 2; version < 16; ++version) {
    EXPECT_THAT(t.answer(FrameBuilder::write(0, pattern(512, 1)).version(version)),
                AllOf(IsAoeError(5), IsBareHeader()));
    EXPECT_THAT(
        t.answers(FrameBuilder::config(ConfigCommand::read).version(version).address(kEverywhere)),
        IsEmpty());
  }
}

// qaoed and 9front are silent, ggaoed reads one past its table of commands at code 4, VoE never
// answers with an error.
TEST_F(KnownSlips, UnknownVendorAndKeyedReserveCommandsAreError1) {
  for (unsigned code = 4; code < 256; ++code) {
    EXPECT_THAT(t.answer(FrameBuilder::command(static_cast<std::uint8_t>(code))),
                AllOf(IsAoeError(1), IsBareHeader()))
        << code;
  }
  EXPECT_THAT(t.take_events(), IsEmpty()) << "nothing is logged a frame";
}

// One frame draws one answer at most, and never more than a frame's worth of bytes.
TEST_F(KnownSlips, EveryFrameDrawsOneAnswerAtMost) {
  Prng prng(4711);
  for (int i = 0; i < 20'000; ++i) {
    FrameBuilder frame = FrameBuilder::command(static_cast<std::uint8_t>(prng.below(6)));
    Bytes bytes = frame.data(pattern(prng.below(200), 1)).build();
    for (std::uint64_t n = prng.below(12); n > 0; --n) {
      bytes[14 + prng.below(46)] = static_cast<std::byte>(prng.below(256));
    }
    const auto replies = t.answers(bytes);
    ASSERT_LE(replies.size(), 1U);
  }
}

// Broadcast discovery is the one frame that many answer; its answers are paced.
TEST_F(KnownSlips, DiscoveryOfManyExportsIsPaced) {
  for (std::uint16_t i = 0; i < 200; ++i) {
    (void)t.add(TargetHarness::settings({Shelf{8}, Slot{static_cast<std::uint8_t>(i)}}));
  }
  t.advance(Duration::seconds(1));
  for (const Bytes& question :
       {FrameBuilder::config(ConfigCommand::read).address(kEverywhere).broadcast().build(),
        FrameBuilder::ata(0xEC, 0, 1).address(kEverywhere).broadcast().build()}) {
    const auto first = t.answers(question);
    EXPECT_LE(first.size(), 64U);
    // Asking again does not add to it.
    EXPECT_THAT(t.answers(question), IsEmpty());
    std::size_t total = first.size();
    for (int i = 0; i < 100; ++i) {
      t.advance(Duration::milliseconds(1));
      const std::size_t now = t.take_frames().size();
      EXPECT_LE(now, 128U);
      total += now;
    }
    EXPECT_EQ(total, 201U);
  }
}

// ---- Config string
// -------------------------------------------------------------------------------

TEST_F(KnownSlips, ConfigLengthThatLiesIsABadArgument) {
  using enum ConfigCommand;
  t.deliver(FrameBuilder::config(set, "here"));
  for (const ConfigCommand command : {test, prefix_test, set, force_set}) {
    // Longer than the frame, though padding would hold a part of it.
    EXPECT_THAT(t.answer(FrameBuilder::config(command, "abc").byte(30, 0).byte(31, 29)),
                IsAoeError(2));
    EXPECT_THAT(t.answer(FrameBuilder::config(command, "abc").byte(30, 0xFF).byte(31, 0xFF)),
                IsAoeError(2));
    // Longer than a config string may be, though the frame holds it.
    EXPECT_THAT(t.answer(FrameBuilder::config(command, std::string(1025, 'x'))), IsAoeError(2));
  }
  // aoeping writes 1024 into a query without meaning it.
  EXPECT_THAT(t.answer(FrameBuilder::config(read).byte(30, 4)), IsConfigReply(read, "here"));
}

TEST_F(KnownSlips, LongestConfigStringIsKeptAndReturned) {
  const std::string longest(1024, 'x');
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::set, longest)),
              IsConfigReply(ConfigCommand::set, longest));
}

// 9front refuses to set a string where there is none.
TEST_F(KnownSlips, SettingAnEmptyConfigStringWorks) {
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::set, "first")),
              IsConfigReply(ConfigCommand::set, "first"));
}

// qaoed compares the length in two byte orders: test never matches.
TEST_F(KnownSlips, ConfigTestMatchesTheWholeStringOnly) {
  t.deliver(FrameBuilder::config(ConfigCommand::set, "abcd"));
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::test, "abcd")),
              IsConfigReply(ConfigCommand::test, "abcd"));
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::test, "abc")), IsEmpty());
  EXPECT_THAT(t.answers(FrameBuilder::config(ConfigCommand::test, "abcde")), IsEmpty());
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::prefix_test, "abc")),
              IsConfigReply(ConfigCommand::prefix_test, "abcd"));
}

// VoE: one export whose test fails keeps the others from answering.
TEST_F(KnownSlips, MismatchOfOneExportDoesNotSilenceTheOthers) {
  (void)t.serve(TargetHarness::settings(kE72));
  t.deliver(FrameBuilder::config(ConfigCommand::set, "mine").address(kE72));
  const auto replies =
      t.answers(FrameBuilder::config(ConfigCommand::test, "mine").address(kEverywhere).broadcast());
  EXPECT_THAT(replies, ElementsAre(AllOf(IsConfigReply(ConfigCommand::test, "mine"),
                                         GoesTo(kInitiatorA, kE72))));
}

// ---- The network under the target
// ----------------------------------------------------------------

// vblade stops when the link goes down, and every export is gone.
TEST_F(KnownSlips, LinkFlapLosesNothing) {
  disk().hold();
  t.deliver(FrameBuilder::write(0, pattern(512, 9)));
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = false});
  EXPECT_THAT(t.answers(FrameBuilder::read(5)), IsEmpty());
  t.finish(id);
  EXPECT_THAT(t.take_frames(), IsEmpty()) << "there is no way to send on";
  disk().stop_holding();
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = true});
  t.advance(Duration::milliseconds(5));
  EXPECT_THAT(t.take_frames(), ElementsAre(IsAdvertisement(kE71, MacAddress::broadcast())));
  EXPECT_THAT(t.answer(FrameBuilder::read(0)), AllOf(IsAtaOk(), CarriesData(pattern(512, 9))));
}

// A reply whose port shrank while the disk worked is not sent to a card that cannot carry it.
TEST_F(KnownSlips, ReplyThatNoLongerFitsThePortIsDropped) {
  disk().hold();
  t.deliver(FrameBuilder::read(0, 16));
  t.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 1500, .link_up = true});
  (void)t.take_frames();
  t.finish(id);
  EXPECT_THAT(t.take_frames(), IsEmpty());
}

// Linux probes a path with READ frames that carry as many dummy bytes as the reply will.
TEST_F(KnownSlips, SurplusBytesBehindAReadAreIgnored) {
  EXPECT_THAT(t.answer(FrameBuilder::read(0, 2).trailing(pattern(1024, 5))),
              AllOf(IsAtaOk(), CarriesData(Bytes(1024))));
}

TEST_F(KnownSlips, PaddingIsNoPartOfTheArgument) {
  EXPECT_THAT(t.answer(FrameBuilder::config(ConfigCommand::set, "ab").padding(0x55)),
              IsConfigReply(ConfigCommand::set, "ab"));
  EXPECT_THAT(t.answer(FrameBuilder::reserve(ReserveCommand::set, {kInitiatorA}).padding(0x55)),
              IsReserveReply(ReserveCommand::set, MacList{kInitiatorA}));
  EXPECT_THAT(t.answer(FrameBuilder::mask_edit({{kAdd, kInitiatorA}}).padding(0x02)),
              IsMaskReply(MacList{kInitiatorA}));
}

// Frames shorter than the fixed part of their argument: vblade drops them, ggaoed calls the command
// unknown.
TEST_F(KnownSlips, ArgumentThatIsCutOffIsABadArgument) {
  struct Case {
    Bytes frame;
    std::size_t whole;
  };

  for (const Case& one :
       {Case{FrameBuilder::read(0), 36}, Case{FrameBuilder::config(ConfigCommand::read), 32},
        Case{FrameBuilder::mask_read(), 28},
        Case{FrameBuilder::reserve(ReserveCommand::read), 26}}) {
    for (std::size_t size = 0; size < one.whole; ++size) {
      const Bytes cut(one.frame.begin(), one.frame.begin() + static_cast<std::ptrdiff_t>(size));
      if (size < 24) {
        EXPECT_THAT(t.answers(cut), IsEmpty()) << size;
      } else {
        EXPECT_THAT(t.answer(cut), AllOf(IsAoeError(2), IsBareHeader())) << size;
      }
    }
  }
}

// ---- IDENTIFY
// ------------------------------------------------------------------------------------

// vblade and ggaoed want count 1; ATA does not look at the count.
TEST_F(KnownSlips, IdentifyAcceptsAnyCount) {
  for (const std::uint8_t count : ByteList{0, 1, 2, 255}) {
    const SentFrame reply = t.answer(FrameBuilder::ata(0xEC, 0, count));
    EXPECT_THAT(reply, IsAtaOk());
    EXPECT_EQ(reply.bytes.size(), 548U);
  }
}

}  // namespace
}  // namespace aoe::test
