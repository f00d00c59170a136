#include "protocol/ata_command.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace aoe::protocol {
namespace {

struct OpcodeCase {
  std::uint8_t opcode;
  AtaKind kind;
  AddressWidth width;
  DataDirection direction;
};

constexpr auto kNone = AddressWidth::none;
constexpr auto k28 = AddressWidth::lba28;
constexpr auto k48 = AddressWidth::lba48;
constexpr auto kNoData = DataDirection::none;
constexpr auto kIn = DataDirection::in;
constexpr auto kOut = DataDirection::out;

// What ATA8-ACS says about each opcode that AoE can carry, written down apart from the table.
constexpr OpcodeCase kCases[] = {
    {0xEC, AtaKind::identify, kNone, kIn},
    {0x20, AtaKind::read, k28, kIn},
    {0x21, AtaKind::read, k28, kIn},
    {0x24, AtaKind::read, k48, kIn},
    {0xC8, AtaKind::read, k28, kIn},
    {0xC9, AtaKind::read, k28, kIn},
    {0x25, AtaKind::read, k48, kIn},
    {0xC4, AtaKind::read, k28, kIn},
    {0x29, AtaKind::read, k48, kIn},
    {0x30, AtaKind::write, k28, kOut},
    {0x31, AtaKind::write, k28, kOut},
    {0x34, AtaKind::write, k48, kOut},
    {0xCA, AtaKind::write, k28, kOut},
    {0xCB, AtaKind::write, k28, kOut},
    {0x35, AtaKind::write, k48, kOut},
    {0xC5, AtaKind::write, k28, kOut},
    {0x39, AtaKind::write, k48, kOut},
    {0x3D, AtaKind::write_fua, k48, kOut},
    {0xCE, AtaKind::write_fua, k48, kOut},
    {0x40, AtaKind::read_verify, k28, kNoData},
    {0x41, AtaKind::read_verify, k28, kNoData},
    {0x42, AtaKind::read_verify, k48, kNoData},
    {0xE7, AtaKind::flush, k28, kNoData},
    {0xEA, AtaKind::flush, k48, kNoData},
    {0x06, AtaKind::data_set_management, k48, kOut},
    {0xB0, AtaKind::smart, kNone, kNoData},
    {0xEF, AtaKind::set_features, kNone, kNoData},
    {0xC6, AtaKind::set_multiple, kNone, kNoData},
    {0xE5, AtaKind::check_power, kNone, kNoData},
    {0x98, AtaKind::check_power, kNone, kNoData},
    {0xE0, AtaKind::power, kNone, kNoData},
    {0xE1, AtaKind::power, kNone, kNoData},
    {0xE2, AtaKind::power, kNone, kNoData},
    {0xE3, AtaKind::power, kNone, kNoData},
    {0xE6, AtaKind::power, kNone, kNoData},
    {0x94, AtaKind::power, kNone, kNoData},
    {0x95, AtaKind::power, kNone, kNoData},
    {0x96, AtaKind::power, kNone, kNoData},
    {0x97, AtaKind::power, kNone, kNoData},
    {0x99, AtaKind::power, kNone, kNoData},
    {0xF8, AtaKind::read_native_max, k28, kNoData},
    {0x27, AtaKind::read_native_max, k48, kNoData},
    {0x90, AtaKind::diagnostic, kNone, kNoData},
    {0x91, AtaKind::no_operation_ok, kNone, kNoData},
    {0x10, AtaKind::no_operation_ok, kNone, kNoData},
    {0x70, AtaKind::no_operation_ok, k28, kNoData},
    {0xF5, AtaKind::no_operation_ok, kNone, kNoData},
};

TEST(AtaOpcodes, MeanWhatTheStandardSays) {
  for (const OpcodeCase& expected : kCases) {
    SCOPED_TRACE(std::to_string(expected.opcode));
    const AtaOpcode& opcode = find_opcode(expected.opcode);
    EXPECT_EQ(opcode.opcode, expected.opcode);
    EXPECT_EQ(opcode.kind, expected.kind);
    EXPECT_EQ(opcode.width, expected.width);
    EXPECT_EQ(opcode.direction, expected.direction);
    EXPECT_STRNE(opcode.name, "?");
  }
}

TEST(AtaOpcodes, EveryOtherOneIsUnsupported) {
  std::set<std::uint8_t> supported;
  for (const OpcodeCase& expected : kCases) {
    EXPECT_TRUE(supported.insert(expected.opcode).second);
  }
  for (unsigned code = 0; code <= 0xFF; ++code) {
    const auto opcode = static_cast<std::uint8_t>(code);
    EXPECT_EQ(find_opcode(opcode).opcode, opcode);
    EXPECT_EQ(find_opcode(opcode).kind != AtaKind::unsupported, supported.contains(opcode)) << code;
  }
}

TEST(AtaOpcodes, WhatAoeCannotCarryStillHasItsName) {
  EXPECT_STREQ(find_opcode(0x00).name, "NOP");
  EXPECT_STREQ(find_opcode(0x60).name, "READ FPDMA QUEUED");
  EXPECT_STREQ(find_opcode(0xA0).name, "PACKET");
  EXPECT_STREQ(find_opcode(0xFF).name, "?");
}

TEST(AtaOpcodes, SmartDirectionFollowsTheSubCommand) {
  for (unsigned feature = 0; feature <= 0xFF; ++feature) {
    const DataDirection expected = feature == 0xD0 || feature == 0xD1 || feature == 0xD5 ? kIn
                                   : feature == 0xD6                                     ? kOut
                                                                                         : kNoData;
    EXPECT_EQ(smart_direction(static_cast<std::uint8_t>(feature)), expected) << feature;
  }
  EXPECT_STREQ(smart_feature_name(0xDA), "RETURN STATUS");
  EXPECT_STREQ(smart_feature_name(0xDB), "");
}

}  // namespace
}  // namespace aoe::protocol
