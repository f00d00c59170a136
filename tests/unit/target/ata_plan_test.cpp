#include "target/ata_plan.h"

#include "support/frame_builder.h"

#include <gtest/gtest.h>

#include <ostream>

namespace aoe::target {
namespace {

using protocol::AtaOutcome;
using protocol::kAtaAborted;
using protocol::kAtaIdNotFound;
using protocol::kAtaOk;
using test::Bytes;
using test::FrameBuilder;

constexpr std::uint64_t kSectors = 1000;

AtaContext context() {
  return {.sector_count = kSectors,
          .frame_sectors = 17,
          .mode = WriteMode::write_through,
          .write_cache_enabled = false,
          .can_trim = true,
          .smart_enabled = true};
}

AtaPlan plan_of(const Bytes& frame, const AtaContext& with, AtaSettings& settings) {
  const auto ata = protocol::parse_ata(frame);
  EXPECT_TRUE(ata);
  return plan_ata(*ata, with, settings);
}

AtaPlan plan_of(const Bytes& frame, const AtaContext& with = context()) {
  AtaSettings settings;
  return plan_of(frame, with, settings);
}

// ---- Every opcode
// ----------------------------------------------------------------------------------

struct Expected {
  AtaAction action = AtaAction::reply;
  AtaOutcome outcome = kAtaAborted;
};

// What each of the 256 opcodes has to do for a well-formed request with count 1 and LBA 5 (and the
// signature for SMART RETURN STATUS): protocol table 2.2. What is not here is aborted.
std::optional<Expected> known(unsigned opcode) {
  switch (opcode) {
    case 0xEC:
      return Expected{AtaAction::identify, kAtaOk};
    case 0x20:
    case 0x21:
    case 0x24:
    case 0x25:
    case 0x29:
    case 0xC4:
    case 0xC8:
    case 0xC9:
      return Expected{AtaAction::read, kAtaOk};
    case 0x30:
    case 0x31:
    case 0x34:
    case 0x35:
    case 0x39:
    case 0x3D:
    case 0xC5:
    case 0xCA:
    case 0xCB:
    case 0xCE:
      return Expected{AtaAction::write, kAtaOk};
    case 0x40:
    case 0x41:
    case 0x42:
      return Expected{AtaAction::verify, kAtaOk};
    case 0xE7:
    case 0xEA:
      return Expected{AtaAction::flush, kAtaOk};
    case 0xC6:  // SET MULTIPLE MODE 1
    case 0xE5:
    case 0x98:
    case 0xE0:
    case 0x94:
    case 0xE1:
    case 0x95:
    case 0xE2:
    case 0x96:
    case 0xE3:
    case 0x97:
    case 0xE6:
    case 0x99:
    case 0xF8:
    case 0x27:
    case 0x91:
    case 0x10:
    case 0x70:
    case 0xF5:
      return Expected{AtaAction::reply, kAtaOk};
    case 0x90:
      return Expected{AtaAction::reply, {protocol::kStatusReady, 0x01}};
    default:
      return std::nullopt;  // aborted; 06, B0 and EF need their feature register
  }
}

TEST(AtaPlan, EveryOpcodeDoesWhatItsTableSays) {
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    const AtaPlan plan = plan_of(FrameBuilder::ata(static_cast<std::uint8_t>(opcode), 5, 1));
    const Expected expected = known(opcode).value_or(Expected{});
    EXPECT_EQ(plan.action, expected.action) << std::hex << opcode;
    EXPECT_EQ(plan.outcome, expected.outcome) << std::hex << opcode;
  }
}

TEST(AtaPlan, WriteFlagThatContradictsTheOpcodeIsABadArgument) {
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    const auto code = static_cast<std::uint8_t>(opcode);
    const auto& entry = protocol::find_opcode(code);
    if (entry.kind == protocol::AtaKind::unsupported) {
      continue;
    }
    const std::uint8_t flags = entry.direction == protocol::DataDirection::out ? 0x40 : 0x41;
    const AtaPlan plan =
        plan_of(FrameBuilder::ata(code, 5, 1).ata_flags(flags).data(test::pattern(512, 1)));
    EXPECT_EQ(plan.action, AtaAction::bad_argument) << std::hex << opcode;
  }
}

TEST(AtaPlan, AsynchronousAndDeviceFlagsMeanNothing) {
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x34, 5, 1).ata_flags(0x53)).action, AtaAction::write);
  EXPECT_TRUE(plan_of(FrameBuilder::ata(0x34, 5, 1).ata_flags(0x53)).is_stable);
}

// ---- Transfers
// -------------------------------------------------------------------------------------

TEST(AtaPlan, TransfersEndWhereTheDiskEnds) {
  for (const std::uint8_t opcode : std::vector<std::uint8_t>{0x20, 0x24, 0x30, 0x34, 0x40, 0x42}) {
    EXPECT_EQ(plan_of(FrameBuilder::ata(opcode, kSectors - 1, 1)).outcome, kAtaOk);
    EXPECT_EQ(plan_of(FrameBuilder::ata(opcode, kSectors - 2, 2)).outcome, kAtaOk);
    const AtaPlan beyond = plan_of(FrameBuilder::ata(opcode, kSectors - 1, 2));
    EXPECT_EQ(beyond.action, AtaAction::reply);
    EXPECT_EQ(beyond.outcome, kAtaIdNotFound);
    const bool is_wide = (opcode & 0x02U) != 0 || (opcode & 0x04U) != 0;
    EXPECT_EQ(is_wide ? beyond.reply.lba48() : beyond.reply.lba28(), Lba{kSectors});
  }
}

TEST(AtaPlan, WidthFollowsTheOpcode) {
  AtaContext big = context();
  big.sector_count = kLbaLimit - 1;
  EXPECT_EQ(plan_of(FrameBuilder::read(kLba28Limit + 7), big).lba, Lba{kLba28Limit + 7});
  EXPECT_EQ(plan_of(FrameBuilder::read(kLba28Limit + 7).ata_flags(0), big).lba,
            Lba{kLba28Limit + 7});
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x20, 7, 1), big).lba, Lba{7});
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x20, kLba28Limit - 1, 1), big).action, AtaAction::read);
  const AtaPlan across = plan_of(FrameBuilder::ata(0x20, kLba28Limit - 1, 2), big);
  EXPECT_EQ(across.outcome, kAtaIdNotFound);
  EXPECT_EQ(across.reply.lba28(), Lba{kLba28Limit - 1}) << "no register can name sector 2^28";
}

TEST(AtaPlan, CountsAreBoundedByTheFrameExactly) {
  EXPECT_EQ(plan_of(FrameBuilder::read(0, 17)).action, AtaAction::read);
  EXPECT_EQ(plan_of(FrameBuilder::read(0, 18)).outcome, kAtaAborted);
  EXPECT_EQ(plan_of(FrameBuilder::read(0, 0)).outcome, kAtaAborted);
  AtaContext tiny = context();
  tiny.frame_sectors = 0;
  EXPECT_EQ(plan_of(FrameBuilder::read(0, 1), tiny).outcome, kAtaAborted);
}

TEST(AtaPlan, WritesNeedAllTheirData) {
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x34, 0, 2).data(test::pattern(1024, 1))).action,
            AtaAction::write);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x34, 0, 2).data(test::pattern(1023, 1))).action,
            AtaAction::bad_argument);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x34, 0, 2).data(test::pattern(4000, 1))).sectors, 2U);
}

TEST(AtaPlan, DurabilityFollowsModeCacheAndCommand) {
  AtaContext with = context();
  EXPECT_TRUE(plan_of(FrameBuilder::ata(0x34, 0, 1), with).is_stable);
  with.mode = WriteMode::write_back;
  EXPECT_TRUE(plan_of(FrameBuilder::ata(0x34, 0, 1), with).is_stable) << "cache switched off";
  with.write_cache_enabled = true;
  EXPECT_FALSE(plan_of(FrameBuilder::ata(0x34, 0, 1), with).is_stable);
  EXPECT_FALSE(plan_of(FrameBuilder::ata(0x35, 0, 1), with).is_stable);
  EXPECT_TRUE(plan_of(FrameBuilder::ata(0x3D, 0, 1), with).is_stable);
  EXPECT_TRUE(plan_of(FrameBuilder::ata(0xCE, 0, 1), with).is_stable);
}

TEST(AtaPlan, VerifyCountsZeroAsTheLargest) {
  AtaContext big = context();
  big.sector_count = 100'000;
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x40, 0, 0), big).sectors, 256U);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x42, 0, 0), big).sectors, 65536U);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x42, 0, 255), big).sectors, 255U)
      << "more than a frame carries";
}

// ---- SMART
// -----------------------------------------------------------------------------------------

TEST(AtaPlan, SmartCommandsByFeature) {
  for (unsigned feature = 0; feature < 256; ++feature) {
    const auto code = static_cast<std::uint8_t>(feature);
    FrameBuilder frame = FrameBuilder::smart(code);
    if (feature == 0xD6) {
      frame.ata_flags(0x01).data(test::pattern(512, 1));
    }
    const AtaPlan plan = plan_of(frame);
    switch (feature) {
      case 0xD0:
      case 0xD1:
      case 0xD5:
        EXPECT_EQ(plan.action, AtaAction::smart_data) << std::hex << feature;
        EXPECT_EQ(plan.sectors, 1U);
        break;
      case 0xD4:
      case 0xDA:
        EXPECT_EQ(plan.action, AtaAction::smart_data);
        EXPECT_EQ(plan.sectors, 0U);
        break;
      case 0xD2:
      case 0xD3:
      case 0xD8:
      case 0xD9:
        EXPECT_EQ(plan.outcome, kAtaOk) << std::hex << feature;
        break;
      default:
        EXPECT_EQ(plan.outcome, kAtaAborted) << std::hex << feature;
        break;
    }
  }
}

TEST(AtaPlan, SmartNeedsItsSignature) {
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD0).byte(29, 0)).outcome, kAtaAborted);
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD0).byte(30, 0)).outcome, kAtaAborted);
}

TEST(AtaPlan, DisabledSmartKnowsOnlyEnable) {
  AtaSettings settings;
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD9), context(), settings).outcome, kAtaOk);
  EXPECT_FALSE(settings.smart_enabled);
  for (const std::uint8_t feature : std::vector<std::uint8_t>{0xD0, 0xD1, 0xD2, 0xD5, 0xD9, 0xDA}) {
    EXPECT_EQ(plan_of(FrameBuilder::smart(feature), context(), settings).outcome, kAtaAborted);
  }
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD8), context(), settings).outcome, kAtaOk);
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD0), context(), settings).action, AtaAction::smart_data);
}

TEST(AtaPlan, SmartLogsAreReadOneSectorAtATime) {
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD5).byte(26, 0)).outcome, kAtaAborted);
  EXPECT_EQ(plan_of(FrameBuilder::smart(0xD5).byte(26, 2)).outcome, kAtaAborted);
}

// ---- SET FEATURES, SET MULTIPLE
// --------------------------------------------------------------------

TEST(AtaPlan, SetFeaturesByFeature) {
  for (unsigned feature = 0; feature < 256; ++feature) {
    const AtaPlan plan =
        plan_of(FrameBuilder::ata(0xEF, 0, 0x45).feature(static_cast<std::uint8_t>(feature)));
    switch (feature) {
      case 0x03:
      case 0x55:
      case 0xAA:
      case 0x66:
      case 0xCC:
      case 0x82:
        EXPECT_EQ(plan.outcome, kAtaOk) << std::hex << feature;
        EXPECT_EQ(plan.action, AtaAction::reply);
        break;
      default:
        EXPECT_EQ(plan.outcome, kAtaAborted) << std::hex << feature;
        break;
    }
  }
}

TEST(AtaPlan, TransferModesThatExistAreAccepted) {
  for (const std::uint8_t mode :
       std::vector<std::uint8_t>{0x00, 0x01, 0x08, 0x0C, 0x20, 0x22, 0x40, 0x46}) {
    EXPECT_EQ(plan_of(FrameBuilder::ata(0xEF, 0, mode).feature(0x03)).outcome, kAtaOk);
  }
  for (const std::uint8_t mode : std::vector<std::uint8_t>{0x02, 0x18, 0x30, 0x48, 0x80, 0xFF}) {
    EXPECT_EQ(plan_of(FrameBuilder::ata(0xEF, 0, mode).feature(0x03)).outcome, kAtaAborted);
  }
}

TEST(AtaPlan, WriteCacheSwitchesOnlyWhereThereIsOne) {
  AtaContext with = context();
  with.mode = WriteMode::write_back;
  AtaSettings settings;
  EXPECT_EQ(plan_of(FrameBuilder::ata(0xEF).feature(0x02), with, settings).outcome, kAtaOk);
  EXPECT_TRUE(settings.write_cache_enabled);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0xEF).feature(0x82), with, settings).action,
            AtaAction::write_cache_off);
  EXPECT_FALSE(settings.write_cache_enabled) << "from now on, not from the answer on";
  EXPECT_EQ(plan_of(FrameBuilder::ata(0xEF).feature(0x02), context(), settings).outcome,
            kAtaAborted);
  EXPECT_FALSE(settings.write_cache_enabled);
}

TEST(AtaPlan, MultipleBlocksArePowersOfTwoUpToTheLimit) {
  AtaSettings settings;
  for (unsigned count = 0; count < 256; ++count) {
    const bool is_good =
        count == 0 || count == 1 || count == 2 || count == 4 || count == 8 || count == 16;
    const AtaPlan plan =
        plan_of(FrameBuilder::ata(0xC6, 0, static_cast<std::uint8_t>(count)), context(), settings);
    EXPECT_EQ(plan.outcome, is_good ? kAtaOk : kAtaAborted) << count;
  }
  EXPECT_EQ(settings.multiple_sectors, 16) << "a refused count changes nothing";
}

// ---- TRIM
// ------------------------------------------------------------------------------------------

TEST(AtaPlan, TrimChecksWhatItCanBeforeTheDiskIsAsked) {
  const auto trim = FrameBuilder::trim({{1, 2}});
  EXPECT_EQ(plan_of(trim).action, AtaAction::trim);
  AtaContext with = context();
  with.can_trim = false;
  EXPECT_EQ(plan_of(trim, with).outcome, kAtaAborted);
  with = context();
  with.mode = WriteMode::read_only;
  EXPECT_EQ(plan_of(trim, with).outcome, kAtaAborted);
  with = context();
  with.frame_sectors = 2;
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x06, 0, 2).feature(1), with).action, AtaAction::trim);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x06, 0, 3).feature(1), with).outcome, kAtaAborted);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x06, 0, 16).feature(1)).action, AtaAction::trim);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x06, 0, 17).feature(1)).outcome, kAtaAborted);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x06, 0, 0).feature(1)).outcome, kAtaAborted);
  for (const unsigned feature : {0U, 2U, 3U, 0x81U}) {
    EXPECT_EQ(
        plan_of(FrameBuilder::ata(0x06, 0, 1).feature(static_cast<std::uint8_t>(feature))).outcome,
        kAtaAborted);
  }
}

// ---- Registers
// -------------------------------------------------------------------------------------

TEST(AtaPlan, SuccessfulRepliesEchoTheRequestWithCountZero) {
  const AtaPlan plan = plan_of(FrameBuilder::read(0x123, 4));
  EXPECT_EQ(plan.reply.sector_count, 0);
  EXPECT_EQ(plan.reply.lba48(), Lba{0x123});
  EXPECT_EQ(plan.reply.flags, 0x40);
}

TEST(AtaPlan, NativeMaxIsTheLastSectorInEitherWidth) {
  AtaContext with = context();
  EXPECT_EQ(plan_of(FrameBuilder::ata(0xF8), with).reply.lba28(), Lba{kSectors - 1});
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x27), with).reply.lba48(), Lba{kSectors - 1});
  with.sector_count = kLba28Limit + 5;
  EXPECT_EQ(plan_of(FrameBuilder::ata(0xF8), with).reply.lba28(), Lba{kLba28Limit - 1});
  EXPECT_EQ(plan_of(FrameBuilder::ata(0x27), with).reply.lba48(), Lba{kLba28Limit + 4});
}

TEST(AtaPlan, DiagnosticAndPowerModeAnswerWithTheirCodes) {
  const AtaPlan diagnostic = plan_of(FrameBuilder::ata(0x90));
  EXPECT_FALSE(diagnostic.outcome.is_failure());
  EXPECT_EQ(diagnostic.reply.sector_count, 1);
  EXPECT_EQ(diagnostic.reply.lba[0], 1);
  EXPECT_EQ(plan_of(FrameBuilder::ata(0xE5)).reply.sector_count, 0xFF);
}

}  // namespace
}  // namespace aoe::target
