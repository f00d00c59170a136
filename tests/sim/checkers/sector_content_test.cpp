#include "sim/checkers/sector_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::sim {
namespace {

using ::testing::HasSubstr;

constexpr SectorPlace kPlace{.disk = 2, .lba = 77};
constexpr SectorValue kValue = SectorValue::make(3, 17, 5);

TEST(SectorContent, SaysWhatWasWrittenWhereAndByWhom) {
  std::array<std::byte, kSectorBytes> sector{};
  fill_sector(sector, kValue, kPlace);
  EXPECT_EQ(read_sector(sector, kPlace), kValue);
  EXPECT_EQ(kValue.writer(), 3U);
  EXPECT_EQ(kValue.op(), 17U);
  EXPECT_EQ(to_string(kValue), "write 17 of writer 3");
}

TEST(SectorContent, RecognisesZeros) {
  std::array<std::byte, kSectorBytes> sector{};
  EXPECT_EQ(read_sector(sector, kPlace), SectorValue{});
  sector[511] = std::byte{1};
  EXPECT_EQ(read_sector(sector, kPlace), std::nullopt);
}

TEST(SectorContent, RefusesEveryDamagedByte) {
  for (std::size_t i = 0; i < kSectorBytes; ++i) {
    std::array<std::byte, kSectorBytes> sector{};
    fill_sector(sector, kValue, kPlace);
    sector[i] ^= std::byte{0x10};
    EXPECT_EQ(read_sector(sector, kPlace), std::nullopt) << i;
  }
}

TEST(SectorContent, RefusesAnotherSectorsContentAndSaysWhose) {
  std::array<std::byte, kSectorBytes> sector{};
  fill_sector(sector, kValue, {.disk = 1, .lba = 4});
  EXPECT_EQ(read_sector(sector, kPlace), std::nullopt);
  EXPECT_THAT(describe_bad_sector(sector, kPlace), HasSubstr("sector 4 of disk 1"));
}

TEST(SectorContent, SaysWhereASectorIsTorn) {
  std::array<std::byte, kSectorBytes> sector{};
  std::array<std::byte, kSectorBytes> newer{};
  fill_sector(sector, kValue, kPlace);
  fill_sector(newer, SectorValue::make(3, 18, 0), kPlace);
  copy_bytes(sector, ConstByteSpan(newer).first(256));
  EXPECT_EQ(read_sector(sector, kPlace), std::nullopt);
  EXPECT_THAT(describe_bad_sector(sector, kPlace), HasSubstr("damaged from byte 256"));
}

}  // namespace
}  // namespace aoe::sim
