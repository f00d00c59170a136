// Every field of every example frame, and the way back: what the parsers take apart, the builders
// put together again byte for byte.
#include "support/example_frames.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/ata_command.h"
#include "protocol/ata_registers.h"
#include "protocol/ata_trim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace aoe::protocol {
namespace {

using test::example_frame;
using test::example_frames;

constexpr MacAddress kA{{0x02, 0, 0, 0, 0, 1}};
constexpr MacAddress kB{{0x02, 0, 0, 0, 0, 2}};
constexpr MacAddress kTarget{{0x02, 0, 0, 0, 0x0A, 0x10}};
constexpr DeviceAddress kAddress{Shelf{7}, Slot{1}};

FrameHeader request(Command command, std::uint32_t tag, MacAddress source = kA) {
  return {.destination = kTarget,
          .source = source,
          .address = kAddress,
          .command = static_cast<std::uint8_t>(command),
          .tag = Tag{tag}};
}

FrameHeader reply(Command command, std::uint32_t tag, AoeError error = AoeError::none,
                  MacAddress destination = kA) {
  return {.destination = destination,
          .source = kTarget,
          .is_response = true,
          .is_error = error != AoeError::none,
          .error = static_cast<std::uint8_t>(error),
          .address = kAddress,
          .command = static_cast<std::uint8_t>(command),
          .tag = Tag{tag}};
}

struct HeaderCase {
  std::size_t number;
  std::size_t bytes;
  FrameHeader header;
};

std::vector<HeaderCase> header_cases() {
  FrameHeader query = request(Command::config, 1);
  query.destination = MacAddress::broadcast();
  query.address = {kAllShelves, kAllSlots};
  FrameHeader unknown = request(Command::ata, 13);
  unknown.command = 0x7F;
  FrameHeader unknown_reply = reply(Command::ata, 13, AoeError::unknown_command);
  unknown_reply.command = 0x7F;
  FrameHeader advertisement = reply(Command::config, 0);
  advertisement.destination = MacAddress::broadcast();
  return {
      {1, 60, query},
      {2, 60, reply(Command::config, 1)},
      {3, 60, request(Command::ata, 2)},
      {4, 548, reply(Command::ata, 2)},
      {5, 60, request(Command::ata, 3)},
      {6, 1060, reply(Command::ata, 3)},
      {7, 548, request(Command::ata, 4)},
      {8, 60, reply(Command::ata, 4)},
      {9, 60, request(Command::ata, 5)},
      {10, 60, request(Command::ata, 6)},
      {11, 60, reply(Command::ata, 6)},
      {12, 60, request(Command::config, 7)},
      {13, 60, reply(Command::config, 7)},
      {14, 60, reply(Command::config, 8, AoeError::config_string_present)},
      {15, 60, request(Command::mac_mask, 9)},
      {16, 60, reply(Command::mac_mask, 9)},
      {17, 60, reply(Command::mac_mask, 10)},
      {18, 60, request(Command::reserve, 11)},
      {19, 60, reply(Command::reserve, 11)},
      {20, 60, request(Command::ata, 12, kB)},
      {21, 60, reply(Command::ata, 12, AoeError::target_reserved, kB)},
      {22, 60, unknown},
      {23, 60, unknown_reply},
      {24, 60, request(Command::ata, 14)},
      {25, 60, request(Command::ata, 15)},
      {26, 60, reply(Command::ata, 15)},
      {27, 548, request(Command::ata, 16)},
      {28, 60, advertisement},
  };
}

TEST(ExampleFrames, AllTwentyEightAreThere) {
  ASSERT_EQ(example_frames().size(), 28U);
  EXPECT_EQ(header_cases().size(), 28U);
}

TEST(ExampleFrames, HeadersParseToTheValuesThatWerePutIn) {
  for (const HeaderCase& expected : header_cases()) {
    SCOPED_TRACE(example_frames().at(expected.number - 1).name);
    EXPECT_EQ(example_frame(expected.number).size(), expected.bytes);
    const auto header = parse_header(example_frame(expected.number));
    ASSERT_TRUE(header);
    EXPECT_EQ(*header, expected.header);
  }
}

TEST(ExampleFrames, HeadersBuildBackToTheSameBytes) {
  for (const HeaderCase& expected : header_cases()) {
    SCOPED_TRACE(example_frames().at(expected.number - 1).name);
    std::array<std::byte, kHeaderBytes> built{};
    build_header(built, expected.header);
    EXPECT_TRUE(equal_bytes(built, ConstByteSpan(example_frame(expected.number)).first(24)));
  }
}

struct AtaCase {
  std::size_t number;
  AtaArgument argument;
  std::size_t data_bytes;  // behind the argument, padding included
};

constexpr std::array<std::uint8_t, 6> kNoLba{};

std::vector<AtaCase> ata_cases() {
  constexpr std::array<std::uint8_t, 6> kDevice{0, 0, 0, 0xA0, 0, 0};
  constexpr std::array<std::uint8_t, 6> k1FffE{0xFE, 0xFF, 0x01, 0, 0, 0};
  constexpr std::array<std::uint8_t, 6> k10{0x10, 0, 0, 0, 0, 0};
  constexpr std::array<std::uint8_t, 6> kLast{0xFF, 0x1F, 0x03, 0, 0, 0};
  constexpr std::array<std::uint8_t, 6> kSmart{0, 0x4F, 0xC2, 0xA0, 0, 0};
  return {
      {3, {0x00, 0, 1, 0xEC, kDevice}, 24},
      {4, {0x00, 0, 0, 0x40, kDevice}, 512},
      {5, {0x40, 0, 2, 0x24, k1FffE}, 24},
      {6, {0x40, 0, 0, 0x40, k1FffE}, 1024},
      {7, {0x41, 0, 1, 0x34, k10}, 512},
      {8, {0x41, 0, 0, 0x40, k10}, 24},
      {9, {0x00, 0, 1, 0x20, {0x78, 0x56, 0x01, 0xE0, 0, 0}}, 24},
      {10, {0x40, 0, 2, 0x24, kLast}, 24},
      {11, {0x40, 0x10, 2, 0x41, kLast}, 24},
      {20, {0x40, 0, 1, 0x24, kNoLba}, 24},
      {21, {0x40, 0, 1, 0x24, kNoLba}, 24},
      {24, {0x40, 0, 0, 0xEA, kNoLba}, 24},
      {25, {0x00, 0xDA, 0, 0xB0, kSmart}, 24},
      {26, {0x00, 0, 0, 0x40, kSmart}, 24},
      {27, {0x41, 0x01, 1, 0x06, kNoLba}, 512},
  };
}

TEST(ExampleFrames, AtaArgumentsParseAndBuildBack) {
  for (const AtaCase& expected : ata_cases()) {
    SCOPED_TRACE(example_frames().at(expected.number - 1).name);
    const ConstByteSpan frame = example_frame(expected.number);
    const auto ata = parse_ata(frame);
    ASSERT_TRUE(ata);
    EXPECT_EQ(ata->argument, expected.argument);
    EXPECT_EQ(ata->data.size(), expected.data_bytes);
    std::vector<std::byte> built(frame.begin(), frame.end());
    fill_zero(ByteSpan(built).subspan(24, 12));
    build_ata(built, expected.argument);
    EXPECT_TRUE(equal_bytes(built, frame));
  }
}

TEST(ExampleFrames, AddressesComeOutInTheWidthOfTheCommand) {
  EXPECT_EQ(parse_ata(example_frame(5))->argument.lba48(), Lba{0x1FFFE});
  EXPECT_EQ(parse_ata(example_frame(9))->argument.lba28(), Lba{0x15678});
  EXPECT_EQ(parse_ata(example_frame(9))->argument.lba48(), Lba{0xE0015678});
  EXPECT_EQ(parse_ata(example_frame(11))->argument.lba48(), Lba{0x31FFF});
}

TEST(ExampleFrames, DataLiesBehindTheArgument) {
  const auto read = parse_ata(example_frame(6));
  EXPECT_TRUE(std::all_of(read->data.begin(), read->data.begin() + 512,
                          [](std::byte b) { return b == std::byte{0x11}; }));
  EXPECT_TRUE(std::all_of(read->data.begin() + 512, read->data.end(),
                          [](std::byte b) { return b == std::byte{0x22}; }));
  const auto write = parse_ata(example_frame(7));
  EXPECT_TRUE(std::all_of(write->data.begin(), write->data.end(),
                          [](std::byte b) { return b == std::byte{0xA5}; }));
  const auto trim = parse_ata(example_frame(27));
  const auto ranges = parse_trim(trim->data, trim->argument.sector_count);
  ASSERT_TRUE(ranges);
  EXPECT_EQ((*ranges)[0], (TrimRange{Lba{2048}, 256}));
  EXPECT_EQ(ranges->total_sectors(), 256U);
}

TEST(ExampleFrames, TheReplyBeyondTheEndIsAnIdNotFoundFailure) {
  const auto ata = parse_ata(example_frame(11));
  EXPECT_EQ((AtaOutcome{ata->argument.command_status, ata->argument.feature_error}),
            kAtaIdNotFound);
}

struct ConfigCase {
  std::size_t number;
  std::uint16_t buffers;
  std::uint16_t firmware;
  std::uint8_t sectors;
  std::uint8_t version;
  std::uint8_t command;
  std::string string;
};

TEST(ExampleFrames, ConfigArgumentsParseAndBuildBack) {
  const std::vector<ConfigCase> cases = {
      {1, 0, 0, 0, 0, 0, ""},
      {2, 16, 0x4019, 2, 1, 0, "hello"},
      {12, 0, 0, 0, 1, 3, "hello"},
      {13, 16, 0x4019, 2, 1, 3, "hello"},
      {14, 16, 0x4019, 2, 1, 3, "hello"},
      {28, 16, 0x4019, 2, 1, 0, ""},
  };
  for (const ConfigCase& expected : cases) {
    SCOPED_TRACE(example_frames().at(expected.number - 1).name);
    const ConstByteSpan frame = example_frame(expected.number);
    const auto config = parse_config(frame);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->buffer_count, expected.buffers);
    EXPECT_EQ(config->firmware_version, expected.firmware);
    EXPECT_EQ(config->sector_count, expected.sectors);
    EXPECT_EQ(config->protocol_version, expected.version);
    EXPECT_EQ(config->command, expected.command);
    EXPECT_EQ(as_text(config->string), expected.string);
    std::vector<std::byte> built(frame.begin(), frame.end());
    fill_zero(ByteSpan(built).subspan(24));
    EXPECT_EQ(build_config(built, *config), kConfigHeaderBytes + expected.string.size());
    EXPECT_TRUE(equal_bytes(built, frame));
  }
}

TEST(ExampleFrames, MaskArgumentsParseAndBuildBack) {
  const auto edit = parse_mask(example_frame(15));
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->command, static_cast<std::uint8_t>(MaskCommand::edit));
  EXPECT_EQ(edit->directive_count, 2);
  ASSERT_EQ(edit->size(), 2U);
  EXPECT_EQ(edit->directive(0).action, static_cast<std::uint8_t>(MaskAction::add));
  EXPECT_EQ(edit->directive(0).mac, kA);
  EXPECT_EQ(edit->directive(1).mac, kB);

  const auto rebuilt = [](std::size_t number, auto build) {
    const auto& frame = example_frame(number);
    std::vector<std::byte> built(frame.begin(), frame.end());
    fill_zero(ByteSpan(built).subspan(24));
    build(ByteSpan(built));
    return equal_bytes(built, frame);
  };
  const std::array<MaskDirective, 2> directives{edit->directive(0), edit->directive(1)};
  const std::array<MacAddress, 2> list{kA, kB};
  EXPECT_TRUE(rebuilt(15, [&](ByteSpan frame) {
    EXPECT_EQ(build_mask_request(frame, MaskCommand::edit, directives), 44U);
  }));
  EXPECT_TRUE(rebuilt(16, [&](ByteSpan frame) {
    EXPECT_EQ(build_mask_reply(frame, {.command = MaskCommand::edit, .list = list}), 44U);
  }));
  EXPECT_TRUE(rebuilt(17, [&](ByteSpan frame) {
    const MaskReply reply{
        .command = MaskCommand::edit, .error = MaskError::bad_directive, .failed_index = 1};
    EXPECT_EQ(build_mask_reply(frame, reply), 28U);
  }));
}

TEST(ExampleFrames, AFailedEditNamesItsDirectiveAndCarriesNone) {
  const auto mask = parse_mask(example_frame(17));
  ASSERT_TRUE(mask);
  EXPECT_EQ(mask->error, static_cast<std::uint8_t>(MaskError::bad_directive));
  EXPECT_EQ(mask->directive_count, 1);
  EXPECT_EQ(mask->size(), 0U);
}

TEST(ExampleFrames, ReserveArgumentsParseAndBuildBack) {
  for (const std::size_t number : {18U, 19U}) {
    const auto& frame = example_frame(number);
    const auto reserve = parse_reserve(frame);
    ASSERT_TRUE(reserve);
    EXPECT_EQ(reserve->command, static_cast<std::uint8_t>(ReserveCommand::set));
    ASSERT_EQ(reserve->mac_count, 1);
    EXPECT_EQ(reserve->address(0), kA);
    std::vector<std::byte> built(frame.begin(), frame.end());
    fill_zero(ByteSpan(built).subspan(24));
    const std::array<MacAddress, 1> list{kA};
    EXPECT_EQ(build_reserve(built, 1, list), 32U);
    EXPECT_TRUE(equal_bytes(built, frame));
  }
}

TEST(ExampleFrames, AReplyHeaderComesFromItsRequestAndOurOwnAddress) {
  const auto query = parse_header(example_frame(1));
  EXPECT_EQ(reply_header(*query, kTarget, kAddress), *parse_header(example_frame(2)));
  const auto write = parse_header(example_frame(7));
  EXPECT_EQ(reply_header(*write, kTarget, kAddress), *parse_header(example_frame(8)));
}

}  // namespace
}  // namespace aoe::protocol
