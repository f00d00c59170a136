#include "protocol/dissect.h"

#include "protocol/aoe_frame.h"
#include "protocol/ata_smart.h"
#include "support/example_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::protocol {
namespace {

using test::example_frame;
using test::example_frames;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTo = "02:00:00:00:00:01 > 02:00:00:00:0a:10 e7.1 request ";
constexpr const char* kBack = "02:00:00:00:0a:10 > 02:00:00:00:00:01 e7.1 reply ";

DissectOptions answering(std::size_t request) {
  return {.payload = PayloadDetail::decoded,
          .request = parse_ata(example_frame(request))->argument};
}

std::vector<std::byte> patched(std::size_t number, std::size_t at, std::uint8_t value) {
  std::vector<std::byte> frame = example_frame(number);
  store_u8(frame, at, value);
  return frame;
}

TEST(DissectLine, SumsUpEveryExampleFrame) {
  const std::string to = kTo;
  const std::string back = kBack;
  const std::string to_everybody = "02:00:00:00:0a:10 > ff:ff:ff:ff:ff:ff e7.1 advertisement ";
  const std::vector<std::string> lines = {
      "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff e*.* request 00000001 config read",
      back + "00000001 config read buffers 16 firmware 4019 sectors 2 string \"hello\"",
      to + "00000002 IDENTIFY DEVICE count 1",
      back + "00000002 ATA status DRDY lba 0 count 0, 512 data bytes",
      to + "00000003 READ SECTORS EXT lba 131070 count 2",
      back + "00000003 ATA status DRDY lba 131070 count 0, 1024 data bytes",
      to + "00000004 WRITE SECTORS EXT lba 16 count 1, 512 data bytes",
      back + "00000004 ATA status DRDY lba 16 count 0",
      to + "00000005 READ SECTORS lba 87672 count 1",
      to + "00000006 READ SECTORS EXT lba 204799 count 2",
      back + "00000006 ATA status DRDY ERR error IDNF lba 204799 count 2",
      to + "00000007 config set string \"hello\"",
      back + "00000007 config set buffers 16 firmware 4019 sectors 2 string \"hello\"",
      back +
          "00000008 error 4 (config string present) config set buffers 16 firmware 4019 "
          "sectors 2 string \"hello\"",
      to + "00000009 mask edit add 02:00:00:00:00:01 add 02:00:00:00:00:02",
      back + "00000009 mask edit 02:00:00:00:00:01 02:00:00:00:00:02",
      back + "0000000a mask edit stopped at directive 1: bad directive",
      to + "0000000b reserve set 02:00:00:00:00:01",
      back + "0000000b reserve set 02:00:00:00:00:01",
      "02:00:00:00:00:02 > 02:00:00:00:0a:10 e7.1 request 0000000c READ SECTORS EXT lba 0 count 1",
      "02:00:00:00:0a:10 > 02:00:00:00:00:02 e7.1 reply 0000000c error 6 (target is reserved) ATA",
      to + "0000000d unknown command 7f",
      back + "0000000d error 1 (unrecognised command code) unknown command 7f",
      to + "0000000e FLUSH CACHE EXT count 0",
      to + "0000000f SMART RETURN STATUS count 0",
      back + "0000000f ATA status DRDY lba 12734208 count 0",
      to + "00000010 DATA SET MANAGEMENT TRIM count 1, 512 data bytes",
      to_everybody + "00000000 config read buffers 16 firmware 4019 sectors 2 string \"\"",
  };
  ASSERT_EQ(lines.size(), example_frames().size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(dissect_line(example_frames()[i].bytes), lines[i]) << example_frames()[i].name;
  }
}

TEST(DissectLine, AKnownRequestGivesItsReplyAMeaning) {
  EXPECT_THAT(dissect_line(example_frame(4), answering(3)),
              HasSubstr("IDENTIFY DEVICE status DRDY, 512 data bytes"));
  EXPECT_THAT(dissect_line(example_frame(11), answering(10)),
              HasSubstr("READ SECTORS EXT status DRDY ERR error IDNF failed at lba 204799"));
  EXPECT_THAT(dissect_line(example_frame(26), answering(25)),
              HasSubstr("SMART status DRDY healthy"));
  auto failing = patched(26, 29, 0xF4);
  store_u8(failing, 30, 0x2C);
  EXPECT_THAT(dissect_line(failing, answering(25)), HasSubstr("threshold exceeded"));
  store_u8(failing, 30, 0x2D);
  EXPECT_THAT(dissect_line(failing, answering(25)), HasSubstr("unknown health"));
}

TEST(DissectLine, RegistersThatCarryResultsAreRead) {
  DissectOptions options{.payload = PayloadDetail::length, .request = AtaArgument{}};
  options.request->command_status = 0xE5;
  EXPECT_THAT(dissect_line(patched(8, 26, 0xFF), options), HasSubstr("active or idle"));
  EXPECT_THAT(dissect_line(patched(8, 26, 0x00), options), HasSubstr("standby"));
  options.request->command_status = 0x27;
  EXPECT_THAT(dissect_line(example_frame(11), options), Not(HasSubstr("last lba")));
  EXPECT_THAT(dissect_line(patched(11, 27, 0x40), options), HasSubstr("last lba 204799"));
}

TEST(DissectLine, NamesWhatIsWrongWithBytesThatAreNoFrame) {
  EXPECT_EQ(dissect_line({}), "malformed: shorter than an AoE header (24 bytes), 0 bytes");
  EXPECT_EQ(dissect_line(patched(1, 13, 0)), "malformed: not EtherType 88a2 but 8800, 60 bytes");
  EXPECT_THAT(dissect_line(ConstByteSpan(example_frame(5)).first(35)),
              HasSubstr("malformed: argument cut off, 35 bytes"));
  EXPECT_THAT(dissect_line(patched(12, 31, 60)),
              HasSubstr("malformed: a length reaches past the end of the frame, 60 bytes"));
  EXPECT_THAT(dissect_line(ConstByteSpan(example_frame(7)).first(100)),
              HasSubstr("count 1, 64 data bytes, 448 data bytes missing"));
  EXPECT_THAT(dissect_line(ConstByteSpan(example_frame(6)).first(600), answering(5)),
              HasSubstr("564 data bytes, 460 data bytes missing"));
}

TEST(DissectLine, ShowsForeignVersionsVendorCommandsAndVlanTags) {
  EXPECT_THAT(dissect_line(patched(28, 14, 0x08)), HasSubstr("00000000 version 0 config read"));
  EXPECT_THAT(dissect_line(patched(22, 19, 0xF3)), HasSubstr("vendor command f3"));
  EXPECT_THAT(dissect_line(patched(22, 19, 0x04)), HasSubstr("keyed reserve command 04"));
  std::vector<std::byte> tagged = example_frame(5);
  const std::array<std::byte, 4> tag{std::byte{0x81}, std::byte{0x00}, std::byte{0x20},
                                     std::byte{0x05}};
  tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
  EXPECT_EQ(dissect_line(tagged),
            "02:00:00:00:00:01 > 02:00:00:00:0a:10 e7.1 vlan 5 request 00000003 READ SECTORS EXT "
            "lba 131070 count 2");
  EXPECT_THAT(dissect_fields(tagged), HasSubstr("vlan: 5\n"));
}

TEST(DissectFields, ListsAnAtaRequestInTheOrderOfTheFrame) {
  EXPECT_EQ(dissect_fields(example_frame(9)),
            "length: 60\n"
            "destination: 02:00:00:00:0a:10\n"
            "source: 02:00:00:00:00:01\n"
            "version: 1\n"
            "flags: 0 (request)\n"
            "error: 0 (no error)\n"
            "shelf: 7\n"
            "slot: 1\n"
            "command: 0 (ATA)\n"
            "tag: 00000005\n"
            "ata flags: 00 (none)\n"
            "feature: 00\n"
            "count: 1\n"
            "opcode: 20 (READ SECTORS)\n"
            "lba bytes: 78 56 01 e0 00 00\n"
            "lba: 87672\n"
            "device register: e0\n"
            "trailing: 24 bytes, all zero\n");
}

TEST(DissectFields, ListsWildcardsFlagsAndErrors) {
  const std::string query = dissect_fields(example_frame(1));
  EXPECT_THAT(query, HasSubstr("shelf: 65535 (every shelf)\nslot: 255 (every slot)\n"));
  EXPECT_THAT(dissect_fields(patched(14, 14, 0x1F)),
              HasSubstr("flags: f (response, error, reserved bits set)\n"
                        "error: 4 (config string present)\n"));
  EXPECT_THAT(dissect_fields(patched(2, 15, 3)),
              HasSubstr("error: 3 (meaningless without the error flag)\n"));
}

TEST(DissectFields, ListsStringsListsAndCounts) {
  EXPECT_THAT(dissect_fields(example_frame(2)),
              HasSubstr("buffer count: 16\nfirmware version: 4019\nsector count: 2\n"
                        "protocol version: 1\nconfig command: 0 (read)\nstring length: 5\n"
                        "string: \"hello\"\ntrailing: 23 bytes, all zero\n"));
  EXPECT_THAT(dissect_fields(patched(1, 30, 4)),
              HasSubstr("string length: 1024 (not looked at in a read request)\n"));
  EXPECT_THAT(dissect_fields(example_frame(15)),
              HasSubstr("mask command: 1 (edit)\nmask error: 0 (none)\ndirective count: 2\n"
                        "directive 0: 1 (add) 02:00:00:00:00:01\n"
                        "directive 1: 1 (add) 02:00:00:00:00:02\n"));
  EXPECT_THAT(dissect_fields(patched(15, 37, 2)),
              HasSubstr("directive 1: 2 (delete) 02:00:00:00:00:02\n"));
  EXPECT_THAT(dissect_fields(example_frame(17)), HasSubstr("mask error: 2 (bad directive)\n"));
  EXPECT_THAT(dissect_fields(example_frame(18)),
              HasSubstr("reserve command: 1 (set)\naddress count: 1\n"
                        "address 0: 02:00:00:00:00:01\n"));
}

TEST(DissectFields, SaysWhatIsMalformed) {
  EXPECT_EQ(dissect_fields(ConstByteSpan(example_frame(1)).first(3)),
            "length: 3\nframe: malformed: shorter than an AoE header (24 bytes), 3 bytes\n");
  EXPECT_THAT(dissect_fields(patched(15, 27, 5)),
              HasSubstr("argument: malformed: a length reaches past the end of the frame"));
  EXPECT_THAT(dissect_fields(patched(18, 25, 6)),
              HasSubstr("argument: malformed: a length reaches past the end of the frame"));
}

TEST(DissectFields, DecodesDataOnlyWhenAsked) {
  EXPECT_THAT(dissect_fields(example_frame(27)), Not(HasSubstr("trim")));
  EXPECT_THAT(dissect_fields(example_frame(27), {.payload = PayloadDetail::decoded}),
              HasSubstr("data: 512 bytes\ntrim 0: lba 2048 count 256\ntrim sectors: 256\n"));
  const std::string identify = dissect_fields(example_frame(4), answering(3));
  EXPECT_THAT(identify, HasSubstr("identify model: AoE example disk\n"
                                  "identify serial: SN0007-01\n"
                                  "identify firmware: 1.0\n"
                                  "identify sectors: 204800\n"));
  EXPECT_THAT(identify, HasSubstr("identify trim: yes, reads zero\n"));
  EXPECT_THAT(identify, HasSubstr("identify checksum: valid\n"));
}

TEST(DissectFields, DecodesSmartSectors) {
  std::vector<std::byte> frame = example_frame(4);
  DissectOptions options = answering(25);
  options.request->sector_count = 1;
  options.request->feature_error = 0xD0;
  build_smart_data(ByteSpan(frame).subspan(36), {.power_on_hours = 77});
  EXPECT_THAT(dissect_fields(frame, options),
              HasSubstr("smart attribute 9: power-on hours, raw 77, value 100, worst 100\n"));
  options.request->feature_error = 0xD5;
  ASSERT_EQ(build_smart_log(ByteSpan(frame).subspan(36, 512), 0, {}), SmartLogResult::built);
  EXPECT_THAT(dissect_fields(frame, options),
              HasSubstr("smart log 01 sectors: 1\nsmart log 06 sectors: 1\n"));
  options.request->lba[0] = 1;
  ASSERT_EQ(build_smart_log(ByteSpan(frame).subspan(36, 512), 1, {.error_count = 3}),
            SmartLogResult::built);
  EXPECT_THAT(dissect_fields(frame, options), HasSubstr("smart errors: 3\n"));
}

TEST(DissectFields, DumpsDataAndTrailingBytesThatAreNotZero) {
  const DissectOptions hex{.payload = PayloadDetail::hex};
  EXPECT_THAT(dissect_fields(example_frame(7), hex),
              HasSubstr("data 01f0: a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5 a5\n"));
  EXPECT_THAT(dissect_fields(patched(5, 59, 0xAB), hex),
              HasSubstr("trailing: 24 bytes, not zero\n"
                        "trailing 0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
                        "trailing 0010: 00 00 00 00 00 00 00 ab\n"));
}

TEST(DissectText, RegisterBitsHaveTheirNames) {
  EXPECT_EQ(ata_status_text(0x40), "DRDY");
  EXPECT_EQ(ata_status_text(0xFF), "BSY DRDY DF DSC DRQ CORR IDX ERR");
  EXPECT_EQ(ata_error_text(0), "none");
  EXPECT_EQ(ata_error_text(0xFF), "ICRC UNC MC IDNF MCR ABRT NM AMNF");
}

TEST(DissectText, WhatCannotBePrintedIsEscaped) {
  EXPECT_EQ(quoted_text(as_byte_span("a b")), "\"a b\"");
  EXPECT_EQ(quoted_text(as_byte_span("\"\\\n\x7F\x80")), "\"\\x22\\x5c\\x0a\\x7f\\x80\"");
}

}  // namespace
}  // namespace aoe::protocol
