#include "storage/layer_format.h"

#include "base/crc32c.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aoe::storage {

namespace {

constexpr std::string_view kHeaderMagic = "AOELAYER";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kHeaderCrcAt = kLayerHeaderBytes - 4;
constexpr std::uint32_t kBlockMagic = 0x50414D41;  // "AMAP"
constexpr std::size_t kBlockCrcAt = 4;
constexpr std::size_t kBlockHeadBytes = 32;
constexpr std::size_t kExtentBytes = 16;
static_assert(kBlockHeadBytes + kExtentsPerMapBlock * kExtentBytes == kMapBlockBytes);

// How far behind a damaged block a sound one is looked for. More than one commit ever has.
constexpr std::uint64_t kScanAheadBlocks = 4096;
constexpr std::uint64_t kReadBlocks = 512;

auto corrupt(const std::string& name, const std::string& reason) {
  return fail_with(Errc::corrupt, 0, fmt::format("{}: {}", name, reason));
}

bool is_state(std::uint8_t value) {
  return value >= static_cast<std::uint8_t>(LayerState::preparing) &&
         value <= static_cast<std::uint8_t>(LayerState::merged);
}

// The CRC stands inside of what it covers, as if it were zero there.
std::uint32_t block_crc(ConstByteSpan block) {
  return crc32c(block.subspan(kBlockCrcAt + 4), crc32c(block.first(kBlockCrcAt)));
}

struct MapBlock {
  std::uint32_t epoch = 0;
  std::uint64_t commit = 0;
  std::uint32_t extents = 0;
};

// Sound, of this layer and written for this place.
std::optional<MapBlock> sound_block(ConstByteSpan block, const LayerHeader& header,
                                    std::uint64_t index) {
  const std::uint32_t head = load_le32(block, 24);
  if (load_le32(block, 0) != kBlockMagic || load_le32(block, kBlockCrcAt) != block_crc(block) ||
      load_le64(block, 8) != index ||
      load_le32(block, 28) != static_cast<std::uint32_t>(header.id.low)) {
    return std::nullopt;
  }
  MapBlock found;
  found.epoch = head >> 8U;
  found.extents = head & 0xFFU;
  found.commit = load_le64(block, 16);
  if (found.extents > kExtentsPerMapBlock || found.epoch > header.epoch) {
    return std::nullopt;
  }
  return found;
}

// Hands out the map's blocks one by one, reading many at a time.
class BlockReader {
 public:
  BlockReader(const LayerReader& read, const LayerLayout& layout)
      : read_(read), layout_(layout), buffer_(kReadBlocks * kMapBlockBytes) {}

  Result<ConstByteSpan> at(std::uint64_t index) {
    if (index < first_ || index >= first_ + count_) {
      first_ = index;
      count_ = std::min(kReadBlocks, layout_.map_blocks - index);
      AOE_TRY(read_(layout_.map_offset_bytes + index * kMapBlockBytes,
                    ByteSpan(buffer_).first(count_ * kMapBlockBytes)));
    }
    return ConstByteSpan(buffer_).subspan((index - first_) * kMapBlockBytes, kMapBlockBytes);
  }

 private:
  const LayerReader& read_;
  const LayerLayout& layout_;
  std::vector<std::byte> buffer_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace

std::string to_string(const LayerId& id) {
  return fmt::format("{:016x}{:016x}", id.high, id.low);
}

LayerLayout layer_layout(std::uint64_t base_sectors) {
  constexpr std::uint64_t kAlign = 64 * 1024;
  LayerLayout layout;
  layout.map_offset_bytes =
      (kLayerDataOffsetBytes + base_sectors * kSectorBytes + kAlign - 1) / kAlign * kAlign;
  layout.map_blocks = base_sectors + 1;
  layout.file_bytes = layout.map_offset_bytes + layout.map_blocks * kMapBlockBytes;
  return layout;
}

std::array<std::byte, kLayerHeaderBytes> encode_header(const LayerHeader& header) {
  std::array<std::byte, kLayerHeaderBytes> bytes{};
  copy_bytes(bytes, as_byte_span(kHeaderMagic));
  store_le32(bytes, 8, kFormatVersion);
  store_u8(bytes, 12, static_cast<std::uint8_t>(header.purpose));
  store_u8(bytes, 13, static_cast<std::uint8_t>(header.state));
  store_mac(bytes, 14, header.initiator);
  store_le64(bytes, 24, header.id.high);
  store_le64(bytes, 32, header.id.low);
  store_le64(bytes, 40, header.base.sectors);
  store_le64(bytes, 48, header.base.name_hash);
  store_le64(bytes, 56, header.base.version);
  store_le64(bytes, 64, header.generation);
  store_le64(bytes, 72, header.merged_until);
  store_le64(bytes, 80, header.created_unix_seconds);
  store_le32(bytes, 88, header.epoch);
  store_le32(bytes, kHeaderCrcAt, crc32c(ConstByteSpan(bytes).first(kHeaderCrcAt)));
  return bytes;
}

Result<LayerHeader> decode_header(ConstByteSpan bytes) {
  const auto refused = [](const char* why) { return fail_with(Errc::corrupt, 0, why); };
  if (bytes.size() != kLayerHeaderBytes ||
      !equal_bytes(bytes.first(kHeaderMagic.size()), as_byte_span(kHeaderMagic))) {
    return refused("this is no layer of ours");
  }
  if (load_le32(bytes, kHeaderCrcAt) != crc32c(bytes.first(kHeaderCrcAt))) {
    return refused("the header is damaged");
  }
  if (load_le32(bytes, 8) != kFormatVersion) {
    return refused("a layer of another version of this program");
  }
  const std::uint8_t purpose = load_u8(bytes, 12);
  const std::uint8_t state = load_u8(bytes, 13);
  LayerHeader header;
  header.base.sectors = load_le64(bytes, 40);
  header.merged_until = load_le64(bytes, 72);
  if (purpose < 1 || purpose > 3 || !is_state(state) || header.base.sectors == 0 ||
      header.base.sectors > kLbaLimit || header.merged_until > header.base.sectors) {
    return refused("the header holds values that no program of ours writes");
  }
  header.purpose = static_cast<LayerPurpose>(purpose);
  header.state = static_cast<LayerState>(state);
  header.initiator = load_mac(bytes, 14);
  header.id = {load_le64(bytes, 24), load_le64(bytes, 32)};
  header.base.name_hash = load_le64(bytes, 48);
  header.base.version = load_le64(bytes, 56);
  header.generation = load_le64(bytes, 64);
  header.created_unix_seconds = load_le64(bytes, 80);
  header.epoch = load_le32(bytes, 88);
  return header;
}

std::size_t encode_map_blocks(const MapPosition& first, std::span<const SectorExtent> extents,
                              std::vector<std::byte>& out) {
  std::size_t blocks = 0;
  while (!extents.empty()) {
    const std::size_t count = std::min(extents.size(), kExtentsPerMapBlock);
    const std::size_t at = out.size();
    out.resize(at + kMapBlockBytes);
    const ByteSpan block = ByteSpan(out).subspan(at);
    store_le32(block, 0, kBlockMagic);
    store_le64(block, 8, first.index + blocks);
    store_le64(block, 16, first.commit);
    store_le32(block, 24, first.epoch << 8U | static_cast<std::uint32_t>(count));
    store_le32(block, 28, static_cast<std::uint32_t>(first.id.low));
    for (std::size_t i = 0; i < count; ++i) {
      store_le64(block, kBlockHeadBytes + i * kExtentBytes, extents[i].first);
      store_le64(block, kBlockHeadBytes + i * kExtentBytes + 8, extents[i].count);
    }
    store_le32(block, kBlockCrcAt, block_crc(block));
    extents = extents.subspan(count);
    ++blocks;
  }
  return blocks;
}

Result<LayerHeader> read_layer_header(const std::string& name, const LayerReader& read) {
  std::optional<LayerHeader> newest;
  std::string reason;
  for (const std::uint64_t offset : {header_offset_bytes(0), header_offset_bytes(1)}) {
    std::array<std::byte, kLayerHeaderBytes> bytes{};
    AOE_TRY(read(offset, bytes));
    const auto header = decode_header(bytes);
    if (!header) {
      reason = reason.empty() ? header.error().message : reason;
    } else if (!newest || header->generation > newest->generation) {
      newest = *header;
    }
  }
  if (!newest) {
    return corrupt(name, reason);
  }
  return *newest;
}

Result<ReplayedLayer> replay_layer(const std::string& name, const LayerReader& read,
                                   std::uint64_t file_bytes) {
  ReplayedLayer layer;
  AOE_TRY_ASSIGN(layer.header, read_layer_header(name, read));
  const LayerHeader& header = layer.header;
  const LayerLayout layout = layer_layout(header.base.sectors);
  if (file_bytes < layout.file_bytes) {
    return corrupt(name, fmt::format("the file has {} bytes and should have {}: it was cut off",
                                     file_bytes, layout.file_bytes));
  }
  layer.map = LayerMap(header.base.sectors);
  BlockReader blocks(read, layout);
  std::uint32_t last_epoch = 0;
  std::uint64_t last_commit = 0;
  std::uint64_t index = 0;
  for (; index < layout.map_blocks; ++index) {
    AOE_TRY_ASSIGN(const ConstByteSpan bytes, blocks.at(index));
    const auto block = sound_block(bytes, header, index);
    if (!block || block->epoch < last_epoch) {
      break;
    }
    for (std::size_t i = 0; i < block->extents; ++i) {
      const SectorExtent extent{load_le64(bytes, kBlockHeadBytes + i * kExtentBytes),
                                load_le64(bytes, kBlockHeadBytes + i * kExtentBytes + 8)};
      if (extent.count > header.base.sectors || extent.first > header.base.sectors - extent.count) {
        return corrupt(name, fmt::format("block {} of the map leads outside of the disk", index));
      }
      layer.map.set(extent);
    }
    last_epoch = block->epoch;
    last_commit = block->commit;
  }
  layer.next_map_block = index;
  layer.next_commit = last_commit + 1;
  // A commit begins when the one before it is durable. So whatever stands behind the end belongs to
  // the commit that was interrupted, or something in the middle was damaged later.
  const std::uint64_t scan_end = std::min(layout.map_blocks, index + 1 + kScanAheadBlocks);
  for (std::uint64_t ahead = index; ahead < scan_end; ++ahead) {
    AOE_TRY_ASSIGN(const ConstByteSpan bytes, blocks.at(ahead));
    const auto block = sound_block(bytes, header, ahead);
    if (!block || block->epoch < last_epoch) {
      continue;
    }
    layer.had_torn_tail = true;
    if (block->commit > layer.next_commit) {
      return corrupt(name, fmt::format("block {} of the map is damaged, and sound ones follow: "
                                       "acknowledged writes would be missing",
                                       index));
    }
  }
  layer.map.clear({0, header.merged_until});
  return layer;
}

Result<void> check_base(const LayerHeader& header, const BaseIdentity& base,
                        const LayerNames& names) {
  const auto refused = [&names](const std::string& reason) {
    return fail_with(
        Errc::invalid_argument, 0,
        fmt::format("{}: it does not belong to {}: {}", names.layer, names.base, reason));
  };
  if (header.base.sectors != base.sectors) {
    return refused(fmt::format("it was made over {} sectors, and {} are there", header.base.sectors,
                               base.sectors));
  }
  if (header.base.name_hash != base.name_hash) {
    return refused("it was made over another store, or another window of it");
  }
  if (header.base.version != base.version) {
    return refused(
        "the base was written to since it was made (put the old content back, or give up the "
        "layer)");
  }
  return {};
}

}  // namespace aoe::storage
