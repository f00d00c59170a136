#include "protocol/ata_identify.h"

#include "base/check.h"

#include <algorithm>
#include <bit>
#include <string_view>

namespace aoe::protocol {
namespace {

constexpr std::uint16_t bit(unsigned n) {
  return static_cast<std::uint16_t>(1U << n);
}

// The translation every BIOS expects.
constexpr std::uint16_t kHeads = 16;
constexpr std::uint16_t kSectorsPerTrack = 63;
constexpr std::uint32_t kSectorsPerCylinder = std::uint32_t{kHeads} * kSectorsPerTrack;
constexpr std::uint16_t kCylindersMax = 16383;

// Where a word starts.
constexpr std::size_t at_word(std::size_t index) {
  return index * 2;
}

char printable(char c) {
  return c >= 0x20 && c < 0x7F ? c : '?';
}

// Words are little-endian, but strings put their first character in the high byte of a word, so
// neighbouring bytes swap places.
void put_string(ByteSpan sector, std::size_t word, std::size_t length, std::string_view text) {
  for (std::size_t i = 0; i < length; ++i) {
    const char c = i < text.size() ? printable(text[i]) : ' ';
    store_u8(sector, word * 2 + (i ^ 1U), static_cast<std::uint8_t>(c));
  }
}

std::string get_string(ConstByteSpan sector, std::size_t word, std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    const auto c = static_cast<char>(load_u8(sector, word * 2 + (i ^ 1U)));
    text += c == '\0' ? ' ' : printable(c);
  }
  const std::size_t last = text.find_last_not_of(' ');
  text.erase(last == std::string::npos ? 0 : last + 1);
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? std::string() : text.substr(first);
}

void put_geometry(ByteSpan sector, std::uint64_t sector_count) {
  const auto cylinders = static_cast<std::uint16_t>(
      std::min<std::uint64_t>(sector_count / kSectorsPerCylinder, kCylindersMax));
  const auto word = [&](std::size_t index, std::uint16_t value) {
    store_le16(sector, index * 2, value);
  };
  word(1, cylinders);
  word(3, kHeads);
  word(6, kSectorsPerTrack);
  word(54, cylinders);
  word(55, kHeads);
  word(56, kSectorsPerTrack);
  store_le32(sector, at_word(57), cylinders * kSectorsPerCylinder);
}

std::uint8_t sum_bytes(ConstByteSpan sector) {
  std::uint8_t sum = 0;
  for (const std::byte b : sector.first(kIdentifyBytes)) {
    sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(b));
  }
  return sum;
}

// Words 82..87: which command sets exist, and which of those are switched on.
void put_command_sets(ByteSpan sector, const IdentifyModel& m) {
  const auto flag = [](bool on, unsigned n) { return on ? bit(n) : std::uint16_t{0}; };
  const auto word = [&](std::size_t index, unsigned value) {
    store_le16(sector, index * 2, static_cast<std::uint16_t>(value));
  };
  const unsigned always_82 = bit(3) | bit(14);  // power management, NOP
  const unsigned flush = flag(m.has_flush, 12) | flag(m.has_flush && m.has_lba48, 13);
  word(82, always_82 | flag(m.has_smart, 0) | flag(m.has_write_cache, 5) | bit(10));
  word(83, bit(14) | flush | flag(m.has_lba48, 10));
  word(84, bit(14) | flag(m.has_smart, 0) | flag(m.has_self_test, 1) | flag(m.has_fua, 6) |
               flag(m.world_wide_name != 0, 8));
  word(85, always_82 | flag(m.has_smart && m.smart_enabled, 0) |
               flag(m.has_write_cache && m.write_cache_enabled, 5) | bit(10));
  word(86, flush | flag(m.has_lba48, 10));
  word(87, bit(14) | flag(m.has_smart, 0) | flag(m.has_self_test, 1) | flag(m.has_fua, 6) |
               flag(m.world_wide_name != 0, 8));
}

}  // namespace

void build_identify(ByteSpan sector, const IdentifyModel& m) {
  sector = sector.first(kIdentifyBytes);
  AOE_CHECK(std::has_single_bit(m.physical_sector_bytes) && m.physical_sector_bytes >= kSectorBytes,
            "physical sectors are powers of two of at least 512 bytes");
  fill_zero(sector);
  const auto word = [&](std::size_t index, unsigned value) {
    store_le16(sector, index * 2, static_cast<std::uint16_t>(value));
  };
  word(0, 0x0040);  // fixed ATA device
  put_geometry(sector, m.sector_count);
  put_string(sector, 10, 20, m.serial);
  put_string(sector, 23, 8, m.firmware);
  put_string(sector, 27, 40, m.model);
  word(47, 0x8000U | m.multiple_sectors_max);
  word(48, 0x4000);
  word(49, 0x2F00);  // DMA, LBA, IORDY, standard standby timers
  word(50, 0x4000);
  word(51, 0x0200);
  word(53, 0x0007);  // words 54-58, 64-70 and 88 are valid
  word(59, m.multiple_sectors == 0 ? 0U : 0x0100U | m.multiple_sectors);
  store_le32(sector, at_word(60),
             static_cast<std::uint32_t>(std::min(m.sector_count, kLba28Limit - 1)));
  word(63, 0x0007);
  word(64, 0x0003);
  for (const std::size_t cycle_time_word : {65U, 66U, 67U, 68U}) {
    word(cycle_time_word, 0x0078);
  }
  word(69, m.has_trim && m.trim_reads_zero ? bit(14) | bit(5) : 0U);
  word(80, 0x01F0);  // ATA/ATAPI-4 to ATA8-ACS
  put_command_sets(sector, m);
  word(88, 0x203F);  // Ultra DMA 0-5 supported, 5 selected: some initiators show it
  store_le64(sector, at_word(100), m.sector_count);
  word(105, m.has_trim ? m.trim_blocks_max : 0U);
  const auto exponent =
      static_cast<unsigned>(std::countr_zero(m.physical_sector_bytes / kSectorBytes));
  word(106, exponent == 0 ? 0x4000U : 0x6000U | exponent);
  if (m.world_wide_name != 0) {
    // Most significant word first (ATA8-ACS 7.16.7.50).
    for (std::size_t i = 0; i < 4; ++i) {
      word(108 + i, static_cast<unsigned>(m.world_wide_name >> (48 - 16 * i) & 0xFFFFU));
    }
  }
  word(169, m.has_trim ? bit(0) : 0U);
  word(209, 0x4000);
  word(217, m.rotation_rate);
  store_u8(sector, 510, 0xA5);
  store_u8(sector, 511, static_cast<std::uint8_t>(0U - sum_bytes(sector)));
}

IdentifyView parse_identify(ConstByteSpan sector) {
  sector = sector.first(kIdentifyBytes);
  const auto word = [&](std::size_t index) { return load_le16(sector, index * 2); };
  const auto has = [&](std::size_t index, unsigned n) { return (word(index) & bit(n)) != 0; };
  // Words 83, 84 and 87 mean something only when bits 15:14 read 01b.
  const auto valid = [&](std::size_t index) { return (word(index) >> 14U) == 1; };

  IdentifyView view;
  IdentifyModel& m = view.model;
  m.serial = get_string(sector, 10, 20);
  m.firmware = get_string(sector, 23, 8);
  m.model = get_string(sector, 27, 40);
  m.has_lba48 = has(83, 10) || has(86, 10);
  // More than the field's limit cannot be addressed, and must not overflow anybody's byte count.
  m.sector_count = m.has_lba48
                       ? std::min(load_le64(sector, at_word(100)), kLbaLimit - 1)
                       : std::min<std::uint64_t>(load_le32(sector, at_word(60)), kLba28Limit - 1);
  m.has_smart = has(82, 0);
  m.smart_enabled = m.has_smart && has(85, 0);
  m.has_self_test = m.has_smart && has(84, 1);
  m.has_write_cache = has(82, 5);
  m.write_cache_enabled = m.has_write_cache && has(85, 5);
  m.has_flush = valid(83) && (has(83, 12) || has(83, 13));
  m.has_fua = valid(84) && has(84, 6);
  m.has_trim = has(169, 0);
  m.trim_reads_zero = m.has_trim && has(69, 14) && has(69, 5);
  m.trim_blocks_max = m.has_trim ? word(105) : std::uint16_t{0};
  if (valid(106) && has(106, 13)) {
    // At most 2^15 logical sectors in a physical one fit the field; larger than 2^7 nobody makes.
    m.physical_sector_bytes = kSectorBytes << std::min(word(106) & 0xFU, 7U);
  }
  if (valid(106) && has(106, 12)) {
    view.logical_sector_bytes =
        std::uint64_t{load_le32(sector, at_word(117))} * 2;  // counted in words
  }
  m.rotation_rate = word(217);
  m.multiple_sectors_max = static_cast<std::uint8_t>(word(47) & 0xFFU);
  m.multiple_sectors = has(59, 8) ? static_cast<std::uint8_t>(word(59) & 0xFFU) : std::uint8_t{0};
  if (valid(87) && has(87, 8)) {
    for (std::size_t i = 0; i < 4; ++i) {
      m.world_wide_name = m.world_wide_name << 16U | word(108 + i);
    }
  }
  if (load_u8(sector, 510) == 0xA5) {
    view.checksum = sum_bytes(sector) == 0 ? IdentifyChecksum::valid : IdentifyChecksum::invalid;
  }
  return view;
}

}  // namespace aoe::protocol
