#include "protocol/ata_command.h"
#include "protocol/ata_registers.h"
#include "protocol/dissect_text.h"

#include <algorithm>
#include <array>

namespace aoe::protocol {
namespace {

// Names of the eight bits of a register, highest first.
using BitNames = std::array<const char*, 8>;
constexpr BitNames kStatusNames = {"BSY", "DRDY", "DF", "DSC", "DRQ", "CORR", "IDX", "ERR"};
constexpr BitNames kErrorNames = {"ICRC", "UNC", "MC", "IDNF", "MCR", "ABRT", "NM", "AMNF"};
constexpr BitNames kFlagNames = {"reserved 80", "extended",    "reserved 20",  "device",
                                 "reserved 08", "reserved 04", "asynchronous", "write"};

std::string bit_text(std::uint8_t value, const BitNames& names, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((value & 0x80U >> i) != 0) {
      text.append(text.empty() ? "" : separator).append(names[i]);
    }
  }
  return text.empty() ? "none" : text;
}

// The commonest sub-commands of SET FEATURES (ATA8-ACS 7.45).
const char* set_features_name(std::uint8_t feature) {
  switch (feature) {
    case 0x02:
      return "enable write cache";
    case 0x03:
      return "set transfer mode";
    case 0x05:
      return "enable power management";
    case 0x07:
      return "spin up";
    case 0x10:
      return "enable SATA feature";
    case 0x42:
      return "enable acoustic management";
    case 0x55:
      return "disable look-ahead";
    case 0x66:
      return "keep settings over reset";
    case 0x82:
      return "disable write cache";
    case 0x85:
      return "disable power management";
    case 0x90:
      return "disable SATA feature";
    case 0xAA:
      return "enable look-ahead";
    case 0xC2:
      return "disable acoustic management";
    case 0xCC:
      return "revert settings at reset";
    default:
      return "";
  }
}

const char* feature_text(const AtaOpcode& opcode, std::uint8_t feature) {
  switch (opcode.kind) {
    case AtaKind::smart:
      return smart_feature_name(feature);
    case AtaKind::set_features:
      return set_features_name(feature);
    case AtaKind::data_set_management:
      return feature == 1 ? "TRIM" : "";
    default:
      return "";
  }
}

std::string opcode_text(const AtaOpcode& opcode) {
  std::string text = opcode.name;
  return text == "?" ? "ATA command " + hex_text(opcode.opcode, 2) : text;
}

// FLUSH CACHE and DATA SET MANAGEMENT have address registers but no address in them.
bool has_address(const AtaOpcode& opcode) {
  return opcode.width != AddressWidth::none && opcode.kind != AtaKind::flush &&
         opcode.kind != AtaKind::data_set_management && opcode.kind != AtaKind::read_native_max;
}

Lba address_of(const AtaArgument& argument, AddressWidth width) {
  return width == AddressWidth::lba28 ? argument.lba28() : argument.lba48();
}

// How many bytes of data the command moves, as far as the request tells.
std::size_t data_bytes(const AtaArgument& request) {
  const bool is_identify = find_opcode(request.command_status).kind == AtaKind::identify;
  return (is_identify ? std::size_t{1} : request.sector_count) * kSectorBytes;
}

struct Parts {
  ConstByteSpan data;
  ConstByteSpan trailing;
  std::size_t missing_bytes = 0;
};

Parts split(ConstByteSpan bytes, std::size_t wanted_bytes) {
  const std::size_t present = std::min(bytes.size(), wanted_bytes);
  return {.data = bytes.first(present),
          .trailing = bytes.subspan(present),
          .missing_bytes = wanted_bytes - present};
}

// Where data ends and padding begins.
Parts parts_of(const AtaFrame& ata, FrameRole role, const DissectOptions& options) {
  const AtaArgument& argument = ata.argument;
  switch (role) {
    case FrameRole::request:
      return split(ata.data,
                   data_direction(argument) == DataDirection::out ? data_bytes(argument) : 0);
    case FrameRole::error_reply:
      return split(ata.data, 0);
    case FrameRole::reply:
      break;
  }
  if (options.request) {
    const bool is_failed = (argument.command_status & kStatusFailureMask) != 0;
    const bool is_read = data_direction(*options.request) == DataDirection::in;
    return split(ata.data, is_read && !is_failed ? data_bytes(*options.request) : 0);
  }
  // Data comes in whole sectors and padding never adds up to one.
  return split(ata.data, ata.data.size() / kSectorBytes * kSectorBytes);
}

std::string parts_line(const Parts& parts) {
  std::string text;
  if (!parts.data.empty()) {
    text += ", " + std::to_string(parts.data.size()) + " data bytes";
  }
  if (parts.missing_bytes != 0) {
    text += ", " + std::to_string(parts.missing_bytes) + " data bytes missing";
  }
  return text;
}

std::string request_line(const AtaArgument& argument) {
  const AtaOpcode& opcode = find_opcode(argument.command_status);
  std::string text = opcode_text(opcode);
  const std::string feature = feature_text(opcode, argument.feature_error);
  if (!feature.empty()) {
    text += " " + feature;
  } else if (argument.feature_error != 0) {
    text += " feature " + hex_text(argument.feature_error, 2);
  }
  if (has_address(opcode)) {
    text += " lba " + std::to_string(address_of(argument, opcode.width).value);
  }
  return text + " count " + std::to_string(argument.sector_count);
}

std::string power_mode_text(std::uint8_t count) {
  switch (count) {
    case 0x00:
      return "standby";
    case 0x80:
      return "idle";
    case 0xFF:
      return "active or idle";
    default:
      return "unknown";
  }
}

// What the registers of a reply mean after this command; empty where they say nothing.
std::string result_text(const AtaArgument& request, const AtaArgument& reply) {
  const AtaOpcode& opcode = find_opcode(request.command_status);
  if ((reply.command_status & kStatusFailureMask) != 0) {
    return has_address(opcode)
               ? "failed at lba " + std::to_string(address_of(reply, opcode.width).value)
               : std::string();
  }
  if (opcode.kind == AtaKind::check_power) {
    return power_mode_text(reply.sector_count);
  }
  if (opcode.kind == AtaKind::read_native_max) {
    return "last lba " + std::to_string(address_of(reply, opcode.width).value);
  }
  if (opcode.kind == AtaKind::smart &&
      request.feature_error == static_cast<std::uint8_t>(SmartFeature::return_status)) {
    if (reply.lba[1] == kSmartSignatureMid && reply.lba[2] == kSmartSignatureHigh) {
      return "healthy";
    }
    return reply.lba[1] == kSmartFailingMid && reply.lba[2] == kSmartFailingHigh
               ? "threshold exceeded"
               : "unknown health";
  }
  return {};
}

std::string reply_line(const AtaArgument& argument, const DissectOptions& options) {
  std::string text = "ATA";
  if (options.request) {
    text = opcode_text(find_opcode(options.request->command_status));
  }
  text += " status " + ata_status_text(argument.command_status);
  if ((argument.command_status & kStatusFailureMask) != 0) {
    text += " error " + ata_error_text(argument.feature_error);
  }
  if (options.request) {
    const std::string result = result_text(*options.request, argument);
    return result.empty() ? text : text + " " + result;
  }
  const Lba lba = argument.is_extended() ? argument.lba48() : argument.lba28();
  return text + " lba " + std::to_string(lba.value) + " count " +
         std::to_string(argument.sector_count);
}

std::string raw_lba_text(const AtaArgument& argument) {
  std::string text;
  for (const std::uint8_t byte : argument.lba) {
    text += (text.empty() ? "" : " ") + hex_text(byte, 2);
  }
  return text;
}

void add_request_fields(FieldLines& lines, const AtaArgument& argument) {
  const AtaOpcode& opcode = find_opcode(argument.command_status);
  lines.add_hex("feature", argument.feature_error, 2, feature_text(opcode, argument.feature_error));
  lines.add("count", argument.sector_count);
  lines.add_hex("opcode", opcode.opcode, 2, opcode.name);
  lines.add("lba bytes", raw_lba_text(argument));
  if (has_address(opcode)) {
    lines.add("lba", address_of(argument, opcode.width).value);
  }
  if (!argument.is_extended()) {
    lines.add_hex("device register", argument.lba[3] & 0xF0U, 2);
  }
}

void add_reply_fields(FieldLines& lines, const AtaArgument& argument,
                      const DissectOptions& options) {
  lines.add_hex("error register", argument.feature_error, 2,
                ata_error_text(argument.feature_error));
  lines.add("count", argument.sector_count);
  lines.add_hex("status", argument.command_status, 2, ata_status_text(argument.command_status));
  lines.add("lba bytes", raw_lba_text(argument));
  if (options.request) {
    lines.add("answers", opcode_text(find_opcode(options.request->command_status)));
    const std::string result = result_text(*options.request, argument);
    if (!result.empty()) {
      lines.add("result", result);
    }
  }
}

// Some targets echo the request's registers in an error reply, others send zeros.
void add_echoed_fields(FieldLines& lines, const AtaArgument& argument) {
  lines.add_hex("echoed feature or error", argument.feature_error, 2);
  lines.add("echoed count", argument.sector_count);
  lines.add_hex("echoed opcode or status", argument.command_status, 2);
  lines.add("echoed lba bytes", raw_lba_text(argument));
}

}  // namespace

std::string ata_status_text(std::uint8_t status) {
  return bit_text(status, kStatusNames, " ");
}

std::string ata_error_text(std::uint8_t error) {
  return bit_text(error, kErrorNames, " ");
}

std::string ata_line(const AtaFrame& ata, FrameRole role, const DissectOptions& options) {
  switch (role) {
    case FrameRole::request:
      return request_line(ata.argument) + parts_line(parts_of(ata, role, options));
    case FrameRole::reply:
      return reply_line(ata.argument, options) + parts_line(parts_of(ata, role, options));
    case FrameRole::error_reply:
      break;
  }
  return "ATA";
}

void add_ata_fields(FieldLines& lines, const AtaFrame& ata, FrameRole role,
                    const DissectOptions& options) {
  lines.add_hex("ata flags", ata.argument.flags, 2, bit_text(ata.argument.flags, kFlagNames, ", "));
  switch (role) {
    case FrameRole::request:
      add_request_fields(lines, ata.argument);
      break;
    case FrameRole::reply:
      add_reply_fields(lines, ata.argument, options);
      break;
    case FrameRole::error_reply:
      add_echoed_fields(lines, ata.argument);
      break;
  }
  const Parts parts = parts_of(ata, role, options);
  if (!parts.data.empty() || parts.missing_bytes != 0) {
    std::string text = std::to_string(parts.data.size()) + " bytes";
    if (parts.missing_bytes != 0) {
      text += ", " + std::to_string(parts.missing_bytes) + " missing";
    }
    lines.add("data", text);
  }
  if (options.payload != PayloadDetail::length && !parts.data.empty()) {
    if (role == FrameRole::request) {
      add_payload_fields(lines, ata.argument, parts.data);
    } else if (options.request) {
      add_payload_fields(lines, *options.request, parts.data);
    }
  }
  if (options.payload == PayloadDetail::hex) {
    lines.add_dump("data", parts.data);
  }
  add_trailing(lines, parts.trailing, options.payload);
}

}  // namespace aoe::protocol
