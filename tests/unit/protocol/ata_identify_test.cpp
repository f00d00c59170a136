#include "protocol/ata_identify.h"

#include "base/ids.h"
#include "support/example_frames.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace aoe::protocol {
namespace {

using Sector = std::array<std::byte, kIdentifyBytes>;

Sector built(const IdentifyModel& model) {
  Sector sector;
  sector.fill(std::byte{0xEE});
  build_identify(sector, model);
  return sector;
}

std::uint16_t word(const Sector& sector, std::size_t index) {
  return load_le16(sector, index * 2);
}

void set_word(Sector& sector, std::size_t index, unsigned value) {
  store_le16(sector, index * 2, static_cast<std::uint16_t>(value));
}

unsigned byte_sum(ConstByteSpan sector) {
  unsigned sum = 0;
  for (const std::byte b : sector) {
    sum += std::to_integer<unsigned>(b);
  }
  return sum & 0xFFU;
}

ConstByteSpan example_sector() {
  return ConstByteSpan(test::example_frame(4)).subspan(36, kIdentifyBytes);
}

IdentifyModel rich_model() {
  return {.serial = "S-0123456789ABCDEFGH",
          .firmware = "1.2.3",
          .model = "aoekit disk",
          .sector_count = 1'000'000,
          .world_wide_name = 0x5000'1234'5678'9ABCU,
          .physical_sector_bytes = 4096,
          .rotation_rate = 1,
          .trim_blocks_max = 2,
          .has_trim = true,
          .trim_reads_zero = true,
          .has_write_cache = true,
          .write_cache_enabled = true,
          .has_flush = true,
          .has_fua = true,
          .has_smart = true,
          .smart_enabled = true,
          .has_self_test = true,
          .has_lba48 = true,
          .multiple_sectors_max = 16,
          .multiple_sectors = 8};
}

TEST(Identify, TheExampleSectorReadsAsItsNotesSay) {
  const IdentifyView view = parse_identify(example_sector());
  EXPECT_EQ(view.checksum, IdentifyChecksum::valid);
  EXPECT_EQ(view.logical_sector_bytes, 512U);
  const IdentifyModel& m = view.model;
  EXPECT_EQ(m.serial, "SN0007-01");
  EXPECT_EQ(m.firmware, "1.0");
  EXPECT_EQ(m.model, "AoE example disk");
  EXPECT_EQ(m.sector_count, 204800U);
  EXPECT_EQ(m.physical_sector_bytes, 512U);
  EXPECT_EQ(m.rotation_rate, 1);
  EXPECT_TRUE(m.has_lba48);
  EXPECT_TRUE(m.has_flush);
  EXPECT_TRUE(m.has_write_cache);
  EXPECT_TRUE(m.write_cache_enabled);
  EXPECT_TRUE(m.has_smart);
  EXPECT_TRUE(m.smart_enabled);
  EXPECT_TRUE(m.has_trim);
  EXPECT_TRUE(m.trim_reads_zero);
  EXPECT_EQ(m.trim_blocks_max, 2);
  EXPECT_FALSE(m.has_fua);
  EXPECT_EQ(m.world_wide_name, 0U);
  EXPECT_EQ(m.multiple_sectors_max, 0);
}

TEST(Identify, TheExampleSectorHasTheWordsOfItsNotes) {
  Sector sector;
  copy_bytes(sector, example_sector());
  EXPECT_EQ(word(sector, 0), 0x0040);
  EXPECT_EQ(word(sector, 1), 0x00CB);
  EXPECT_EQ(word(sector, 10), 0x534E);  // "SN": the first character in the high byte
  EXPECT_EQ(word(sector, 60), 0x2000);
  EXPECT_EQ(word(sector, 61), 0x0003);
  EXPECT_EQ(word(sector, 83), 0x7400);
  EXPECT_EQ(word(sector, 100), 0x2000);
  EXPECT_EQ(word(sector, 106), 0x4000);
  EXPECT_EQ(word(sector, 255), 0x30A5);
}

// Word by word: where our sector for the same disk differs from the example, it says why.
TEST(Identify, OurSectorMatchesTheExampleWhereItDescribesTheSameDisk) {
  const std::map<std::size_t, unsigned> ours_differs = {
      {48, 0x4000},  // trusted computing: marked as told, not supported
      {49, 0x2F00},  // standard standby timers
      {51, 0x0200},  // the old PIO mode
      {82, 0x4429},  // READ NATIVE MAX
      {84, 0x4001},  // SMART error log
      {85, 0x4429},  {87, 0x4001}, {209, 0x4000},  // alignment: marked as told, aligned
      {255, 0x84A5},                               // hence another checksum
  };
  const Sector ours = built(parse_identify(example_sector()).model);
  Sector example;
  copy_bytes(example, example_sector());
  for (std::size_t index = 0; index < 256; ++index) {
    const auto difference = ours_differs.find(index);
    EXPECT_EQ(word(ours, index),
              difference == ours_differs.end() ? word(example, index) : difference->second)
        << "word " << index;
  }
}

TEST(Identify, WhatIsBuiltReadsBackTheSame) {
  EXPECT_EQ(parse_identify(built(rich_model())).model, rich_model());
  const IdentifyModel plain{.serial = "1", .sector_count = 100, .has_flush = false};
  EXPECT_EQ(parse_identify(built(plain)).model, plain);
}

TEST(Identify, EveryByteIsWrittenAndTheSumIsZero) {
  const Sector sector = built(rich_model());
  EXPECT_EQ(byte_sum(sector), 0U);
  EXPECT_EQ(load_u8(sector, 510), 0xA5);
  EXPECT_EQ(word(sector, 2), 0);
  EXPECT_EQ(parse_identify(sector).checksum, IdentifyChecksum::valid);
}

TEST(Identify, ADamagedSectorIsToldFromOneWithoutChecksum) {
  Sector sector = built(rich_model());
  set_word(sector, 60, 12345);
  EXPECT_EQ(parse_identify(sector).checksum, IdentifyChecksum::invalid);
  set_word(sector, 255, 0);
  EXPECT_EQ(parse_identify(sector).checksum, IdentifyChecksum::absent);
}

TEST(Identify, StringsArePairSwappedPaddedAndCut) {
  const Sector sector = built({.serial = std::string(25, 'x'), .model = "AoE\x01\xFFz"});
  EXPECT_EQ(word(sector, 27), 0x416F);  // "Ao"
  EXPECT_EQ(word(sector, 28), 0x453F);  // "E?": what cannot be printed
  EXPECT_EQ(word(sector, 29), 0x3F7A);
  EXPECT_EQ(word(sector, 46), 0x2020);
  EXPECT_EQ(parse_identify(sector).model.serial, std::string(20, 'x'));
  EXPECT_EQ(parse_identify(sector).model.model, "AoE??z");
}

struct CapacityCase {
  std::uint64_t sectors;
  std::uint32_t in_28_bits;
  std::uint16_t cylinders;
};

class Capacity : public testing::TestWithParam<CapacityCase> {};

TEST_P(Capacity, IsStatedInBothWidthsAndAsGeometry) {
  const Sector sector = built({.sector_count = GetParam().sectors});
  EXPECT_EQ(load_le32(sector, 120), GetParam().in_28_bits);
  EXPECT_EQ(load_le64(sector, 200), GetParam().sectors);
  EXPECT_EQ(word(sector, 1), GetParam().cylinders);
  EXPECT_EQ(word(sector, 54), GetParam().cylinders);
  EXPECT_EQ(load_le32(sector, 114), GetParam().cylinders * 1008U);
  EXPECT_EQ(parse_identify(sector).model.sector_count, GetParam().sectors);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Capacity,
                         testing::Values(CapacityCase{0, 0, 0}, CapacityCase{1, 1, 0},
                                         CapacityCase{1007, 1007, 0}, CapacityCase{1008, 1008, 1},
                                         CapacityCase{204800, 204800, 203},
                                         CapacityCase{16514063, 16514063, 16382},
                                         CapacityCase{16514064, 16514064, 16383},
                                         CapacityCase{(1U << 28U) - 2, 0x0FFFFFFE, 16383},
                                         CapacityCase{(1U << 28U) - 1, 0x0FFFFFFF, 16383},
                                         CapacityCase{1U << 28U, 0x0FFFFFFF, 16383},
                                         CapacityCase{(1U << 28U) + 1, 0x0FFFFFFF, 16383},
                                         CapacityCase{kLbaLimit - 1, 0x0FFFFFFF, 16383}));

TEST(Identify, ADiskWithout48BitAddressesReadsItsSizeFromWords60And61) {
  Sector sector = built({.sector_count = 0x0123'4567, .has_lba48 = false});
  EXPECT_EQ(word(sector, 83) & 0x0400U, 0U);
  EXPECT_EQ(word(sector, 86) & 0x0400U, 0U);
  store_le64(sector, 200, 0xFFFF'FFFF'FFFFU);
  EXPECT_EQ(parse_identify(sector).model.sector_count, 0x0123'4567U);
  set_word(sector, 86, word(sector, 86) | 0x0400U);  // the Linux driver takes either word's bit
  EXPECT_TRUE(parse_identify(sector).model.has_lba48);
}

TEST(Identify, ASizeBeyondWhatCanBeAddressedIsCut) {
  Sector sector = built({.sector_count = 1});
  store_le64(sector, 200, ~std::uint64_t{0});
  EXPECT_EQ(parse_identify(sector).model.sector_count, kLbaLimit - 1);
  sector = built({.sector_count = 1, .has_lba48 = false});
  store_le32(sector, 120, kLba28Limit);
  EXPECT_EQ(parse_identify(sector).model.sector_count, kLba28Limit - 1);
}

TEST(Identify, WhatIsNotSupportedIsNotEnabledEither) {
  Sector sector = built({.sector_count = 1});
  set_word(sector, 85, 0x0021);
  EXPECT_FALSE(parse_identify(sector).model.smart_enabled);
  EXPECT_FALSE(parse_identify(sector).model.write_cache_enabled);
}

TEST(Identify, PhysicalSectorsAreALogarithm) {
  for (unsigned exponent = 0; exponent <= 7; ++exponent) {
    const std::uint32_t bytes = 512U << exponent;
    const Sector sector = built({.sector_count = 8, .physical_sector_bytes = bytes});
    EXPECT_EQ(word(sector, 106), exponent == 0 ? 0x4000U : 0x6000U + exponent);
    EXPECT_EQ(parse_identify(sector).model.physical_sector_bytes, bytes);
    EXPECT_EQ(parse_identify(sector).logical_sector_bytes, 512U);
  }
}

TEST(Identify, LogicalSectorsOfAnotherSizeAreReported) {
  Sector sector = built({.sector_count = 8});
  set_word(sector, 106, 0x5000);
  set_word(sector, 117, 2048);
  EXPECT_EQ(parse_identify(sector).logical_sector_bytes, 4096U);
  store_le32(sector, 234, 0xFFFFFFFF);
  EXPECT_EQ(parse_identify(sector).logical_sector_bytes, 0x1'FFFF'FFFEU);
}

TEST(Identify, TheWorldWideNameStartsWithItsHighestWord) {
  const Sector sector = built({.world_wide_name = 0x5000'1234'5678'9ABCU});
  EXPECT_EQ(word(sector, 108), 0x5000);
  EXPECT_EQ(word(sector, 111), 0x9ABC);
  EXPECT_EQ(word(sector, 84) & 0x0100U, 0x0100U);
  EXPECT_EQ(word(sector, 87) & 0x0100U, 0x0100U);
  EXPECT_EQ(word(built({}), 87) & 0x0100U, 0U);
}

TEST(Identify, OnlyWhatIsEnabledShowsInTheMirrorWords) {
  IdentifyModel model = rich_model();
  model.smart_enabled = false;
  model.write_cache_enabled = false;
  const Sector sector = built(model);
  EXPECT_EQ(word(sector, 82) & 0x0021U, 0x0021U);
  EXPECT_EQ(word(sector, 85) & 0x0021U, 0U);
}

TEST(Identify, WordsThatAreNotMarkedValidPromiseNothing) {
  Sector sector = built(rich_model());
  for (const std::size_t index : {83U, 84U, 87U, 106U}) {
    set_word(sector, index, word(sector, index) & 0x3FFFU);
  }
  const IdentifyModel m = parse_identify(sector).model;
  EXPECT_FALSE(m.has_flush);
  EXPECT_FALSE(m.has_fua);
  EXPECT_EQ(m.world_wide_name, 0U);
  EXPECT_EQ(m.physical_sector_bytes, 512U);
}

// A floating bus reads as all ones: nothing in it may be believed too far.
TEST(Identify, ASectorOfOnesIsReadWithoutHarm) {
  Sector sector;
  sector.fill(std::byte{0xFF});
  const IdentifyView view = parse_identify(sector);
  EXPECT_EQ(view.model.sector_count, kLbaLimit - 1);
  EXPECT_FALSE(view.model.has_flush);
  EXPECT_EQ(view.checksum, IdentifyChecksum::absent);
}

}  // namespace
}  // namespace aoe::protocol
