#include "protocol/ata_command.h"

#include <array>
#include <cstddef>

namespace aoe::protocol {
namespace {

using enum AtaKind;
constexpr auto kNone = AddressWidth::none;
constexpr auto k28 = AddressWidth::lba28;
constexpr auto k48 = AddressWidth::lba48;
constexpr auto kNoData = DataDirection::none;
constexpr auto kIn = DataDirection::in;
constexpr auto kOut = DataDirection::out;

// In the order of their codes. Opcodes with kind unsupported are here for their names only.
constexpr auto kOpcodes = std::to_array<AtaOpcode>({
    {0x00, "NOP", unsupported, kNone, kNoData},
    {0x06, "DATA SET MANAGEMENT", data_set_management, k48, kOut},
    {0x08, "DEVICE RESET", unsupported, kNone, kNoData},
    {0x10, "RECALIBRATE", no_operation_ok, kNone, kNoData},
    {0x20, "READ SECTORS", read, k28, kIn},
    {0x21, "READ SECTORS (no retry)", read, k28, kIn},
    {0x24, "READ SECTORS EXT", read, k48, kIn},
    {0x25, "READ DMA EXT", read, k48, kIn},
    {0x27, "READ NATIVE MAX ADDRESS EXT", read_native_max, k48, kNoData},
    {0x29, "READ MULTIPLE EXT", read, k48, kIn},
    {0x2A, "READ STREAM DMA EXT", unsupported, k48, kIn},
    {0x2B, "READ STREAM EXT", unsupported, k48, kIn},
    {0x2F, "READ LOG EXT", unsupported, k48, kIn},
    {0x30, "WRITE SECTORS", write, k28, kOut},
    {0x31, "WRITE SECTORS (no retry)", write, k28, kOut},
    {0x34, "WRITE SECTORS EXT", write, k48, kOut},
    {0x35, "WRITE DMA EXT", write, k48, kOut},
    {0x37, "SET MAX ADDRESS EXT", unsupported, k48, kNoData},
    {0x39, "WRITE MULTIPLE EXT", write, k48, kOut},
    {0x3A, "WRITE STREAM DMA EXT", unsupported, k48, kOut},
    {0x3B, "WRITE STREAM EXT", unsupported, k48, kOut},
    {0x3D, "WRITE DMA FUA EXT", write_fua, k48, kOut},
    {0x3F, "WRITE LOG EXT", unsupported, k48, kOut},
    {0x40, "READ VERIFY SECTORS", read_verify, k28, kNoData},
    {0x41, "READ VERIFY SECTORS (no retry)", read_verify, k28, kNoData},
    {0x42, "READ VERIFY SECTORS EXT", read_verify, k48, kNoData},
    {0x45, "WRITE UNCORRECTABLE EXT", unsupported, k48, kNoData},
    {0x47, "READ LOG DMA EXT", unsupported, k48, kIn},
    {0x57, "WRITE LOG DMA EXT", unsupported, k48, kOut},
    {0x5B, "TRUSTED NON-DATA", unsupported, kNone, kNoData},
    {0x5C, "TRUSTED RECEIVE", unsupported, kNone, kIn},
    {0x5D, "TRUSTED RECEIVE DMA", unsupported, kNone, kIn},
    {0x5E, "TRUSTED SEND", unsupported, kNone, kOut},
    {0x5F, "TRUSTED SEND DMA", unsupported, kNone, kOut},
    {0x60, "READ FPDMA QUEUED", unsupported, k48, kIn},
    {0x61, "WRITE FPDMA QUEUED", unsupported, k48, kOut},
    {0x63, "NCQ NON-DATA", unsupported, k48, kNoData},
    {0x64, "SEND FPDMA QUEUED", unsupported, k48, kOut},
    {0x65, "RECEIVE FPDMA QUEUED", unsupported, k48, kIn},
    {0x70, "SEEK", no_operation_ok, k28, kNoData},
    {0x77, "SET DATE & TIME EXT", unsupported, k48, kNoData},
    {0x78, "ACCESSIBLE MAX ADDRESS CONFIGURATION", unsupported, k48, kNoData},
    {0x90, "EXECUTE DEVICE DIAGNOSTIC", diagnostic, kNone, kNoData},
    {0x91, "INITIALIZE DEVICE PARAMETERS", no_operation_ok, kNone, kNoData},
    {0x92, "DOWNLOAD MICROCODE", unsupported, kNone, kOut},
    {0x94, "STANDBY IMMEDIATE (old)", power, kNone, kNoData},
    {0x95, "IDLE IMMEDIATE (old)", power, kNone, kNoData},
    {0x96, "STANDBY (old)", power, kNone, kNoData},
    {0x97, "IDLE (old)", power, kNone, kNoData},
    {0x98, "CHECK POWER MODE (old)", check_power, kNone, kNoData},
    {0x99, "SLEEP (old)", power, kNone, kNoData},
    {0xA0, "PACKET", unsupported, kNone, kNoData},
    {0xA1, "IDENTIFY PACKET DEVICE", unsupported, kNone, kNoData},
    {0xA2, "SERVICE", unsupported, kNone, kNoData},
    {0xB0, "SMART", smart, kNone, kNoData},
    {0xB1, "DEVICE CONFIGURATION", unsupported, kNone, kNoData},
    {0xB4, "SANITIZE DEVICE", unsupported, k48, kNoData},
    {0xC4, "READ MULTIPLE", read, k28, kIn},
    {0xC5, "WRITE MULTIPLE", write, k28, kOut},
    {0xC6, "SET MULTIPLE MODE", set_multiple, kNone, kNoData},
    {0xC8, "READ DMA", read, k28, kIn},
    {0xC9, "READ DMA (no retry)", read, k28, kIn},
    {0xCA, "WRITE DMA", write, k28, kOut},
    {0xCB, "WRITE DMA (no retry)", write, k28, kOut},
    {0xCE, "WRITE MULTIPLE FUA EXT", write_fua, k48, kOut},
    {0xE0, "STANDBY IMMEDIATE", power, kNone, kNoData},
    {0xE1, "IDLE IMMEDIATE", power, kNone, kNoData},
    {0xE2, "STANDBY", power, kNone, kNoData},
    {0xE3, "IDLE", power, kNone, kNoData},
    {0xE4, "READ BUFFER", unsupported, kNone, kIn},
    {0xE5, "CHECK POWER MODE", check_power, kNone, kNoData},
    {0xE6, "SLEEP", power, kNone, kNoData},
    {0xE7, "FLUSH CACHE", flush, k28, kNoData},
    {0xE8, "WRITE BUFFER", unsupported, kNone, kOut},
    {0xEA, "FLUSH CACHE EXT", flush, k48, kNoData},
    {0xEC, "IDENTIFY DEVICE", identify, kNone, kIn},
    {0xEF, "SET FEATURES", set_features, kNone, kNoData},
    {0xF1, "SECURITY SET PASSWORD", unsupported, kNone, kOut},
    {0xF2, "SECURITY UNLOCK", unsupported, kNone, kOut},
    {0xF3, "SECURITY ERASE PREPARE", unsupported, kNone, kNoData},
    {0xF4, "SECURITY ERASE UNIT", unsupported, kNone, kOut},
    {0xF5, "SECURITY FREEZE LOCK", no_operation_ok, kNone, kNoData},
    {0xF6, "SECURITY DISABLE PASSWORD", unsupported, kNone, kOut},
    {0xF8, "READ NATIVE MAX ADDRESS", read_native_max, k28, kNoData},
    {0xF9, "SET MAX ADDRESS", unsupported, k28, kNoData},
});

constexpr auto kByCode = [] {
  std::array<AtaOpcode, 256> table{};
  for (std::size_t code = 0; code < table.size(); ++code) {
    table[code] = {static_cast<std::uint8_t>(code), "?", unsupported, kNone, kNoData};
  }
  for (const AtaOpcode& entry : kOpcodes) {
    table[entry.opcode] = entry;
  }
  return table;
}();

}  // namespace

const AtaOpcode& find_opcode(std::uint8_t opcode) {
  return kByCode[opcode];
}

DataDirection smart_direction(std::uint8_t feature) {
  switch (static_cast<SmartFeature>(feature)) {
    case SmartFeature::read_data:
    case SmartFeature::read_thresholds:
    case SmartFeature::read_log:
      return DataDirection::in;
    case SmartFeature::write_log:
      return DataDirection::out;
    case SmartFeature::attribute_autosave:
    case SmartFeature::save_attributes:
    case SmartFeature::offline_immediate:
    case SmartFeature::enable:
    case SmartFeature::disable:
    case SmartFeature::return_status:
      return DataDirection::none;
  }
  return DataDirection::none;
}

DataDirection data_direction(const AtaArgument& request) {
  const AtaOpcode& opcode = find_opcode(request.command_status);
  return opcode.kind == AtaKind::smart ? smart_direction(request.feature_error) : opcode.direction;
}

const char* smart_feature_name(std::uint8_t feature) {
  switch (static_cast<SmartFeature>(feature)) {
    case SmartFeature::read_data:
      return "READ DATA";
    case SmartFeature::read_thresholds:
      return "READ THRESHOLDS";
    case SmartFeature::attribute_autosave:
      return "ATTRIBUTE AUTOSAVE";
    case SmartFeature::save_attributes:
      return "SAVE ATTRIBUTE VALUES";
    case SmartFeature::offline_immediate:
      return "EXECUTE OFF-LINE IMMEDIATE";
    case SmartFeature::read_log:
      return "READ LOG";
    case SmartFeature::write_log:
      return "WRITE LOG";
    case SmartFeature::enable:
      return "ENABLE OPERATIONS";
    case SmartFeature::disable:
      return "DISABLE OPERATIONS";
    case SmartFeature::return_status:
      return "RETURN STATUS";
  }
  return "";
}

}  // namespace aoe::protocol
