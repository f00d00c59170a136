#include "compat/aoetools/ping_text.h"

#include "protocol/ata_identify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace aoe::compat::aoetools {
namespace {

TEST(PingText, HexLinesHaveSixteenBytes) {
  const std::vector<std::byte> bytes(17, std::byte{0xA5});
  EXPECT_EQ(hex_lines(bytes), "a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 \na5 ");
}

// As aoeping -I showed vblade.
TEST(PingText, IdentifyFieldsKeepTheBlanksBehindTexts) {
  std::array<std::byte, 512> sector{};
  protocol::build_identify(
      sector, {.serial = "7.0:vm", .firmware = "V25", .model = "Coraid EtherDrive vblade"});
  EXPECT_EQ(identify_fields(sector),
            "device identify fields:\nvendor_specific_0: 0x0\nvendor_specific_1: 0x0\n"
            "vendor_specific_2: 0x0\nserial_number: 7.0:vm              \n"
            "firmware_rev: V25     \nmodel: Coraid EtherDrive vblade                \n");
  sector[14] = std::byte{0x12};  // word 7, low byte
  EXPECT_THAT(identify_fields(sector), ::testing::HasSubstr("vendor_specific_0: 0x1200\n"));
  sector[20] = std::byte{0};  // the second character of the serial number
  EXPECT_THAT(identify_fields(sector), ::testing::HasSubstr("serial_number: 7\n"));
}

TEST(PingText, RegistersStandInTheOrderOfTheRegisters) {
  EXPECT_EQ(register_lines({.feature_error = 1,
                            .sector_count = 2,
                            .command_status = 0x40,
                            .lba = {3, 0x4F, 0xC2, 0, 0, 0}}),
            "ATA registers:\n            Features: 0x01\n        Sector Count: 0x02\n"
            "             LBA Low: 0x03\n             LBA Mid: 0x4f\n            LBA High: 0xc2\n"
            "              Status: 0x40\n");
}

TEST(PingText, SmartCommandsMayHaveAParameter) {
  EXPECT_EQ(parse_smart_command("read_data")->feature, 0xD0);
  EXPECT_TRUE(parse_smart_command("read_data")->reads);
  EXPECT_EQ(parse_smart_command("read_log:6")->parameter, 6);
  EXPECT_EQ(parse_smart_command("write_log:0x80")->parameter, 0x80);
  EXPECT_TRUE(parse_smart_command("write_log:0x80")->writes);
  EXPECT_EQ(parse_smart_command("return_status")->feature, 0xDA);
  EXPECT_FALSE(parse_smart_command("self_test"));
  EXPECT_FALSE(parse_smart_command("read"));
  EXPECT_EQ(parse_smart_command("read_l:1")->feature, 0xD5);  // shortened, as aoeping takes it
}

}  // namespace
}  // namespace aoe::compat::aoetools
