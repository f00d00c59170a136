// The ranges of DATA SET MANAGEMENT with TRIM (ATA8-ACS 7.10, ACS-2 7.5).
//
// The data of the command is blocks of 512 bytes with 64 entries each. An entry is a little-endian
// 64-bit number: bits 47:0 are the first sector, bits 63:48 how many sectors; a count of 0 means
// "skip this entry". Entries need no order and may overlap.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "protocol/aoe_frame.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::protocol {

inline constexpr std::size_t kTrimEntryBytes = 8;
inline constexpr std::size_t kTrimEntriesPerBlock = kSectorBytes / kTrimEntryBytes;
inline constexpr std::uint32_t kTrimEntrySectorsMax = 0xFFFF;
// Bit 0 of the feature register; every other bit is reserved and must be 0.
inline constexpr std::uint8_t kDataSetManagementTrim = 0x01;

struct TrimRange {
  Lba first{};                   // < 2^48
  std::uint16_t sector_count{};  // 0 = nothing to do
  friend bool operator==(const TrimRange&, const TrimRange&) = default;
};

// A view of the entries of one command; borrows the bytes.
class TrimRanges {
 public:
  TrimRanges() = default;

  // `blocks` in whole entries; a tail of fewer than 8 bytes is not looked at.
  explicit constexpr TrimRanges(ConstByteSpan blocks)
      : bytes_(blocks.first(blocks.size() / kTrimEntryBytes * kTrimEntryBytes)) {}

  // Entries, skipped ones included: 64 a block, at most 64 * 255.
  [[nodiscard]] constexpr std::size_t size() const { return bytes_.size() / kTrimEntryBytes; }

  // `index` < size(), checked.
  [[nodiscard]] constexpr TrimRange operator[](std::size_t index) const {
    const ConstByteSpan entry = bytes_.subspan(index * kTrimEntryBytes, kTrimEntryBytes);
    const std::uint64_t value = load_le64(entry, 0);
    return {.first = Lba{value & (kLbaLimit - 1)},
            .sector_count = static_cast<std::uint16_t>(value >> 48U)};
  }

  // Whether every entry that is not skipped lies below `capacity_sectors`. A target asks before it
  // touches anything, so that a refused command has discarded nothing.
  [[nodiscard]] bool all_within(std::uint64_t capacity_sectors) const;

  // Sectors named by all entries together; overlapping ones count twice.
  [[nodiscard]] std::uint64_t total_sectors() const;

 private:
  ConstByteSpan bytes_;
};

// The entries of a command whose count register says `block_count` blocks. bad_length if `data`
// (AtaFrame::data) is shorter than that; surplus bytes are padding. No block gives no entry; that a
// TRIM without blocks is to be aborted (ACS-2 7.5.3) is left to the caller.
[[nodiscard]] Result<TrimRanges, WireError> parse_trim(ConstByteSpan data,
                                                       std::uint8_t block_count);

// Writes `ranges` to the front of `blocks` and zero (skip) to the rest. `blocks` must hold them.
void build_trim(ByteSpan blocks, std::span<const TrimRange> ranges);

// Fills `blocks` with one long range, in entries of at most 65535 sectors, and the rest with zero.
// Returns how many sectors found room: `sector_count`, or what (blocks.size() / 8) entries hold.
[[nodiscard]] std::uint64_t build_trim_extent(ByteSpan blocks, Lba first,
                                              std::uint64_t sector_count);

// Blocks that hold `range_count` entries.
[[nodiscard]] constexpr std::size_t trim_blocks(std::size_t range_count) {
  return (range_count + kTrimEntriesPerBlock - 1) / kTrimEntriesPerBlock;
}

}  // namespace aoe::protocol
