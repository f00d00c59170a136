// EFI labels (GPT): headers and entries, as bytes and as values.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "compat/labels/disk.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aoe::labels {

// In the order in which it is printed; on disk the first three groups are little-endian.
struct Guid {
  std::array<std::uint8_t, 16> octets{};

  [[nodiscard]] bool is_nil() const { return *this == Guid{}; }

  friend bool operator==(const Guid&, const Guid&) = default;
};

// "6a945a3b-1dd2-11b2-99a6-080020736631"
[[nodiscard]] std::string to_string(const Guid& guid);

// A random one (version 4) of 128 random bits.
[[nodiscard]] Guid make_random_guid(std::uint64_t high, std::uint64_t low);

inline constexpr std::uint32_t kGptEntryBytes = 128;
inline constexpr std::uint32_t kGptEntries = 128;  // Solaris itself writes 9, and reads up to 128
inline constexpr std::uint32_t kGptEntrySectors = kGptEntries * kGptEntryBytes / kSectorBytes;
inline constexpr std::uint64_t kGptPrimaryLba = 1;
inline constexpr std::uint64_t kGptFirstUsable = 2 + kGptEntrySectors;
// Protective table, both headers with entries, and one sector for data.
inline constexpr std::uint64_t kGptDiskSectorsMin = 2 * kGptFirstUsable;

struct GptHeader {
  std::uint64_t my_lba = 0;
  std::uint64_t alternate_lba = 0;
  std::uint64_t first_usable = 0;
  std::uint64_t last_usable = 0;
  Guid disk_guid;
  std::uint64_t entries_lba = 0;
  std::uint32_t entry_count = 0;
  std::uint32_t entries_crc = 0;

  friend bool operator==(const GptHeader&, const GptHeader&) = default;
};

struct GptEntry {
  Guid type;  // nil: not used
  Guid unique;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive
  std::uint64_t attributes = 0;
  std::string name;  // ASCII; what is not becomes '?'

  [[nodiscard]] bool is_used() const { return !type.is_nil(); }

  friend bool operator==(const GptEntry&, const GptEntry&) = default;
};

// Whether the sector starts as a header does, right or wrong.
[[nodiscard]] bool has_gpt_signature(ConstByteSpan sector);

// A header that was read from `lba` of a disk of that size. Only what is consistent comes back: its
// checksum, revision, sizes and place are right, its entries are 1 to 1024 of 128 bytes (what lies
// on the disk, and not on a header), and the usable sectors are on the disk. Errors: corrupt, what
// is wrong in words ("wrong checksum ..").
[[nodiscard]] Result<GptHeader> decode_gpt_header(ConstByteSpan sector, std::uint64_t lba,
                                                  std::uint64_t disk_sectors);

// With its checksum.
[[nodiscard]] Sector encode_gpt_header(const GptHeader& header);

// `bytes` are entry_count * 128 of them. Nothing of the entries is checked.
[[nodiscard]] std::vector<GptEntry> decode_gpt_entries(ConstByteSpan bytes);
// All kGptEntries; `entries` are the first.
[[nodiscard]] std::vector<std::byte> encode_gpt_entries(std::span<const GptEntry> entries);

// The sectors of the entries of a header.
[[nodiscard]] std::uint64_t entry_sectors(const GptHeader& header);

}  // namespace aoe::labels
