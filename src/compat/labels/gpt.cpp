#include "compat/labels/gpt.h"

#include "compat/labels/crc32.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace aoe::labels {
namespace {

constexpr std::string_view kSignature = "EFI PART";
constexpr std::uint32_t kRevision = 0x00010000;
constexpr std::uint32_t kHeaderBytes = 92;
constexpr std::uint32_t kEntryCountMax = 1024;  // ours to choose: 128 KiB to read
constexpr std::size_t kCrcAt = 16;
constexpr std::size_t kNameAt = 56;
constexpr std::size_t kNameUnits = 36;

// Where on disk octet i of the printed order stands.
constexpr std::array<std::uint8_t, 16> kGuidOrder{3, 2, 1,  0,  5,  4,  7,  6,
                                                  8, 9, 10, 11, 12, 13, 14, 15};

Guid load_guid(ConstByteSpan bytes, std::size_t at) {
  Guid guid;
  for (std::size_t i = 0; i < guid.octets.size(); ++i) {
    guid.octets[i] = load_u8(bytes, at + kGuidOrder[i]);
  }
  return guid;
}

void store_guid(ByteSpan bytes, std::size_t at, const Guid& guid) {
  for (std::size_t i = 0; i < guid.octets.size(); ++i) {
    store_u8(bytes, at + kGuidOrder[i], guid.octets[i]);
  }
}

std::uint32_t header_crc(ConstByteSpan sector, std::uint32_t header_bytes) {
  constexpr std::array<std::byte, 4> kZero{};
  std::uint32_t crc = crc32(sector.first(kCrcAt));
  crc = crc32(kZero, crc);
  return crc32(sector.subspan(kCrcAt + kZero.size(), header_bytes - kCrcAt - kZero.size()), crc);
}

auto wrong(std::string what) {
  return fail_with(Errc::corrupt, 0, std::move(what));
}

std::string load_name(ConstByteSpan entry) {
  std::string name;
  for (std::size_t i = 0; i < kNameUnits; ++i) {
    const std::uint16_t unit = load_le16(entry, kNameAt + 2 * i);
    if (unit == 0) {
      break;
    }
    name += unit >= 0x20 && unit < 0x7F ? static_cast<char>(unit) : '?';
  }
  return name;
}

}  // namespace

std::string to_string(const Guid& guid) {
  std::string text;
  for (std::size_t i = 0; i < guid.octets.size(); ++i) {
    text +=
        fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", guid.octets[i]);
  }
  return text;
}

Guid make_random_guid(std::uint64_t high, std::uint64_t low) {
  Guid guid;
  std::array<std::byte, 16> bytes{};
  store_be64(bytes, 0, high);
  store_be64(bytes, 8, low);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    guid.octets[i] = load_u8(bytes, i);
  }
  guid.octets[6] = static_cast<std::uint8_t>((guid.octets[6] & 0x0FU) | 0x40U);
  guid.octets[8] = static_cast<std::uint8_t>((guid.octets[8] & 0x3FU) | 0x80U);
  return guid;
}

bool has_gpt_signature(ConstByteSpan sector) {
  return equal_bytes(sector.first(kSignature.size()), as_byte_span(kSignature));
}

std::uint64_t entry_sectors(const GptHeader& header) {
  return (std::uint64_t{header.entry_count} * kGptEntryBytes + kSectorBytes - 1) / kSectorBytes;
}

Result<GptHeader> decode_gpt_header(ConstByteSpan sector, std::uint64_t lba,
                                    std::uint64_t disk_sectors) {
  if (!has_gpt_signature(sector)) {
    return wrong("no signature");
  }
  const std::uint32_t header_bytes = load_le32(sector, 12);
  if (load_le32(sector, 8) != kRevision || header_bytes < kHeaderBytes ||
      header_bytes > kSectorBytes) {
    return wrong(
        fmt::format("revision {:08x}h with a header of {} bytes (expected {:08x}h, {}..{})",
                    load_le32(sector, 8), header_bytes, kRevision, kHeaderBytes, kSectorBytes));
  }
  const std::uint32_t stored = load_le32(sector, kCrcAt);
  const std::uint32_t computed = header_crc(sector, header_bytes);
  if (stored != computed) {
    return wrong(fmt::format("wrong checksum ({:08x}h, computed {:08x}h)", stored, computed));
  }
  GptHeader header;
  header.my_lba = load_le64(sector, 24);
  header.alternate_lba = load_le64(sector, 32);
  header.first_usable = load_le64(sector, 40);
  header.last_usable = load_le64(sector, 48);
  header.disk_guid = load_guid(sector, 56);
  header.entries_lba = load_le64(sector, 72);
  header.entry_count = load_le32(sector, 80);
  header.entries_crc = load_le32(sector, 88);
  if (header.my_lba != lba) {
    return wrong(fmt::format("says that it is at sector {}", header.my_lba));
  }
  if (load_le32(sector, 84) != kGptEntryBytes || header.entry_count == 0 ||
      header.entry_count > kEntryCountMax) {
    return wrong(fmt::format("{} entries of {} bytes (expected 1..{} of {})", header.entry_count,
                             load_le32(sector, 84), kEntryCountMax, kGptEntryBytes));
  }
  // Compared without sums of what the disk says: those could wrap.
  const std::uint64_t array = entry_sectors(header);
  if (header.entries_lba < 2 || header.entries_lba >= disk_sectors ||
      disk_sectors - header.entries_lba < array ||
      (lba >= header.entries_lba && lba - header.entries_lba < array)) {
    return wrong(fmt::format("its entries at sector {} are not on the disk of {} sectors",
                             header.entries_lba, disk_sectors));
  }
  if (header.first_usable < 2 || header.first_usable > header.last_usable ||
      header.last_usable >= disk_sectors) {
    return wrong(fmt::format("usable sectors {} to {} on a disk of {}", header.first_usable,
                             header.last_usable, disk_sectors));
  }
  return header;
}

Sector encode_gpt_header(const GptHeader& header) {
  Sector sector{};
  copy_bytes(sector, as_byte_span(kSignature));
  store_le32(sector, 8, kRevision);
  store_le32(sector, 12, kHeaderBytes);
  store_le64(sector, 24, header.my_lba);
  store_le64(sector, 32, header.alternate_lba);
  store_le64(sector, 40, header.first_usable);
  store_le64(sector, 48, header.last_usable);
  store_guid(sector, 56, header.disk_guid);
  store_le64(sector, 72, header.entries_lba);
  store_le32(sector, 80, header.entry_count);
  store_le32(sector, 84, kGptEntryBytes);
  store_le32(sector, 88, header.entries_crc);
  store_le32(sector, kCrcAt, header_crc(sector, kHeaderBytes));
  return sector;
}

std::vector<GptEntry> decode_gpt_entries(ConstByteSpan bytes) {
  std::vector<GptEntry> entries;
  entries.reserve(bytes.size() / kGptEntryBytes);
  for (std::size_t at = 0; at + kGptEntryBytes <= bytes.size(); at += kGptEntryBytes) {
    const ConstByteSpan entry = bytes.subspan(at, kGptEntryBytes);
    entries.push_back({load_guid(entry, 0), load_guid(entry, 16), load_le64(entry, 32),
                       load_le64(entry, 40), load_le64(entry, 48), load_name(entry)});
  }
  return entries;
}

std::vector<std::byte> encode_gpt_entries(std::span<const GptEntry> entries) {
  std::vector<std::byte> bytes(std::size_t{kGptEntries} * kGptEntryBytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const GptEntry& from = entries[i];
    const ByteSpan entry = ByteSpan(bytes).subspan(i * kGptEntryBytes, kGptEntryBytes);
    store_guid(entry, 0, from.type);
    store_guid(entry, 16, from.unique);
    store_le64(entry, 32, from.first);
    store_le64(entry, 40, from.last);
    store_le64(entry, 48, from.attributes);
    for (std::size_t unit = 0; unit < std::min(from.name.size(), kNameUnits); ++unit) {
      store_le16(entry, kNameAt + 2 * unit, static_cast<std::uint8_t>(from.name[unit]));
    }
  }
  return bytes;
}

}  // namespace aoe::labels
