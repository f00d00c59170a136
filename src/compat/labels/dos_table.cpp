#include "compat/labels/dos_table.h"

#include <algorithm>

namespace aoe::labels {
namespace {

constexpr std::size_t kEntriesAt = 446;
constexpr std::size_t kEntryBytes = 16;
constexpr std::size_t kSignatureAt = 510;
constexpr std::uint16_t kSignature = 0xAA55;  // little-endian
constexpr std::uint8_t kActive = 0x80;

// Head, sector and cylinder of an LBA; FE FF FF where ten bits of cylinder are too few.
void store_chs(ByteSpan bytes, std::size_t at, std::uint64_t lba) {
  constexpr std::uint32_t kHeads = 255;
  constexpr std::uint32_t kTrack = 63;
  constexpr std::uint64_t kCylindersMax = 1023;
  const std::uint64_t cylinder = lba / (kHeads * kTrack);
  if (cylinder > kCylindersMax) {
    store_u8(bytes, at, 0xFE);
    store_u8(bytes, at + 1, 0xFF);
    store_u8(bytes, at + 2, 0xFF);
    return;
  }
  store_u8(bytes, at, static_cast<std::uint8_t>(lba / kTrack % kHeads));
  store_u8(bytes, at + 1, static_cast<std::uint8_t>((lba % kTrack + 1) | (cylinder >> 2U & 0xC0U)));
  store_u8(bytes, at + 2, static_cast<std::uint8_t>(cylinder & 0xFFU));
}

}  // namespace

std::optional<DosTable> decode_dos_table(ConstByteSpan sector) {
  if (load_le16(sector, kSignatureAt) != kSignature) {
    return std::nullopt;
  }
  DosTable table;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const ConstByteSpan entry = sector.subspan(kEntriesAt + i * kEntryBytes, kEntryBytes);
    table[i] = {load_u8(entry, 4), load_u8(entry, 0) == kActive, load_le32(entry, 8),
                load_le32(entry, 12)};
  }
  return table;
}

void clear_dos_table(ByteSpan sector) {
  fill_zero(sector.subspan(kEntriesAt));
}

void encode_dos_table(const DosTable& table, ByteSpan sector) {
  clear_dos_table(sector);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const DosEntry& entry = table[i];
    if (!entry.is_used()) {
      continue;
    }
    const ByteSpan bytes = sector.subspan(kEntriesAt + i * kEntryBytes, kEntryBytes);
    store_u8(bytes, 0, entry.is_active ? kActive : std::uint8_t{0});
    store_chs(bytes, 1, entry.start);
    store_u8(bytes, 4, entry.type);
    store_chs(bytes, 5, std::uint64_t{entry.start} + entry.sectors - 1);
    store_le32(bytes, 8, entry.start);
    store_le32(bytes, 12, entry.sectors);
  }
  store_le16(sector, kSignatureAt, kSignature);
}

void encode_protective_table(std::uint64_t disk_sectors, ByteSpan sector) {
  clear_dos_table(sector);
  const ByteSpan bytes = sector.subspan(kEntriesAt, kEntryBytes);
  constexpr std::array<std::uint8_t, 8> kHead{0x00,           0x00, 0x02, 0x00,
                                              kDosProtective, 0xFF, 0xFF, 0xFF};
  for (std::size_t i = 0; i < kHead.size(); ++i) {
    store_u8(bytes, i, kHead[i]);
  }
  store_le32(bytes, 8, 1);
  store_le32(bytes, 12,
             static_cast<std::uint32_t>(std::min<std::uint64_t>(disk_sectors - 1, 0xFFFFFFFFU)));
  store_le16(sector, kSignatureAt, kSignature);
}

}  // namespace aoe::labels
