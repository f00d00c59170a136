// What the example frames do not show: the edges of every argument.
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace aoe::protocol {
namespace {

std::vector<std::byte> header_frame(Command command, bool is_response, std::size_t bytes) {
  std::vector<std::byte> frame(std::max<std::size_t>(bytes, kHeaderBytes));
  build_header(frame, {.is_response = is_response, .command = static_cast<std::uint8_t>(command)});
  frame.resize(bytes);
  return frame;
}

TEST(Header, RefusesRuntsAndOtherEtherTypes) {
  auto frame = header_frame(Command::ata, false, 24);
  EXPECT_TRUE(parse_header(frame));
  EXPECT_EQ(parse_header(ConstByteSpan(frame).first(23)).error(), WireError::runt);
  EXPECT_EQ(parse_header({}).error(), WireError::runt);
  store_be16(frame, 12, 0x88A3);
  EXPECT_EQ(parse_header(frame).error(), WireError::not_aoe);
}

TEST(Header, IgnoresReservedFlagBitsOnReceiptAndNeverSendsThem) {
  auto frame = header_frame(Command::config, false, 24);
  store_u8(frame, 14, 0x13);
  const auto header = parse_header(frame);
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->is_response);
  EXPECT_FALSE(header->is_error);
  build_header(frame, *header);
  EXPECT_EQ(load_u8(frame, 14), 0x10);
}

TEST(Header, AReplyNeverCarriesAStaleErrorOrVersion) {
  const FrameHeader request{.source = {{2, 0, 0, 0, 0, 9}},
                            .version = 2,
                            .is_error = true,
                            .error = 5,
                            .address = {kAllShelves, kAllSlots},
                            .command = 0xF3,
                            .tag = Tag{0xDEADBEEF}};
  const FrameHeader reply = reply_header(request, {{2, 0, 0, 0, 0, 1}}, {Shelf{3}, Slot{4}});
  EXPECT_EQ(reply.version, 1);
  EXPECT_FALSE(reply.is_error);
  EXPECT_EQ(reply.error, 0);
  EXPECT_EQ(reply.address, (DeviceAddress{Shelf{3}, Slot{4}}));
  EXPECT_EQ(reply.destination, request.source);
  EXPECT_EQ(reply.command, 0xF3);
  EXPECT_EQ(reply.tag, request.tag);
}

TEST(Header, EveryErrorCodeHasAText) {
  EXPECT_STREQ(aoe_error_text(0), "no error");
  EXPECT_STREQ(aoe_error_text(1), "unrecognised command code");
  EXPECT_STREQ(aoe_error_text(2), "bad argument");
  EXPECT_STREQ(aoe_error_text(3), "device unavailable");
  EXPECT_STREQ(aoe_error_text(4), "config string present");
  EXPECT_STREQ(aoe_error_text(5), "unsupported version");
  EXPECT_STREQ(aoe_error_text(6), "target is reserved");
  EXPECT_STREQ(aoe_error_text(7), "unknown error");
}

TEST(AtaArgument, AddressesKeepTheirWidth) {
  AtaArgument argument;
  argument.set_lba48(Lba{kLbaLimit - 1});
  EXPECT_EQ(argument.lba48(), Lba{kLbaLimit - 1});
  argument.set_lba48(Lba{0x060504030201});
  EXPECT_EQ(argument.lba, (std::array<std::uint8_t, 6>{1, 2, 3, 4, 5, 6}));
  argument.set_lba28(Lba{kLba28Limit - 1});
  EXPECT_EQ(argument.lba, (std::array<std::uint8_t, 6>{0xFF, 0xFF, 0xFF, 0xEF, 0, 0}));
  EXPECT_EQ(argument.lba28(), Lba{kLba28Limit - 1});
  argument.set_lba28(Lba{kLba28Limit | 5});  // what does not fit stays out of the device register
  EXPECT_EQ(argument.lba, (std::array<std::uint8_t, 6>{5, 0, 0, 0xE0, 0, 0}));
}

TEST(AtaArgument, TheDeviceNibbleIsNoPartOfA28BitAddress) {
  for (const unsigned nibble : {0x00U, 0xA0U, 0xE0U, 0xF0U}) {
    AtaArgument argument;
    argument.lba = {0x78, 0x56, 0x34, static_cast<std::uint8_t>(nibble | 0x2U), 0, 0};
    EXPECT_EQ(argument.lba28(), Lba{0x02345678});
  }
}

TEST(AtaArgument, ReservedBytesAreSentAsZero) {
  std::vector<std::byte> frame(kAtaHeaderBytes, std::byte{0xFF});
  build_ata(frame, {});
  EXPECT_EQ(load_be16(frame, 34), 0);
}

struct SectorLimit {
  std::size_t mtu;
  std::uint8_t exact;
  std::uint8_t advertised;
};

// The thresholds at which one sector more fits, from both sides.
class SectorLimits : public testing::TestWithParam<SectorLimit> {};

TEST_P(SectorLimits, FollowTheMtu) {
  EXPECT_EQ(ata_sectors_exact(GetParam().mtu), GetParam().exact);
  EXPECT_EQ(ata_sectors_advertised(GetParam().mtu), GetParam().advertised);
}

INSTANTIATE_TEST_SUITE_P(
    Mtu, SectorLimits,
    testing::Values(SectorLimit{0, 0, 0}, SectorLimit{21, 0, 0}, SectorLimit{36, 0, 0},
                    SectorLimit{533, 0, 0}, SectorLimit{534, 1, 0}, SectorLimit{548, 1, 1},
                    SectorLimit{1500, 2, 2}, SectorLimit{1557, 2, 2}, SectorLimit{1558, 3, 2},
                    SectorLimit{1571, 3, 2}, SectorLimit{1572, 3, 3}, SectorLimit{4117, 7, 7},
                    SectorLimit{4118, 8, 7}, SectorLimit{4131, 8, 7}, SectorLimit{4132, 8, 8},
                    SectorLimit{4200, 8, 8}, SectorLimit{8214, 16, 15}, SectorLimit{8228, 16, 16},
                    SectorLimit{9000, 17, 17}, SectorLimit{9216, 17, 17},
                    SectorLimit{65535, 127, 127}, SectorLimit{65536, 127, 127},
                    SectorLimit{1U << 20U, 255, 255}));

TEST(Config, TakesStringsOfUpTo1024Bytes) {
  auto frame = header_frame(Command::config, false, kConfigHeaderBytes + 1025);
  store_u8(frame, 29, 4);
  store_be16(frame, 30, 1024);
  ASSERT_TRUE(parse_config(frame));
  EXPECT_EQ(parse_config(frame)->string.size(), 1024U);
  store_be16(frame, 30, 1025);
  EXPECT_EQ(parse_config(frame).error(), WireError::bad_length);
}

TEST(Config, RefusesAStringThatIsNotAllThere) {
  auto frame = header_frame(Command::config, false, kConfigHeaderBytes + 4);
  for (const unsigned command : {1U, 2U, 3U, 4U, 5U, 15U}) {
    store_u8(frame, 29, static_cast<std::uint8_t>(command));
    store_be16(frame, 30, 5);
    EXPECT_EQ(parse_config(frame).error(), WireError::bad_length);
    store_be16(frame, 30, 4);
    EXPECT_TRUE(parse_config(frame));
  }
}

TEST(Config, AReadRequestMayStateAnyLengthButAReplyMayNot) {
  auto frame = header_frame(Command::config, false, 60);
  store_be16(frame, 30, 1024);  // as aoeping sends it
  ASSERT_TRUE(parse_config(frame));
  EXPECT_TRUE(parse_config(frame)->string.empty());
  store_u8(frame, 14, 0x18);
  EXPECT_EQ(parse_config(frame).error(), WireError::bad_length);
}

TEST(Config, BuildsTheVersionNextToTheCommand) {
  std::vector<std::byte> frame(40, std::byte{0xEE});
  const std::size_t length = build_config(frame, {.buffer_count = 0x1234,
                                                  .firmware_version = 0x5678,
                                                  .sector_count = 17,
                                                  .protocol_version = 1,
                                                  .command = 2,
                                                  .string = as_byte_span("abc")});
  EXPECT_EQ(length, 35U);
  EXPECT_EQ(load_be64(frame, 24), 0x1234567811120003U);
  EXPECT_EQ(as_text(ConstByteSpan(frame).subspan(32, 3)), "abc");
  EXPECT_EQ(load_u8(frame, 35), 0xEE);
}

TEST(Mask, ARequestWithAnErrorByteStillHasToBringItsDirectives) {
  auto frame = header_frame(Command::mac_mask, false, kMaskHeaderBytes + 8);
  store_u8(frame, 26, 2);
  store_u8(frame, 27, 2);
  EXPECT_EQ(parse_mask(frame).error(), WireError::bad_length);
  store_u8(frame, 27, 1);
  ASSERT_TRUE(parse_mask(frame));
  EXPECT_EQ(parse_mask(frame)->size(), 1U);
}

TEST(Mask, CarriesAsManyDirectivesAsTheCountByteCanSay) {
  std::vector<MaskDirective> directives(kMacListCountMax, MaskDirective{.action = 1});
  for (std::size_t i = 0; i < directives.size(); ++i) {
    directives[i].mac.octets[5] = static_cast<std::uint8_t>(i);
  }
  auto frame = header_frame(Command::mac_mask, false, kMaskHeaderBytes + 8 * kMacListCountMax);
  EXPECT_EQ(build_mask_request(frame, MaskCommand::edit, directives), frame.size());
  const auto mask = parse_mask(frame);
  ASSERT_TRUE(mask);
  ASSERT_EQ(mask->size(), 255U);
  EXPECT_EQ(mask->directive(254).mac.octets[5], 254);
  frame.pop_back();
  EXPECT_EQ(parse_mask(frame).error(), WireError::bad_length);
}

TEST(Reserve, RefusesAListThatIsNotAllThere) {
  auto frame = header_frame(Command::reserve, false, kReserveHeaderBytes + 11);
  store_u8(frame, 24, 1);
  store_u8(frame, 25, 2);
  EXPECT_EQ(parse_reserve(frame).error(), WireError::bad_length);
  store_u8(frame, 25, 1);
  EXPECT_TRUE(parse_reserve(frame));
}

TEST(Reserve, AReadRequestsListIsIgnored) {
  auto frame = header_frame(Command::reserve, false, kReserveHeaderBytes);
  store_u8(frame, 25, 200);
  ASSERT_TRUE(parse_reserve(frame));
  EXPECT_EQ(parse_reserve(frame)->mac_count, 0);
  store_u8(frame, 14, 0x18);
  EXPECT_EQ(parse_reserve(frame).error(), WireError::bad_length);
}

TEST(Arguments, AreShortWhenTheirFixedPartIsCutOff) {
  const std::vector<std::byte> frame(kAtaHeaderBytes);
  const ConstByteSpan bytes(frame);
  EXPECT_EQ(parse_ata(bytes.first(35)).error(), WireError::short_argument);
  EXPECT_TRUE(parse_ata(bytes.first(36)));
  EXPECT_EQ(parse_config(bytes.first(31)).error(), WireError::short_argument);
  EXPECT_TRUE(parse_config(bytes.first(32)));
  EXPECT_EQ(parse_mask(bytes.first(27)).error(), WireError::short_argument);
  EXPECT_TRUE(parse_mask(bytes.first(28)));
  EXPECT_EQ(parse_reserve(bytes.first(25)).error(), WireError::short_argument);
  EXPECT_TRUE(parse_reserve(bytes.first(26)));
}

}  // namespace
}  // namespace aoe::protocol
