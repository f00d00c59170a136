// Checksums at rest on disk: a record for every 56 sectors of a store. Pure: bytes in, values out.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace aoe::storage {

// One sparse file (docs/VOLUMES.md), numbers little-endian:
//
//     0      header, 512 bytes
//     4096   records of 512 bytes, number i for the sectors from i * 56 on
//
// A record has two CRC-32C a sector: of what it has, and of what it is about to have, which is
// there before the data changes. After an interruption either is right.
inline constexpr std::uint64_t kIntegrityRecordsAtBytes = 4096;
inline constexpr std::size_t kIntegrityRecordBytes = 512;
inline constexpr std::uint64_t kSectorsPerRecord = 56;  // 7 blocks of 4 KiB

// What a sum says of a sector whose content nobody has summed up: nothing.
inline constexpr std::uint32_t kSumUnknown = 0;

// Of a sector; never kSumUnknown.
[[nodiscard]] std::uint32_t sector_sum(ConstByteSpan sector);
// Of a sector of zeros.
[[nodiscard]] std::uint32_t zero_sector_sum();

struct IntegrityRecord {
  struct Sums {
    std::uint32_t now = kSumUnknown;
    std::uint32_t next = kSumUnknown;  // unknown: nothing is under way
    friend bool operator==(const Sums&, const Sums&) = default;
  };

  std::array<Sums, kSectorsPerRecord> sectors{};

  // Whether a sector with this sum is as it was written, as far as anybody can tell.
  [[nodiscard]] bool accepts(std::size_t sector, std::uint32_t sum) const {
    const Sums& sums = sectors[sector];
    return sums.now == kSumUnknown || sums.now == sum ||
           (sums.next != kSumUnknown && sums.next == sum);
  }

  friend bool operator==(const IntegrityRecord&, const IntegrityRecord&) = default;
};

// `bytes`: kIntegrityRecordBytes. `index`: where it stands.
void encode_integrity_record(const IntegrityRecord& record, std::uint64_t index, ByteSpan bytes);
// Nothing for one that is damaged, or of another place. A hole is a record that knows nothing.
[[nodiscard]] std::optional<IntegrityRecord> decode_integrity_record(ConstByteSpan bytes,
                                                                     std::uint64_t index);

struct IntegrityHeader {
  std::uint64_t name_hash = 0;         // of the store and its window
  std::uint64_t capacity_sectors = 0;  // as far as the file has room for records
  std::uint64_t created_unix_seconds = 0;
  friend bool operator==(const IntegrityHeader&, const IntegrityHeader&) = default;
};

[[nodiscard]] std::array<std::byte, kSectorBytes> encode_integrity_header(
    const IntegrityHeader& header);
// corrupt: no header, damaged, or of a version that this program does not know.
[[nodiscard]] Result<IntegrityHeader> decode_integrity_header(ConstByteSpan bytes);

[[nodiscard]] constexpr std::uint64_t integrity_file_bytes(std::uint64_t capacity_sectors) {
  return kIntegrityRecordsAtBytes +
         (capacity_sectors + kSectorsPerRecord - 1) / kSectorsPerRecord * kIntegrityRecordBytes;
}

}  // namespace aoe::storage
