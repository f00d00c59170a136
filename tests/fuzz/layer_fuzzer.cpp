// Any bytes as a layer's file, as checksums at rest, or as the records of freezes and snapshots:
// what is believed makes sense, and everything else is refused.
#include "base/check.h"
#include "base/crc32c.h"
#include "fuzz/fuzz_entry.h"
#include "storage/integrity_format.h"
#include "storage/layer_format.h"
#include "targetd/freeze_record.h"
#include "targetd/snapshot_record.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace aoe::storage {
namespace {

// The first byte says what the rest is, and whether checksums are made right, so that what lies
// behind them is reached.
constexpr std::uint8_t kMend = 0x80;
constexpr std::uint64_t kSectorsMax = 4096;

// Two headers, and map blocks behind them.
struct GivenFile {
  std::array<std::array<std::byte, kLayerHeaderBytes>, 2> headers{};
  std::vector<std::byte> map;
};

GivenFile given_file(ConstByteSpan bytes, bool mend) {
  GivenFile file;
  for (auto& header : file.headers) {
    const ConstByteSpan part = bytes.first(std::min(bytes.size(), header.size()));
    copy_bytes(header, part);
    bytes = bytes.subspan(part.size());
    if (mend) {
      copy_bytes(header, as_byte_span("AOELAYER"));
      store_le32(header, 8, 1);
      store_le64(header, 40, load_le64(header, 40) % kSectorsMax);
      store_le32(header, 508, crc32c(ConstByteSpan(header).first(508)));
    }
  }
  file.map.assign(bytes.begin(), bytes.end());
  file.map.resize((file.map.size() + kMapBlockBytes - 1) / kMapBlockBytes * kMapBlockBytes);
  for (std::size_t at = 0; mend && at < file.map.size(); at += kMapBlockBytes) {
    const ByteSpan block = ByteSpan(file.map).subspan(at, kMapBlockBytes);
    store_le32(block, 0, 0x50414D41);
    store_le64(block, 8, at / kMapBlockBytes);
    store_le32(block, 28, load_le32(file.headers[0], 32));
    store_le32(block, 4, crc32c(block.subspan(8), crc32c(ConstByteSpan(block).first(4))));
  }
  return file;
}

void check_layer(ConstByteSpan bytes, bool mend) {
  const GivenFile file = given_file(bytes, mend);
  std::uint64_t map_at = 0;
  const LayerReader read = [&](std::uint64_t offset, ByteSpan to) -> Result<void> {
    fill_zero(to);
    for (std::size_t i = 0; i < file.headers.size(); ++i) {
      if (offset == header_offset_bytes(i)) {
        copy_bytes(to, file.headers[i]);
      }
    }
    if (map_at != 0 && offset >= map_at && offset - map_at < file.map.size()) {
      const ConstByteSpan there = ConstByteSpan(file.map).subspan(offset - map_at);
      copy_bytes(to, there.first(std::min(there.size(), to.size())));
    }
    return {};
  };
  const auto header = read_layer_header("fuzz", read);
  if (header) {
    map_at = layer_layout(header->base.sectors).map_offset_bytes;
  }
  const auto layer = replay_layer("fuzz", read, layer_layout(kSectorsMax).file_bytes);
  if (!layer) {
    return;
  }
  AOE_CHECK(header && layer->header == *header, "a layer is what its header says");
  AOE_CHECK(layer->map.sectors() == header->base.sectors &&
                layer->map.mapped_sectors() <= header->base.sectors,
            "a map stays on the disk");
  AOE_CHECK(layer->next_map_block <= layer_layout(header->base.sectors).map_blocks,
            "a map ends in its place");
  const auto first = layer->map.next_mapped(0);
  AOE_CHECK(!first || *first >= header->merged_until, "what is merged is the base's");
  AOE_CHECK(*decode_header(encode_header(*header)) == *header, "a header comes back");
}

void check_sums(ConstByteSpan bytes, bool mend) {
  std::vector<std::byte> block(bytes.begin(), bytes.end());
  block.resize(kIntegrityRecordBytes);
  if (mend) {
    store_le32(block, 0, 0x4D555341);
    store_le64(block, 8, 3);
    store_le32(block, 4,
               crc32c(ConstByteSpan(block).subspan(8), crc32c(ConstByteSpan(block).first(4))));
  }
  if (const auto record = decode_integrity_record(block, 3)) {
    std::vector<std::byte> again(kIntegrityRecordBytes);
    encode_integrity_record(*record, 3, again);
    AOE_CHECK(decode_integrity_record(again, 3) == *record, "a record comes back");
  }
  if (const auto header = decode_integrity_header(block)) {
    AOE_CHECK(*decode_integrity_header(encode_integrity_header(*header)) == *header,
              "a header comes back");
  }
}

void check_records(ConstByteSpan bytes) {
  if (const auto record = targetd::SnapshotRecord::decode(bytes)) {
    AOE_CHECK(targetd::SnapshotRecord::decode(as_byte_span(record->encode())) == *record,
              "a record comes back");
  }
  if (const auto record = targetd::FreezeRecord::decode(bytes)) {
    AOE_CHECK(targetd::FreezeRecord::decode(as_byte_span(record->encode())) == *record,
              "a record comes back");
  }
}

}  // namespace
}  // namespace aoe::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace storage = aoe::storage;
  if (size == 0) {
    return 0;
  }
  const aoe::ConstByteSpan rest = std::as_bytes(std::span(data + 1, size - 1));
  const bool mend = (data[0] & storage::kMend) != 0;
  switch (data[0] & 3U) {
    case 0:
    case 1:
      storage::check_layer(rest, mend);
      break;
    case 2:
      storage::check_sums(rest, mend);
      break;
    default:
      storage::check_records(rest);
      break;
  }
  return 0;
}
