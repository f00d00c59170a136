// The sectors that SMART READ DATA, READ THRESHOLDS and READ LOG return (ATA8-ACS 7.52 and annex A;
// the attribute tables, which the standard leaves to vendors, as every drive since SFF-8035i lays
// them out and smartmontools reads them).
//
// An exported disk is a file or a volume, so most of what a drive reports would be invented. Only
// what the target counts itself is reported; there is no temperature, no reallocated sectors, and
// no threshold that could "fail" a disk.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace aoe::protocol {

inline constexpr std::size_t kSmartSectorBytes = kSectorBytes;
inline constexpr std::size_t kSmartAttributeCountMax = 30;

// Attribute ids with the meaning smartmontools gives them for a drive it does not know.
enum class SmartAttributeId : std::uint8_t {
  power_on_hours = 9,
  power_cycles = 12,
  write_errors = 181,  // "program fail count, total"
  reported_uncorrectable = 187,
  crc_errors = 199,  // "UDMA CRC error count": damaged on the way to the disk
  sectors_written = 241,
  sectors_read = 242,
};

// Bit 0: pre-failure (else advisory), 1: kept up to date while working, 4: counts events, 5: kept
// by the device itself.
inline constexpr std::uint16_t kSmartAttributeFlags = 0x0032;
inline constexpr std::uint64_t kSmartRawLimit = std::uint64_t{1} << 48;  // raw values have 6 bytes

// What SMART READ DATA tells. Counters above 48 bits are cut to 2^48 - 1 on the wire.
struct SmartData {
  std::uint64_t power_on_hours = 0;
  std::uint64_t power_cycles = 0;     // starts of the export
  std::uint64_t sectors_written = 0;  // of 512 bytes
  std::uint64_t sectors_read = 0;
  std::uint64_t write_errors = 0;
  std::uint64_t read_errors = 0;             // reads answered with UNC
  std::uint64_t crc_errors = 0;              // frames that arrived with a wrong checksum
  std::uint8_t offline_status = 0;           // byte 362: 00h never started, 02h done without error
  std::uint8_t self_test_status = 0;         // byte 363: 00h no error, or none was ever run
  std::uint16_t offline_seconds = 0;         // bytes 364-365
  std::uint8_t offline_capability = 0;       // byte 367: kSmartOffline*
  std::uint16_t capability = 0x0003;         // bytes 368-369: saves on power-down, autosave
  std::uint8_t error_log_capability = 0x01;  // byte 370, bit 0: error logging
  std::uint8_t short_test_minutes = 0;       // byte 372
  std::uint16_t extended_test_minutes = 0;   // byte 373, or 375-376 when that is 255
  friend bool operator==(const SmartData&, const SmartData&) = default;
};

// Bits of byte 367. Without them EXECUTE OFF-LINE IMMEDIATE is to be aborted.
inline constexpr std::uint8_t kSmartOfflineImmediate = 0x01;
inline constexpr std::uint8_t kSmartOfflineSelfTest = 0x10;

// Each fills exactly the 512 bytes at the front of `sector`, with a valid checksum in byte 511.
void build_smart_data(ByteSpan sector, const SmartData& data);
// The same attributes, every threshold 0: "never fails".
void build_smart_thresholds(ByteSpan sector);

struct SmartAttribute {
  std::uint8_t id = 0;
  std::uint16_t flags = 0;
  std::uint8_t current = 0;  // normalised, 1..253, higher is better
  std::uint8_t worst = 0;
  std::uint64_t raw = 0;  // 48 bits
  friend bool operator==(const SmartAttribute&, const SmartAttribute&) = default;
};

enum class SmartChecksum : std::uint8_t { valid, invalid };

// A data sector as any drive sends it.
struct SmartView {
  // The attributes of the table whose id is not 0, in its order; attribute_count of them count.
  std::array<SmartAttribute, kSmartAttributeCountMax> attributes{};
  std::size_t attribute_count = 0;
  // Filled from the attributes whose id we know.
  SmartData data;
  SmartChecksum checksum = SmartChecksum::invalid;

  [[nodiscard]] std::optional<SmartAttribute> find(SmartAttributeId id) const;
};

// Reads the first 512 bytes of `sector`, which must hold them; any content is fine.
[[nodiscard]] SmartView parse_smart_data(ConstByteSpan sector);

// Empty for an id without a name here.
[[nodiscard]] const char* smart_attribute_name(std::uint8_t id);

enum class SmartLog : std::uint8_t { directory = 0x00, summary_error = 0x01, self_test = 0x06 };

// Sectors of a log that exists here, 0 for one that does not.
[[nodiscard]] std::size_t smart_log_sectors(std::uint8_t log_address);

struct SmartSelfTest {
  std::uint8_t kind = 0;    // LBA 7:0 of the command that started it: 1 short, 2 extended..
  std::uint8_t status = 0;  // SmartTestStatus in (7:4), tenths left in (3:0)
  std::uint16_t hours = 0;  // power-on hours when it ended
  // 2^32 - 1: none, or beyond what the four bytes of the log can name.
  std::uint64_t failing_lba = 0;
  friend bool operator==(const SmartSelfTest&, const SmartSelfTest&) = default;
};

// Bits (7:4) of a self-test's status (ATA8-ACS 7.52.6.3).
enum class SmartTestStatus : std::uint8_t {
  passed = 0,
  aborted = 1,      // by the host
  interrupted = 2,  // by a reset, or the end of the power
  read_failed = 7,
  running = 15,
};

inline constexpr std::uint64_t kSmartNoLba = 0xFFFFFFFF;

[[nodiscard]] constexpr std::uint8_t smart_test_status(SmartTestStatus status,
                                                       std::uint8_t tenths_left) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(status) << 4U | tenths_left);
}

[[nodiscard]] constexpr SmartTestStatus smart_test_status(std::uint8_t byte) {
  return static_cast<SmartTestStatus>(byte >> 4U);
}

// LBA 7:0 of EXECUTE OFF-LINE IMMEDIATE.
enum class SmartTestKind : std::uint8_t { short_test = 1, extended_test = 2, abort = 127 };

inline constexpr std::size_t kSmartSelfTestCountMax = 21;

struct SmartLogContent {
  // How many commands ended with ERR since the export began; the entries themselves are not kept.
  // Above 65535 it stays there (ATA8-ACS A.2.4.5).
  std::uint64_t error_count = 0;
  // Oldest first; at most kSmartSelfTestCountMax, and behind those nothing is shown.
  std::span<const SmartSelfTest> self_tests{};
};

enum class SmartLogResult : std::uint8_t {
  built,
  no_such_log,  // or more sectors asked than it has: answered with ABRT (ATA8-ACS 7.52.7.3)
};

// Fills `sectors` (whole sectors, as many as the count register asks for) with the log at
// `log_address` from its start. Nothing is written unless built is returned.
[[nodiscard]] SmartLogResult build_smart_log(ByteSpan sectors, std::uint8_t log_address,
                                             const SmartLogContent& content);

// The directory's sector count for each log, from log 00h, and the number of entries of the other
// two, as `aoe smart log` shows them. Each reads the first 512 bytes of `sector`.
[[nodiscard]] std::uint8_t smart_directory_sectors(ConstByteSpan sector, std::uint8_t log_address);
[[nodiscard]] std::uint16_t smart_error_log_count(ConstByteSpan sector);

// Entry `index`, 0 = the most recent; none when fewer tests were run.
[[nodiscard]] std::optional<SmartSelfTest> smart_self_test(ConstByteSpan sector, std::size_t index);

}  // namespace aoe::protocol
