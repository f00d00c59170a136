#include "protocol/ata_smart.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace aoe::protocol {
namespace {

using Sector = std::array<std::byte, kSmartSectorBytes>;

Sector dirty_sector() {
  Sector sector;
  sector.fill(std::byte{0xEE});
  return sector;
}

unsigned byte_sum(ConstByteSpan sector) {
  unsigned sum = 0;
  for (const std::byte b : sector) {
    sum += std::to_integer<unsigned>(b);
  }
  return sum & 0xFFU;
}

SmartData sample() {
  return {.power_on_hours = 1234,
          .power_cycles = 5,
          .sectors_written = 0x1234'5678'9ABC,
          .sectors_read = 42,
          .write_errors = 1,
          .read_errors = 2,
          .crc_errors = 3,
          .offline_status = 0x02,
          .self_test_status = 0xF3,
          .offline_seconds = 600,
          .offline_capability = kSmartOfflineImmediate | kSmartOfflineSelfTest,
          .capability = 0x0003,
          .error_log_capability = 0x01,
          .short_test_minutes = 1,
          .extended_test_minutes = 9};
}

TEST(SmartData, ReadsBackWhatWasBuilt) {
  Sector sector = dirty_sector();
  build_smart_data(sector, sample());
  const SmartView view = parse_smart_data(sector);
  EXPECT_EQ(view.data, sample());
  EXPECT_EQ(view.checksum, SmartChecksum::valid);
  EXPECT_EQ(view.attribute_count, 7U);
}

TEST(SmartData, LiesWhereSmartmontoolsLooks) {
  Sector sector = dirty_sector();
  build_smart_data(sector, sample());
  EXPECT_EQ(load_u8(sector, 2), 9);  // first attribute: power-on hours
  EXPECT_EQ(load_le16(sector, 3), 0x0032);
  EXPECT_EQ(load_u8(sector, 5), 100);
  EXPECT_EQ(load_u8(sector, 6), 100);
  EXPECT_EQ(load_le32(sector, 7), 1234U);
  EXPECT_EQ(load_u8(sector, 362), 0x02);
  EXPECT_EQ(load_u8(sector, 363), 0xF3);
  EXPECT_EQ(load_le16(sector, 364), 600);
  EXPECT_EQ(load_u8(sector, 367), 0x11);
  EXPECT_EQ(load_le16(sector, 368), 3);
  EXPECT_EQ(load_u8(sector, 370), 1);
  EXPECT_EQ(load_u8(sector, 372), 1);
  EXPECT_EQ(load_u8(sector, 373), 9);
  EXPECT_EQ(byte_sum(sector), 0U);
}

TEST(SmartData, ATestOfMoreThanAByteOfMinutesIsReadBack) {
  for (const std::uint16_t minutes : std::vector<std::uint16_t>{254, 255, 256, 65535}) {
    Sector sector = dirty_sector();
    build_smart_data(sector, {.extended_test_minutes = minutes});
    EXPECT_EQ(parse_smart_data(sector).data.extended_test_minutes, minutes);
    EXPECT_EQ(load_u8(sector, 373), std::min<unsigned>(minutes, 255));
  }
}

TEST(SmartData, ClaimsNothingThatATargetCannotKnow) {
  Sector sector = dirty_sector();
  build_smart_data(sector, sample());
  const SmartView view = parse_smart_data(sector);
  for (std::size_t i = 0; i < view.attribute_count; ++i) {
    EXPECT_NE(view.attributes[i].id, 194) << "temperature";
    EXPECT_NE(view.attributes[i].id, 5) << "reallocated sectors";
  }
}

TEST(SmartData, CountersStopAtSixBytes) {
  Sector sector = dirty_sector();
  build_smart_data(sector, {.sectors_read = kSmartRawLimit + 5});
  EXPECT_EQ(parse_smart_data(sector).data.sectors_read, kSmartRawLimit - 1);
  EXPECT_EQ(parse_smart_data(sector).data.sectors_written, 0U);
}

TEST(SmartData, ADamagedSectorIsTold) {
  Sector sector = dirty_sector();
  build_smart_data(sector, sample());
  store_u8(sector, 7, 0);
  EXPECT_EQ(parse_smart_data(sector).checksum, SmartChecksum::invalid);
}

TEST(SmartData, AFullTableOfUnknownAttributesIsRead) {
  Sector sector;
  sector.fill(std::byte{0xFF});
  const SmartView view = parse_smart_data(sector);
  EXPECT_EQ(view.attribute_count, kSmartAttributeCountMax);
  EXPECT_EQ(view.attributes[29].raw, kSmartRawLimit - 1);
  EXPECT_EQ(view.data.power_on_hours, 0U);
  EXPECT_FALSE(view.find(SmartAttributeId::sectors_read));
}

TEST(SmartThresholds, NameTheSameAttributesAndNeverFail) {
  Sector data = dirty_sector();
  Sector thresholds = dirty_sector();
  build_smart_data(data, sample());
  build_smart_thresholds(thresholds);
  for (std::size_t at = 2; at < 362; at += 12) {
    EXPECT_EQ(load_u8(thresholds, at), load_u8(data, at));
    EXPECT_EQ(load_u8(thresholds, at + 1), 0);
  }
  EXPECT_EQ(byte_sum(thresholds), 0U);
}

TEST(SmartLogs, TheDirectoryListsExactlyTheLogsThereAre) {
  Sector sector = dirty_sector();
  ASSERT_EQ(build_smart_log(sector, 0x00, {}), SmartLogResult::built);
  EXPECT_EQ(load_le16(sector, 0), 1);
  for (unsigned log = 0; log <= 0xFF; ++log) {
    const auto address = static_cast<std::uint8_t>(log);
    EXPECT_EQ(smart_directory_sectors(sector, address), smart_log_sectors(address)) << log;
    EXPECT_EQ(smart_log_sectors(address), log == 0 || log == 1 || log == 6 ? 1U : 0U) << log;
  }
}

TEST(SmartLogs, TheErrorLogCountsErrorsWithoutKeepingThem) {
  Sector sector = dirty_sector();
  ASSERT_EQ(build_smart_log(sector, 0x01, {.error_count = 300}), SmartLogResult::built);
  EXPECT_EQ(load_u8(sector, 0), 1);
  EXPECT_EQ(load_u8(sector, 1), 0);
  EXPECT_EQ(load_le16(sector, 452), 300);
  EXPECT_EQ(smart_error_log_count(sector), 300);
  EXPECT_EQ(byte_sum(sector), 0U);
  ASSERT_EQ(build_smart_log(sector, 0x01, {.error_count = 1U << 20U}), SmartLogResult::built);
  EXPECT_EQ(smart_error_log_count(sector), 0xFFFF);
}

TEST(SmartLogs, TheSelfTestLogIsEmptyWhereNoneWasRun) {
  Sector sector = dirty_sector();
  ASSERT_EQ(build_smart_log(sector, 0x06, {}), SmartLogResult::built);
  EXPECT_EQ(load_le16(sector, 0), 1);
  EXPECT_EQ(load_u8(sector, 508), 0);
  EXPECT_EQ(byte_sum(sector), 0U);
  EXPECT_FALSE(smart_self_test(sector, 0));
}

TEST(SmartLogs, TheSelfTestLogReadsBackFromTheNewest) {
  Sector sector = dirty_sector();
  const std::vector<SmartSelfTest> tests{
      {0x01, 0x00, 10, kSmartNoLba}, {0x02, 0x74, 11, 0xABCDEF}, {0x02, 0x70, 12, 0x1'0000'0000}};
  ASSERT_EQ(build_smart_log(sector, 0x06, {.error_count = 0, .self_tests = tests}),
            SmartLogResult::built);
  EXPECT_EQ(byte_sum(sector), 0U);
  // Four bytes name no sector behind 2 TiB.
  EXPECT_EQ(smart_self_test(sector, 0), (SmartSelfTest{0x02, 0x70, 12, kSmartNoLba}));
  EXPECT_EQ(smart_self_test(sector, 1), tests[1]);
  EXPECT_EQ(smart_self_test(sector, 2), tests[0]);
  EXPECT_FALSE(smart_self_test(sector, 3));
  const std::vector<SmartSelfTest> full(kSmartSelfTestCountMax, tests[1]);
  ASSERT_EQ(build_smart_log(sector, 0x06, {.error_count = 0, .self_tests = full}),
            SmartLogResult::built);
  EXPECT_EQ(smart_self_test(sector, 20), tests[1]);
}

TEST(SmartLogs, UnknownLogsAndSurplusSectorsAreRefusedUntouched) {
  std::vector<std::byte> sectors(2 * kSmartSectorBytes, std::byte{0xEE});
  const auto refused = [&](std::size_t count, std::uint8_t log) {
    return build_smart_log(ByteSpan(sectors).first(count * kSmartSectorBytes), log, {}) ==
           SmartLogResult::no_such_log;
  };
  EXPECT_TRUE(refused(1, 0x02));
  EXPECT_TRUE(refused(1, 0xE0));
  EXPECT_TRUE(refused(2, 0x01));
  EXPECT_TRUE(refused(0, 0x01));
  EXPECT_EQ(sectors, std::vector<std::byte>(2 * kSmartSectorBytes, std::byte{0xEE}));
}

TEST(SmartLogs, ADrivesSelfTestRingIsReadFromTheNewest) {
  Sector sector{};
  store_u8(sector, 508, 2);  // entries are numbered from 1
  store_u8(sector, 2 + 24, 0x02);
  store_u8(sector, 2 + 24 + 1, 0x00);
  store_le16(sector, 2 + 24 + 2, 100);
  store_u8(sector, 2, 0x01);
  store_u8(sector, 3, 0x70);
  store_le16(sector, 4, 50);
  store_le32(sector, 7, 0xABCDEF);
  EXPECT_EQ(smart_self_test(sector, 0), (SmartSelfTest{0x02, 0x00, 100, 0}));
  EXPECT_EQ(smart_self_test(sector, 1), (SmartSelfTest{0x01, 0x70, 50, 0xABCDEF}));
  EXPECT_FALSE(smart_self_test(sector, 2));
  EXPECT_FALSE(smart_self_test(sector, 21));
  store_u8(sector, 508, 22);
  EXPECT_FALSE(smart_self_test(sector, 0));
}

TEST(SmartAttributes, HaveNamesForPeople) {
  EXPECT_STREQ(smart_attribute_name(9), "power-on hours");
  EXPECT_STREQ(smart_attribute_name(194), "temperature");
  EXPECT_STREQ(smart_attribute_name(250), "");
}

}  // namespace
}  // namespace aoe::protocol
