#include "storage/integrity_format.h"

#include "base/crc32c.h"

#include <algorithm>
#include <string_view>

namespace aoe::storage {

namespace {

constexpr std::string_view kMagic = "AOEINTEG";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kHeaderCrcAt = kSectorBytes - 4;
constexpr std::uint32_t kRecordMagic = 0x4D555341;  // "ASUM"
constexpr std::size_t kRecordCrcAt = 4;
constexpr std::size_t kRecordSumsAt = 64;
static_assert(kRecordSumsAt + kSectorsPerRecord * 8 == kIntegrityRecordBytes);

std::uint32_t record_crc(ConstByteSpan bytes) {
  return crc32c(bytes.subspan(kRecordCrcAt + 4), crc32c(bytes.first(kRecordCrcAt)));
}

}  // namespace

std::uint32_t sector_sum(ConstByteSpan sector) {
  const std::uint32_t sum = crc32c(sector);
  return sum == kSumUnknown ? 1 : sum;
}

std::uint32_t zero_sector_sum() {
  static const std::uint32_t sum = sector_sum(std::array<std::byte, kSectorBytes>{});
  return sum;
}

void encode_integrity_record(const IntegrityRecord& record, std::uint64_t index, ByteSpan bytes) {
  fill_zero(bytes);
  store_le32(bytes, 0, kRecordMagic);
  store_le64(bytes, 8, index);
  for (std::size_t i = 0; i < kSectorsPerRecord; ++i) {
    store_le32(bytes, kRecordSumsAt + i * 8, record.sectors[i].now);
    store_le32(bytes, kRecordSumsAt + i * 8 + 4, record.sectors[i].next);
  }
  store_le32(bytes, kRecordCrcAt, record_crc(bytes));
}

std::optional<IntegrityRecord> decode_integrity_record(ConstByteSpan bytes, std::uint64_t index) {
  IntegrityRecord record;
  if (load_le32(bytes, 0) == 0 &&
      std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; })) {
    return record;
  }
  if (load_le32(bytes, 0) != kRecordMagic || load_le64(bytes, 8) != index ||
      load_le32(bytes, kRecordCrcAt) != record_crc(bytes)) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < kSectorsPerRecord; ++i) {
    record.sectors[i] = {.now = load_le32(bytes, kRecordSumsAt + i * 8),
                         .next = load_le32(bytes, kRecordSumsAt + i * 8 + 4)};
  }
  return record;
}

std::array<std::byte, kSectorBytes> encode_integrity_header(const IntegrityHeader& header) {
  std::array<std::byte, kSectorBytes> bytes{};
  copy_bytes(bytes, as_byte_span(kMagic));
  store_le32(bytes, 8, kFormatVersion);
  store_le64(bytes, 16, header.name_hash);
  store_le64(bytes, 24, header.capacity_sectors);
  store_le64(bytes, 32, header.created_unix_seconds);
  store_le32(bytes, kHeaderCrcAt, crc32c(ConstByteSpan(bytes).first(kHeaderCrcAt)));
  return bytes;
}

Result<IntegrityHeader> decode_integrity_header(ConstByteSpan bytes) {
  const auto refused = [](const char* why) { return fail_with(Errc::corrupt, 0, why); };
  if (bytes.size() != kSectorBytes ||
      !equal_bytes(bytes.first(kMagic.size()), as_byte_span(kMagic))) {
    return refused("these are no checksums of ours");
  }
  if (load_le32(bytes, kHeaderCrcAt) != crc32c(bytes.first(kHeaderCrcAt))) {
    return refused("the header is damaged");
  }
  if (load_le32(bytes, 8) != kFormatVersion) {
    return refused("checksums of another version of this program");
  }
  IntegrityHeader header;
  header.name_hash = load_le64(bytes, 16);
  header.capacity_sectors = load_le64(bytes, 24);
  header.created_unix_seconds = load_le64(bytes, 32);
  if (header.capacity_sectors == 0 || header.capacity_sectors > kLbaLimit) {
    return refused("the header holds values that no program of ours writes");
  }
  return header;
}

}  // namespace aoe::storage
