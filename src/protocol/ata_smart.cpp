#include "protocol/ata_smart.h"

#include <algorithm>

namespace aoe::protocol {
namespace {

constexpr std::size_t kTableOffset = 2;
constexpr std::size_t kTableEntryBytes = 12;
constexpr std::size_t kErrorCountOffset = 452;
constexpr std::size_t kSelfTestOffset = 2;
constexpr std::size_t kSelfTestEntryBytes = 24;
constexpr std::size_t kSelfTestIndexOffset = 508;
// "Revision" words and bytes: 16 is what drives write into attribute tables, 1 into logs.
constexpr std::uint16_t kTableRevision = 16;
constexpr std::uint8_t kLogRevision = 1;
// A normalised value that never approaches any threshold.
constexpr std::uint8_t kNormalisedGood = 100;

// The attributes we report, and where their numbers live.
struct KnownAttribute {
  SmartAttributeId id;
  const char* name;
  std::uint64_t SmartData::*counter;
};

constexpr auto kKnown = std::to_array<KnownAttribute>({
    {SmartAttributeId::power_on_hours, "power-on hours", &SmartData::power_on_hours},
    {SmartAttributeId::power_cycles, "power cycles", &SmartData::power_cycles},
    {SmartAttributeId::write_errors, "write errors", &SmartData::write_errors},
    {SmartAttributeId::reported_uncorrectable, "reported uncorrectable", &SmartData::read_errors},
    {SmartAttributeId::crc_errors, "interface CRC errors", &SmartData::crc_errors},
    {SmartAttributeId::sectors_written, "sectors written", &SmartData::sectors_written},
    {SmartAttributeId::sectors_read, "sectors read", &SmartData::sectors_read},
});

struct NamedAttribute {
  std::uint8_t id;
  const char* name;
};

// Others that real drives behind an AoE target send.
constexpr auto kNames = std::to_array<NamedAttribute>({
    {1, "raw read error rate"},
    {3, "spin-up time"},
    {4, "start/stop count"},
    {5, "reallocated sectors"},
    {7, "seek error rate"},
    {10, "spin retries"},
    {177, "wear leveling"},
    {190, "airflow temperature"},
    {192, "power-off retracts"},
    {193, "load cycles"},
    {194, "temperature"},
    {196, "reallocation events"},
    {197, "pending sectors"},
    {198, "offline uncorrectable"},
});

std::uint8_t sum_bytes(ConstByteSpan sector) {
  std::uint8_t sum = 0;
  for (const std::byte b : sector.first(kSmartSectorBytes)) {
    sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(b));
  }
  return sum;
}

void seal(ByteSpan sector) {
  store_u8(sector, 511, 0);
  store_u8(sector, 511, static_cast<std::uint8_t>(0U - sum_bytes(sector)));
}

void store_le48(ByteSpan bytes, std::size_t at, std::uint64_t value) {
  const std::uint64_t capped = std::min(value, kSmartRawLimit - 1);
  store_le32(bytes, at, static_cast<std::uint32_t>(capped & 0xFFFFFFFFU));
  store_le16(bytes, at + 4, static_cast<std::uint16_t>(capped >> 32U));
}

std::uint64_t load_le48(ConstByteSpan bytes, std::size_t at) {
  return std::uint64_t{load_le16(bytes, at + 4)} << 32U | load_le32(bytes, at);
}

void fill_self_tests(ByteSpan sector, std::span<const SmartSelfTest> tests) {
  const std::size_t count = std::min(tests.size(), kSmartSelfTestCountMax);
  for (std::size_t i = 0; i < count; ++i) {
    const ByteSpan entry =
        sector.subspan(kSelfTestOffset + i * kSelfTestEntryBytes, kSelfTestEntryBytes);
    store_u8(entry, 0, tests[i].kind);
    store_u8(entry, 1, tests[i].status);
    store_le16(entry, 2, tests[i].hours);
    store_le32(
        entry, 5,
        static_cast<std::uint32_t>(std::min<std::uint64_t>(tests[i].failing_lba, kSmartNoLba)));
  }
  store_u8(sector, kSelfTestIndexOffset, static_cast<std::uint8_t>(count));
}

}  // namespace

void build_smart_data(ByteSpan sector, const SmartData& data) {
  sector = sector.first(kSmartSectorBytes);
  fill_zero(sector);
  store_le16(sector, 0, kTableRevision);
  std::size_t at = kTableOffset;
  for (const KnownAttribute& known : kKnown) {
    store_u8(sector, at, static_cast<std::uint8_t>(known.id));
    store_le16(sector, at + 1, kSmartAttributeFlags);
    store_u8(sector, at + 3, kNormalisedGood);
    store_u8(sector, at + 4, kNormalisedGood);
    store_le48(sector, at + 5, data.*known.counter);
    at += kTableEntryBytes;
  }
  store_u8(sector, 362, data.offline_status);
  store_u8(sector, 363, data.self_test_status);
  store_le16(sector, 364, data.offline_seconds);
  store_u8(sector, 367, data.offline_capability);
  store_le16(sector, 368, data.capability);
  store_u8(sector, 370, data.error_log_capability);
  store_u8(sector, 372, data.short_test_minutes);
  // More than a byte can say stands behind it (ATA8-ACS 7.52.6.8).
  constexpr std::uint16_t kLongTest = 0xFF;
  store_u8(sector, 373, static_cast<std::uint8_t>(std::min(data.extended_test_minutes, kLongTest)));
  if (data.extended_test_minutes >= kLongTest) {
    store_le16(sector, 375, data.extended_test_minutes);
  }
  seal(sector);
}

void build_smart_thresholds(ByteSpan sector) {
  sector = sector.first(kSmartSectorBytes);
  fill_zero(sector);
  store_le16(sector, 0, kTableRevision);
  std::size_t at = kTableOffset;
  for (const KnownAttribute& known : kKnown) {
    store_u8(sector, at, static_cast<std::uint8_t>(known.id));
    at += kTableEntryBytes;
  }
  seal(sector);
}

std::optional<SmartAttribute> SmartView::find(SmartAttributeId id) const {
  for (std::size_t i = 0; i < attribute_count; ++i) {
    if (attributes[i].id == static_cast<std::uint8_t>(id)) {
      return attributes[i];
    }
  }
  return std::nullopt;
}

SmartView parse_smart_data(ConstByteSpan sector) {
  sector = sector.first(kSmartSectorBytes);
  SmartView view;
  for (std::size_t i = 0; i < kSmartAttributeCountMax; ++i) {
    const std::size_t at = kTableOffset + i * kTableEntryBytes;
    const std::uint8_t id = load_u8(sector, at);
    if (id == 0) {
      continue;
    }
    view.attributes[view.attribute_count] = {
        .id = id,
        .flags = load_le16(sector, at + 1),
        .current = load_u8(sector, at + 3),
        .worst = load_u8(sector, at + 4),
        .raw = load_le48(sector, at + 5),
    };
    ++view.attribute_count;
  }
  for (const KnownAttribute& known : kKnown) {
    if (const auto attribute = view.find(known.id)) {
      view.data.*known.counter = attribute->raw;
    }
  }
  view.data.offline_status = load_u8(sector, 362);
  view.data.self_test_status = load_u8(sector, 363);
  view.data.offline_seconds = load_le16(sector, 364);
  view.data.offline_capability = load_u8(sector, 367);
  view.data.capability = load_le16(sector, 368);
  view.data.error_log_capability = load_u8(sector, 370);
  view.data.short_test_minutes = load_u8(sector, 372);
  view.data.extended_test_minutes = load_u8(sector, 373);
  if (view.data.extended_test_minutes == 0xFF) {
    view.data.extended_test_minutes = load_le16(sector, 375);
  }
  view.checksum = sum_bytes(sector) == 0 ? SmartChecksum::valid : SmartChecksum::invalid;
  return view;
}

const char* smart_attribute_name(std::uint8_t id) {
  for (const KnownAttribute& known : kKnown) {
    if (static_cast<std::uint8_t>(known.id) == id) {
      return known.name;
    }
  }
  for (const NamedAttribute& named : kNames) {
    if (named.id == id) {
      return named.name;
    }
  }
  return "";
}

std::size_t smart_log_sectors(std::uint8_t log_address) {
  switch (static_cast<SmartLog>(log_address)) {
    case SmartLog::directory:
    case SmartLog::summary_error:
    case SmartLog::self_test:
      return 1;
  }
  return 0;
}

SmartLogResult build_smart_log(ByteSpan sectors, std::uint8_t log_address,
                               const SmartLogContent& content) {
  const std::size_t log_bytes = smart_log_sectors(log_address) * kSmartSectorBytes;
  if (sectors.size() < kSmartSectorBytes || sectors.size() > log_bytes) {
    return SmartLogResult::no_such_log;
  }
  fill_zero(sectors);
  switch (static_cast<SmartLog>(log_address)) {
    case SmartLog::directory:
      // The only log without a checksum: word 0 is the version, word n the length of log n.
      store_le16(sectors, 0, kLogRevision);
      for (unsigned log = 1; log <= 0xFF; ++log) {
        store_u8(sectors, log * std::size_t{2},
                 static_cast<std::uint8_t>(smart_log_sectors(static_cast<std::uint8_t>(log))));
      }
      break;
    case SmartLog::summary_error:
      // An index of 0 in byte 1 says that no error is recorded.
      store_u8(sectors, 0, kLogRevision);
      store_le16(sectors, kErrorCountOffset,
                 static_cast<std::uint16_t>(std::min<std::uint64_t>(content.error_count, 0xFFFF)));
      seal(sectors);
      break;
    case SmartLog::self_test:
      store_le16(sectors, 0, kLogRevision);
      fill_self_tests(sectors, content.self_tests);
      seal(sectors);
      break;
  }
  return SmartLogResult::built;
}

std::uint8_t smart_directory_sectors(ConstByteSpan sector, std::uint8_t log_address) {
  sector = sector.first(kSmartSectorBytes);
  // Word 0 is the version; the directory itself is always one sector.
  return log_address == 0 ? std::uint8_t{1} : load_u8(sector, log_address * std::size_t{2});
}

std::uint16_t smart_error_log_count(ConstByteSpan sector) {
  return load_le16(sector.first(kSmartSectorBytes), kErrorCountOffset);
}

std::optional<SmartSelfTest> smart_self_test(ConstByteSpan sector, std::size_t index) {
  sector = sector.first(kSmartSectorBytes);
  // Byte 508 is the number, from 1, of the most recent entry of a ring of 21; 0 = none.
  const std::size_t newest = load_u8(sector, kSelfTestIndexOffset);
  if (newest == 0 || newest > kSmartSelfTestCountMax || index >= kSmartSelfTestCountMax) {
    return std::nullopt;
  }
  const std::size_t slot = (newest - 1 + kSmartSelfTestCountMax - index) % kSmartSelfTestCountMax;
  const ConstByteSpan entry =
      sector.subspan(kSelfTestOffset + slot * kSelfTestEntryBytes, kSelfTestEntryBytes);
  if (std::all_of(entry.begin(), entry.end(), [](std::byte b) { return b == std::byte{0}; })) {
    return std::nullopt;
  }
  return SmartSelfTest{
      .kind = load_u8(entry, 0),
      .status = load_u8(entry, 1),
      .hours = load_le16(entry, 2),
      .failing_lba = load_le32(entry, 5),
  };
}

}  // namespace aoe::protocol
