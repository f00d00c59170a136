#include "storage/layer_format.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace aoe::storage {
namespace {

constexpr std::uint64_t kSectors = 10'000;

LayerHeader example() {
  LayerHeader header;
  header.purpose = LayerPurpose::overlay;
  header.state = LayerState::active;
  header.id = {0x1122334455667788, 0x99AABBCCDDEEFF00};
  header.base = {.sectors = kSectors, .name_hash = 42, .version = 43};
  header.initiator = MacAddress{{2, 0, 0, 0, 0, 9}};
  header.generation = 6;
  header.epoch = 3;
  header.merged_until = 0;
  header.created_unix_seconds = 1'700'000'000;
  return header;
}

// A file in memory.
struct Image {
  explicit Image(const LayerHeader& first) : header(first) {
    bytes.resize(layer_layout(kSectors).file_bytes);
    put_header(first);
  }

  void put_header(const LayerHeader& written) {
    const auto encoded = encode_header(written);
    copy_bytes(ByteSpan(bytes).subspan(header_offset_bytes(written.generation)), encoded);
  }

  void put_blocks(const MapPosition& at, std::span<const SectorExtent> extents) {
    std::vector<std::byte> blocks;
    encode_map_blocks(at, extents, blocks);
    copy_bytes(block(at.index, blocks.size()), blocks);
  }

  MapPosition position(std::uint64_t index, std::uint64_t commit, std::uint32_t epoch = 3) const {
    return {.id = header.id, .epoch = epoch, .index = index, .commit = commit};
  }

  ByteSpan block(std::uint64_t index, std::size_t size = kMapBlockBytes) {
    return ByteSpan(bytes).subspan(layer_layout(kSectors).map_offset_bytes + index * kMapBlockBytes,
                                   size);
  }

  [[nodiscard]] Result<ReplayedLayer> replay() const {
    return replay_layer(
        "image",
        [this](std::uint64_t offset, ByteSpan to) -> Result<void> {
          copy_bytes(to, ConstByteSpan(bytes).subspan(offset, to.size()));
          return {};
        },
        bytes.size());
  }

  LayerHeader header;
  std::vector<std::byte> bytes;
};

constexpr std::array kOne{SectorExtent{100, 8}};
constexpr std::array kTwo{SectorExtent{200, 1}};
constexpr std::array kThree{SectorExtent{300, 2}};

TEST(LayerFormat, AHeaderComesBackAsItWasWritten) {
  const auto decoded = decode_header(encode_header(example()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, example());
}

TEST(LayerFormat, AHeaderWithAnyBitTurnedIsRefused) {
  for (std::size_t bit = 0; bit < kLayerHeaderBytes * 8; ++bit) {
    auto bytes = encode_header(example());
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_header(bytes)) << bit;
  }
}

TEST(LayerFormat, TheNewerOfTwoHeadersCounts) {
  Image image(example());
  LayerHeader newer = example();
  newer.generation = 7;
  newer.state = LayerState::merging;
  image.put_header(newer);
  EXPECT_EQ(image.replay()->header, newer);
  // Damaged while it was written: the older one is still there.
  image.bytes[header_offset_bytes(7) + 20] ^= std::byte{1};
  EXPECT_EQ(image.replay()->header, example());
}

TEST(LayerFormat, AMapOfSeveralBlocksIsReplayed) {
  Image image(example());
  std::vector<SectorExtent> many;
  for (std::uint64_t i = 0; i < kExtentsPerMapBlock + 1; ++i) {
    many.push_back({i * 10, 3});
  }
  image.put_blocks(image.position(0, 1), many);
  image.put_blocks(image.position(2, 2), kTwo);
  const auto layer = image.replay();
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->next_map_block, 3U);
  EXPECT_EQ(layer->next_commit, 3U);
  EXPECT_EQ(layer->map.mapped_sectors(), many.size() * 3);  // 200 is one of them
  EXPECT_FALSE(layer->had_torn_tail);
}

TEST(LayerFormat, ATornTailIsCutOff) {
  Image image(example());
  image.put_blocks(image.position(0, 1), kOne);
  image.put_blocks(image.position(1, 2), kTwo);
  image.put_blocks(image.position(2, 2), kThree);
  image.block(1)[70] ^= std::byte{1};  // of the commit that was interrupted, the first is missing
  const auto layer = image.replay();
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->next_map_block, 1U);
  EXPECT_EQ(layer->next_commit, 2U);
  EXPECT_EQ(layer->map.mapped_sectors(), 8U);
  EXPECT_TRUE(layer->had_torn_tail);
}

TEST(LayerFormat, BlocksThatAnEarlierOpeningLeftBehindTheEndNeverCount) {
  Image image(example());
  image.put_blocks(image.position(0, 1, 1), kOne);
  image.put_blocks(image.position(2, 2, 1), kThree);  // 1 was lost, this one arrived
  image.put_blocks(image.position(1, 2, 2), kTwo);    // the next opening went on there
  const auto layer = image.replay();
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->next_map_block, 2U);
  EXPECT_EQ(layer->map.mapped_sectors(), 9U);
}

TEST(LayerFormat, ADamagedBlockInTheMiddleIsNoTornTail) {
  Image image(example());
  image.put_blocks(image.position(0, 1), kOne);
  image.put_blocks(image.position(1, 2), kTwo);
  image.put_blocks(image.position(2, 3), kThree);
  image.block(1)[70] ^= std::byte{1};
  const auto layer = image.replay();
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().code, Errc::corrupt);
  EXPECT_NE(layer.error().message.find("block 1 of the map is damaged"), std::string::npos);
}

TEST(LayerFormat, BlocksOfAnotherLayerOrFromTheFutureNeverCount) {
  Image image(example());
  MapPosition other = image.position(0, 1);
  other.id.low ^= 1;
  image.put_blocks(other, kOne);
  EXPECT_EQ(image.replay()->map.mapped_sectors(), 0U);
  image.put_blocks(image.position(0, 1, 4), kOne);
  EXPECT_EQ(image.replay()->map.mapped_sectors(), 0U);
}

TEST(LayerFormat, AnExtentOutsideOfTheDiskIsRefused) {
  for (const SectorExtent bad :
       {SectorExtent{kSectors - 1, 2}, SectorExtent{~0ULL, 2}, SectorExtent{1, ~0ULL}}) {
    Image image(example());
    image.put_blocks(image.position(0, 1), std::span(&bad, 1));
    EXPECT_FALSE(image.replay());
  }
}

TEST(LayerFormat, WhatIsMergedIsNotMapped) {
  LayerHeader header = example();
  header.state = LayerState::merging;
  header.merged_until = 104;
  Image image(header);
  image.put_blocks(image.position(0, 1), kOne);
  EXPECT_EQ(image.replay()->map.mapped_sectors(), 4U);
}

TEST(LayerFormat, AFileThatWasCutOffIsRefused) {
  Image image(example());
  image.bytes.resize(image.bytes.size() - 1);
  EXPECT_FALSE(image.replay());
}

TEST(LayerFormat, ALayerOfAnotherBaseIsRefusedWithTheReason) {
  const LayerNames names{"l", "b"};
  const LayerHeader header = example();
  EXPECT_TRUE(check_base(header, header.base, names));
  BaseIdentity other = header.base;
  other.sectors = 5;
  EXPECT_NE(check_base(header, other, names).error().message.find("over 10000 sectors, and 5"),
            std::string::npos);
  other = header.base;
  other.name_hash = 1;
  EXPECT_NE(check_base(header, other, names).error().message.find("another store"),
            std::string::npos);
  other = header.base;
  other.version = 1;
  EXPECT_NE(check_base(header, other, names).error().message.find("written to since"),
            std::string::npos);
}

TEST(LayerMap, SetsClearsAndFindsRunsAcrossWordsAndChunks) {
  LayerMap map(100'000);
  EXPECT_FALSE(map.next_mapped(0));
  map.set({60, 10});
  map.set({32'760, 20});
  EXPECT_EQ(map.mapped_sectors(), 30U);
  EXPECT_EQ(map.next_mapped(0), 60U);
  EXPECT_EQ(map.next_mapped(70), 32'760U);
  EXPECT_FALSE(map.next_mapped(32'780));
  const auto hole = map.run_at({0, 100'000});
  EXPECT_FALSE(hole.is_mapped);
  EXPECT_EQ(hole.extent, (SectorExtent{0, 60}));
  const auto run = map.run_at({65, 100});
  EXPECT_TRUE(run.is_mapped);
  EXPECT_EQ(run.extent, (SectorExtent{65, 5}));
  EXPECT_EQ(map.run_at({32'765, 5}).extent, (SectorExtent{32'765, 5}));
  map.clear({0, 32'770});
  EXPECT_EQ(map.mapped_sectors(), 10U);
  EXPECT_EQ(map.next_mapped(0), 32'770U);
  map.clear({0, 100'000});
  EXPECT_EQ(map, LayerMap(100'000));
}

}  // namespace
}  // namespace aoe::storage
