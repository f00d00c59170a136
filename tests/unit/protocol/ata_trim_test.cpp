#include "protocol/ata_trim.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace aoe::protocol {
namespace {

TEST(Trim, EntriesAreLittleEndianWithTheCountOnTop) {
  std::array<std::byte, 512> block;
  block.fill(std::byte{0xEE});
  const std::array<TrimRange, 2> ranges{TrimRange{Lba{0x0605'0403'0201}, 0x0807},
                                        TrimRange{Lba{kLbaLimit - 1}, 0xFFFF}};
  build_trim(block, ranges);
  EXPECT_EQ(load_be64(block, 0), 0x0102'0304'0506'0708U);
  EXPECT_EQ(load_le64(block, 8), ~std::uint64_t{0});
  EXPECT_EQ(load_le64(block, 16), 0U);
  EXPECT_EQ(load_le64(block, 504), 0U);

  const auto view = parse_trim(block, 1);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->size(), 64U);
  EXPECT_EQ((*view)[0], ranges[0]);
  EXPECT_EQ((*view)[1], ranges[1]);
  EXPECT_EQ((*view)[63], TrimRange{});
  EXPECT_EQ(view->total_sectors(), 0x0807U + 0xFFFFU);
}

TEST(Trim, MissingBlocksAreABadLengthAndSurplusBytesPadding) {
  const std::vector<std::byte> data(1030);
  EXPECT_EQ(parse_trim(data, 2)->size(), 128U);
  EXPECT_EQ(parse_trim(data, 1)->size(), 64U);
  EXPECT_EQ(parse_trim(data, 0)->size(), 0U);
  EXPECT_EQ(parse_trim(data, 3).error(), WireError::bad_length);
  EXPECT_EQ(parse_trim({}, 255).error(), WireError::bad_length);
  EXPECT_EQ(TrimRanges(ConstByteSpan(data).first(15)).size(), 1U);
}

TEST(Trim, RangesAreWithinUpToTheVeryLastSector) {
  std::array<std::byte, 512> block;
  const auto within = [&](Lba first, std::uint16_t count, std::uint64_t capacity) {
    const std::array<TrimRange, 2> ranges{TrimRange{Lba{0}, 1}, TrimRange{first, count}};
    build_trim(block, ranges);
    return TrimRanges(block).all_within(capacity);
  };
  EXPECT_TRUE(within(Lba{90}, 10, 100));
  EXPECT_FALSE(within(Lba{91}, 10, 100));
  EXPECT_FALSE(within(Lba{kLbaLimit - 1}, 0xFFFF, 100));
  EXPECT_TRUE(within(Lba{5000}, 0, 100));  // skipped, wherever it points
  EXPECT_FALSE(within(Lba{0}, 1, 0));
}

TEST(Trim, ALongExtentIsSplitIntoEntries) {
  std::array<std::byte, 512> block;
  block.fill(std::byte{0xEE});
  EXPECT_EQ(build_trim_extent(block, Lba{1000}, 2 * 65535 + 7), 2U * 65535 + 7);
  const TrimRanges ranges(block);
  EXPECT_EQ(ranges[0], (TrimRange{Lba{1000}, 65535}));
  EXPECT_EQ(ranges[1], (TrimRange{Lba{66535}, 65535}));
  EXPECT_EQ(ranges[2], (TrimRange{Lba{132070}, 7}));
  EXPECT_EQ(ranges[3], TrimRange{});
}

TEST(Trim, AnExtentThatDoesNotFitSaysHowMuchDid) {
  std::array<std::byte, 512> block;
  EXPECT_EQ(build_trim_extent(block, Lba{0}, 65 * 65535), 64U * 65535);
  EXPECT_EQ(TrimRanges(block)[63], (TrimRange{Lba{63 * 65535}, 65535}));
  EXPECT_EQ(build_trim_extent({}, Lba{0}, 1), 0U);
}

TEST(Trim, BlocksHold64Entries) {
  EXPECT_EQ(trim_blocks(0), 0U);
  EXPECT_EQ(trim_blocks(1), 1U);
  EXPECT_EQ(trim_blocks(64), 1U);
  EXPECT_EQ(trim_blocks(65), 2U);
}

}  // namespace
}  // namespace aoe::protocol
