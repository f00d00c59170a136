// IDENTIFY DEVICE: the 512 bytes by which a disk describes itself (ATA8-ACS 7.16, ACS-2 7.12).
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

#include <cstdint>
#include <string>

namespace aoe::protocol {

// A disk as IDENTIFY shows it. The target fills one in and builds; the initiator parses one.
struct IdentifyModel {
  std::string serial{};                       // at most 20 printable ASCII characters
  std::string firmware{};                     // at most 8
  std::string model{};                        // at most 40
  std::uint64_t sector_count = 0;             // 512-byte sectors, < 2^48
  std::uint64_t world_wide_name = 0;          // 0 = none; words 108-111
  std::uint32_t physical_sector_bytes = 512;  // power of two, 512..64 KiB
  std::uint16_t rotation_rate = 0;            // 0 unknown, 1 solid state, else rpm (word 217)
  std::uint16_t trim_blocks_max = 0;          // word 105; 512-byte blocks of ranges in one request
  bool has_trim = false;
  bool trim_reads_zero = false;
  bool has_write_cache = false;      // volatile cache that FLUSH empties: supported
  bool write_cache_enabled = false;  // and switched on now
  bool has_flush = true;
  bool has_fua = false;
  bool has_smart = false;
  bool smart_enabled = false;
  bool has_self_test = false;
  bool has_lba48 = true;
  std::uint8_t multiple_sectors_max = 0;  // largest block of READ/WRITE MULTIPLE, 0 = none
  std::uint8_t multiple_sectors = 0;      // the block set by SET MULTIPLE MODE, 0 = none
  friend bool operator==(const IdentifyModel&, const IdentifyModel&) = default;
};

inline constexpr std::size_t kIdentifyBytes = 512;

// Fills all 512 bytes of `sector`, with a valid checksum in word 255. Strings are cut to their
// fields; characters that are not printable ASCII become '?'.
void build_identify(ByteSpan sector, const IdentifyModel& model);

enum class IdentifyChecksum : std::uint8_t { absent, valid, invalid };

struct IdentifyView {
  IdentifyModel model{};
  IdentifyChecksum checksum = IdentifyChecksum::absent;
  // Words 117-118. AoE counts in sectors of 512 bytes whatever it says, so a disk with any other
  // size cannot be used (Linux's driver and iPXE assume 512 too).
  std::uint64_t logical_sector_bytes = kSectorBytes;
};

// Reads any 512 bytes. What a peer leaves out reads as "cannot". Strings come without the padding,
// and unprintable characters as '?'; a sector count beyond 48 (or 28) bits reads as 2^48 - 1 (2^28
// - 1). has_lba48 follows the Linux driver: word 83 or 86, bit 10.
[[nodiscard]] IdentifyView parse_identify(ConstByteSpan sector);

}  // namespace aoe::protocol
