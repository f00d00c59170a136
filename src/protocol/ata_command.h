// What each ATA opcode means to a disk behind AoE: one table for target, initiator and decoder.
#pragma once

#include "protocol/aoe_ata.h"

#include <cstdint>

namespace aoe::protocol {

// What has to be done; several opcodes (PIO, DMA, MULTIPLE, 28 and 48 bit) share a kind, because
// AoE carries the data in the frame whatever the opcode would do on a cable.
enum class AtaKind : std::uint8_t {
  unsupported,  // answered with ABRT
  identify,
  read,
  write,
  write_fua,  // on stable storage before the reply
  read_verify,
  flush,
  data_set_management,
  smart,
  set_features,
  set_multiple,
  check_power,
  power,  // standby, idle and sleep: accepted
  read_native_max,
  diagnostic,
  no_operation_ok,  // accepted without effect (SECURITY FREEZE LOCK, legacy positioning)
};

enum class AddressWidth : std::uint8_t { none, lba28, lba48 };
enum class DataDirection : std::uint8_t { none, in, out };

struct AtaOpcode {
  std::uint8_t opcode = 0;
  const char* name = "";
  AtaKind kind = AtaKind::unsupported;
  AddressWidth width = AddressWidth::none;
  // smart and its sub-commands: see smart_direction().
  DataDirection direction = DataDirection::none;
};

// The opcodes an initiator of ours sends; every other one is found by find_opcode.
enum class AtaOp : std::uint8_t {
  data_set_management = 0x06,
  read = 0x20,
  read_ext = 0x24,
  read_native_max_ext = 0x27,
  write = 0x30,
  write_ext = 0x34,
  write_dma_fua_ext = 0x3D,
  smart = 0xB0,
  check_power = 0xE5,
  flush = 0xE7,
  flush_ext = 0xEA,
  identify = 0xEC,
  set_features = 0xEF,
};

// Always an entry: opcodes that nobody defines, or that AoE cannot carry (PACKET, NCQ), are kind
// unsupported with the name "?" or their own.
[[nodiscard]] const AtaOpcode& find_opcode(std::uint8_t opcode);

// SMART sub-commands, in the feature register (ATA8-ACS 7.52; obsolete ones from ATA-5).
enum class SmartFeature : std::uint8_t {
  read_data = 0xD0,
  read_thresholds = 0xD1,
  attribute_autosave = 0xD2,
  save_attributes = 0xD3,
  offline_immediate = 0xD4,
  read_log = 0xD5,
  write_log = 0xD6,
  enable = 0xD8,
  disable = 0xD9,
  return_status = 0xDA,
};

[[nodiscard]] DataDirection smart_direction(std::uint8_t feature);
// Which way the data of the command in a request flows.
[[nodiscard]] DataDirection data_direction(const AtaArgument& request);
// Empty for a sub-command nobody defines.
[[nodiscard]] const char* smart_feature_name(std::uint8_t feature);

// The signature every SMART command carries in LBA 15:8 and 23:16, and RETURN STATUS answers with:
// 4Fh C2h healthy, F4h 2Ch threshold exceeded.
inline constexpr std::uint8_t kSmartSignatureMid = 0x4F;
inline constexpr std::uint8_t kSmartSignatureHigh = 0xC2;
inline constexpr std::uint8_t kSmartFailingMid = 0xF4;
inline constexpr std::uint8_t kSmartFailingHigh = 0x2C;

}  // namespace aoe::protocol
