#include "protocol/dissect.h"

#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/aoe_session.h"
#include "protocol/dissect_text.h"

#include <algorithm>
#include <vector>

namespace aoe::protocol {
namespace {

constexpr std::size_t kVlanTagBytes = 4;
constexpr std::uint16_t kVlanEtherType = 0x8100;
constexpr std::uint16_t kServiceVlanEtherType = 0x88A8;

// The frame without its VLAN tag. `copy` holds the bytes when there was one.
struct Untagged {
  ConstByteSpan bytes;
  std::optional<std::uint16_t> vlan;
};

Untagged untag(ConstByteSpan frame, std::vector<std::byte>& copy) {
  if (frame.size() < kEthernetHeaderBytes + kVlanTagBytes) {
    return {.bytes = frame, .vlan = std::nullopt};
  }
  const std::uint16_t ether_type = load_be16(frame, 12);
  if (ether_type != kVlanEtherType && ether_type != kServiceVlanEtherType) {
    return {.bytes = frame, .vlan = std::nullopt};
  }
  const auto tag = static_cast<std::uint16_t>(load_be16(frame, 14) & 0x0FFFU);
  copy.resize(frame.size() - kVlanTagBytes);
  copy_bytes(copy, frame.first(12));
  copy_bytes(ByteSpan(copy).subspan(12), frame.subspan(12 + kVlanTagBytes));
  return {.bytes = copy, .vlan = tag};
}

std::string address_text(DeviceAddress address) {
  return "e" + (address.shelf == kAllShelves ? "*" : std::to_string(address.shelf.value)) + "." +
         (address.slot == kAllSlots ? "*" : std::to_string(address.slot.value));
}

const char* config_command_text(std::uint8_t command) {
  switch (static_cast<ConfigCommand>(command)) {
    case ConfigCommand::read:
      return "read";
    case ConfigCommand::test:
      return "test";
    case ConfigCommand::prefix_test:
      return "prefix test";
    case ConfigCommand::set:
      return "set";
    case ConfigCommand::force_set:
      return "force set";
  }
  return "unknown";
}

const char* mask_command_text(std::uint8_t command) {
  switch (static_cast<MaskCommand>(command)) {
    case MaskCommand::read:
      return "read";
    case MaskCommand::edit:
      return "edit";
  }
  return "unknown";
}

const char* mask_error_text(std::uint8_t error) {
  switch (static_cast<MaskError>(error)) {
    case MaskError::none:
      return "none";
    case MaskError::unspecified:
      return "unspecified";
    case MaskError::bad_directive:
      return "bad directive";
    case MaskError::list_full:
      return "list full";
  }
  return "unknown";
}

const char* mask_action_text(std::uint8_t action) {
  switch (static_cast<MaskAction>(action)) {
    case MaskAction::none:
      return "none";
    case MaskAction::add:
      return "add";
    case MaskAction::remove:
      return "delete";
  }
  return "unknown";
}

const char* reserve_command_text(std::uint8_t command) {
  switch (static_cast<ReserveCommand>(command)) {
    case ReserveCommand::read:
      return "read";
    case ReserveCommand::set:
      return "set";
    case ReserveCommand::force_set:
      return "force set";
  }
  return "unknown";
}

std::string numbered(std::uint64_t number, std::string_view name) {
  return std::to_string(number) + " (" + std::string(name) + ")";
}

std::string malformed_text(WireError error, ConstByteSpan frame) {
  std::string text = "malformed: ";
  text += wire_error_text(error);
  if (error == WireError::not_aoe) {
    text += " but " + hex_text(load_be16(frame, 12), 4);
  }
  return text + ", " + std::to_string(frame.size()) + " bytes";
}

FrameRole role_of(const FrameHeader& header) {
  if (!header.is_response) {
    return FrameRole::request;
  }
  return header.is_error ? FrameRole::error_reply : FrameRole::reply;
}

std::string config_line(ConstByteSpan frame, FrameRole role) {
  const auto config = parse_config(frame);
  if (!config) {
    return malformed_text(config.error(), frame);
  }
  std::string text = std::string("config ") + config_command_text(config->command);
  if (role != FrameRole::request) {
    text += " buffers " + std::to_string(config->buffer_count) + " firmware " +
            hex_text(config->firmware_version, 4) + " sectors " +
            std::to_string(config->sector_count);
  } else if (config->command == static_cast<std::uint8_t>(ConfigCommand::read)) {
    return text;
  }
  return text + " string " + quoted_text(config->string);
}

std::string mask_line(ConstByteSpan frame, FrameRole role) {
  const auto mask = parse_mask(frame);
  if (!mask) {
    return malformed_text(mask.error(), frame);
  }
  std::string text = std::string("mask ") + mask_command_text(mask->command);
  if (role != FrameRole::request && mask->error != 0) {
    return text + " stopped at directive " + std::to_string(mask->directive_count) + ": " +
           mask_error_text(mask->error);
  }
  for (std::size_t i = 0; i < mask->size(); ++i) {
    const MaskDirective directive = mask->directive(i);
    text += " ";
    if (role == FrameRole::request) {
      text += std::string(mask_action_text(directive.action)) + " ";
    }
    text += to_string(directive.mac);
  }
  return text + (mask->size() == 0 && role != FrameRole::request ? " empty" : "");
}

std::string reserve_line(ConstByteSpan frame) {
  const auto reserve = parse_reserve(frame);
  if (!reserve) {
    return malformed_text(reserve.error(), frame);
  }
  std::string text = std::string("reserve ") + reserve_command_text(reserve->command);
  for (std::size_t i = 0; i < reserve->mac_count; ++i) {
    text += " " + to_string(reserve->address(i));
  }
  return text + (reserve->mac_count == 0 ? " empty" : "");
}

std::string argument_line(ConstByteSpan frame, const FrameHeader& header,
                          const DissectOptions& options) {
  const FrameRole role = role_of(header);
  switch (static_cast<Command>(header.command)) {
    case Command::ata:
      if (const auto ata = parse_ata(in_front_of_seal(frame))) {
        return ata_line(*ata, role, options) + seal_line(frame);
      } else {
        return malformed_text(ata.error(), frame);
      }
    case Command::config:
      return config_line(frame, role);
    case Command::mac_mask:
      return mask_line(frame, role);
    case Command::reserve:
      return reserve_line(frame);
    case Command::keyed_reserve:
      break;
  }
  if (header.command == kHelloCommand) {
    return hello_line(frame);
  }
  return std::string(command_text(header.command)) + " command " + hex_text(header.command, 2);
}

void add_header_fields(FieldLines& lines, ConstByteSpan frame, const FrameHeader& header) {
  lines.add("destination", to_string(header.destination));
  lines.add("source", to_string(header.source));
  lines.add("version", header.version);
  const std::uint8_t flags = load_u8(frame, 14) & 0xFU;
  std::string names = header.is_response ? "response" : "request";
  names += header.is_error ? ", error" : "";
  names += (flags & 0x3U) != 0 ? ", reserved bits set" : "";
  lines.add_hex("flags", flags, 1, names);
  lines.add("error", numbered(header.error, !header.is_error && header.error != 0
                                                ? "meaningless without the error flag"
                                                : aoe_error_text(header.error)));
  const DeviceAddress address = header.address;
  lines.add("shelf", address.shelf == kAllShelves ? numbered(address.shelf.value, "every shelf")
                                                  : std::to_string(address.shelf.value));
  lines.add("slot", address.slot == kAllSlots ? numbered(address.slot.value, "every slot")
                                              : std::to_string(address.slot.value));
  lines.add("command", numbered(header.command, command_text(header.command)));
  lines.add_hex("tag", header.tag.value, 8);
}

void add_config_fields(FieldLines& lines, ConstByteSpan frame, PayloadDetail detail) {
  const auto config = parse_config(frame);
  if (!config) {
    lines.add("argument", malformed_text(config.error(), frame));
    return;
  }
  lines.add("buffer count", config->buffer_count);
  lines.add_hex("firmware version", config->firmware_version, 4);
  lines.add("sector count", config->sector_count);
  lines.add("protocol version", config->protocol_version);
  lines.add("config command", numbered(config->command, config_command_text(config->command)));
  const std::uint16_t stated = load_be16(frame, 30);
  lines.add("string length", stated == config->string.size()
                                 ? std::to_string(stated)
                                 : numbered(stated, "not looked at in a read request"));
  if (!config->string.empty()) {
    lines.add("string", quoted_text(config->string));
  }
  add_trailing(lines, frame.subspan(kConfigHeaderBytes + config->string.size()), detail);
}

void add_mask_fields(FieldLines& lines, ConstByteSpan frame, PayloadDetail detail) {
  const auto mask = parse_mask(frame);
  if (!mask) {
    lines.add("argument", malformed_text(mask.error(), frame));
    return;
  }
  lines.add("mask command", numbered(mask->command, mask_command_text(mask->command)));
  lines.add("mask error", numbered(mask->error, mask_error_text(mask->error)));
  lines.add("directive count", mask->directive_count);
  for (std::size_t i = 0; i < mask->size(); ++i) {
    const MaskDirective directive = mask->directive(i);
    lines.add("directive " + std::to_string(i),
              numbered(directive.action, mask_action_text(directive.action)) + " " +
                  to_string(directive.mac));
  }
  add_trailing(lines, frame.subspan(kMaskHeaderBytes + mask->directives.size()), detail);
}

void add_reserve_fields(FieldLines& lines, ConstByteSpan frame, PayloadDetail detail) {
  const auto reserve = parse_reserve(frame);
  if (!reserve) {
    lines.add("argument", malformed_text(reserve.error(), frame));
    return;
  }
  lines.add("reserve command", numbered(reserve->command, reserve_command_text(reserve->command)));
  lines.add("address count", load_u8(frame, 25));
  for (std::size_t i = 0; i < reserve->mac_count; ++i) {
    lines.add("address " + std::to_string(i), to_string(reserve->address(i)));
  }
  add_trailing(lines, frame.subspan(kReserveHeaderBytes + reserve->addresses.size()), detail);
}

void add_argument_fields(FieldLines& lines, ConstByteSpan frame, const FrameHeader& header,
                         const DissectOptions& options) {
  switch (static_cast<Command>(header.command)) {
    case Command::ata:
      if (const auto ata = parse_ata(in_front_of_seal(frame))) {
        add_ata_fields(lines, *ata, role_of(header), options);
        add_seal_fields(lines, frame);
      } else {
        lines.add("argument", malformed_text(ata.error(), frame));
      }
      return;
    case Command::config:
      add_config_fields(lines, frame, options.payload);
      return;
    case Command::mac_mask:
      add_mask_fields(lines, frame, options.payload);
      return;
    case Command::reserve:
      add_reserve_fields(lines, frame, options.payload);
      return;
    case Command::keyed_reserve:
      break;
  }
  if (header.command == kHelloCommand) {
    add_hello_fields(lines, frame, options.payload);
    return;
  }
  add_trailing(lines, frame.subspan(kHeaderBytes), options.payload);
}

}  // namespace

std::string dissect_line(ConstByteSpan frame, const DissectOptions& options) {
  std::vector<std::byte> copy;
  const Untagged untagged = untag(frame, copy);
  const auto header = parse_header(untagged.bytes);
  if (!header) {
    return malformed_text(header.error(), untagged.bytes);
  }
  std::string text = to_string(header->source) + " > " + to_string(header->destination) + " " +
                     address_text(header->address);
  if (untagged.vlan) {
    text += " vlan " + std::to_string(*untagged.vlan);
  }
  // Only what nobody asked for goes to everybody.
  const bool is_unasked = header->is_response && header->destination.is_group();
  text += is_unasked ? " advertisement " : header->is_response ? " reply " : " request ";
  text += hex_text(header->tag.value, 8) + " ";
  // vblade announces itself with version 0.
  if (header->version != kVersion) {
    text += "version " + std::to_string(header->version) + " ";
  }
  if (header->is_error) {
    text += "error " + numbered(header->error, aoe_error_text(header->error)) + " ";
  }
  return text + argument_line(untagged.bytes, *header, options);
}

std::string dissect_fields(ConstByteSpan frame, const DissectOptions& options) {
  FieldLines lines;
  lines.add("length", frame.size());
  std::vector<std::byte> copy;
  const Untagged untagged = untag(frame, copy);
  if (untagged.vlan) {
    lines.add("vlan", *untagged.vlan);
  }
  const auto header = parse_header(untagged.bytes);
  if (!header) {
    lines.add("frame", malformed_text(header.error(), untagged.bytes));
    return std::move(lines).take();
  }
  add_header_fields(lines, untagged.bytes, *header);
  add_argument_fields(lines, untagged.bytes, *header, options);
  return std::move(lines).take();
}

const char* command_text(std::uint8_t command) {
  switch (static_cast<Command>(command)) {
    case Command::ata:
      return "ATA";
    case Command::config:
      return "config";
    case Command::mac_mask:
      return "mask";
    case Command::reserve:
      return "reserve";
    case Command::keyed_reserve:
      return "keyed reserve";
  }
  return command >= kVendorCommandFirst ? "vendor" : "unknown";
}

}  // namespace aoe::protocol
