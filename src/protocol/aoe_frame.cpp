#include "protocol/aoe_frame.h"

namespace aoe::protocol {
namespace {

constexpr std::uint8_t kFlagResponse = 0x08;
constexpr std::uint8_t kFlagError = 0x04;

}  // namespace

const char* aoe_error_text(std::uint8_t code) {
  switch (static_cast<AoeError>(code)) {
    case AoeError::none:
      return "no error";
    case AoeError::unknown_command:
      return "unrecognised command code";
    case AoeError::bad_argument:
      return "bad argument";
    case AoeError::device_unavailable:
      return "device unavailable";
    case AoeError::config_string_present:
      return "config string present";
    case AoeError::unsupported_version:
      return "unsupported version";
    case AoeError::target_reserved:
      return "target is reserved";
  }
  return "unknown error";
}

const char* wire_error_text(WireError error) {
  switch (error) {
    case WireError::runt:
      return "shorter than an AoE header (24 bytes)";
    case WireError::not_aoe:
      return "not EtherType 88a2";
    case WireError::short_argument:
      return "argument cut off";
    case WireError::bad_length:
      return "a length reaches past the end of the frame";
  }
  return "unknown";
}

Result<FrameHeader, WireError> parse_header(ConstByteSpan frame) {
  if (frame.size() < kHeaderBytes) {
    return fail(WireError::runt);
  }
  if (load_be16(frame, 12) != kEtherType) {
    return fail(WireError::not_aoe);
  }
  const std::uint8_t version_flags = load_u8(frame, 14);
  return FrameHeader{
      .destination = load_mac(frame, 0),
      .source = load_mac(frame, 6),
      .version = static_cast<std::uint8_t>(version_flags >> 4U),
      .is_response = (version_flags & kFlagResponse) != 0,
      .is_error = (version_flags & kFlagError) != 0,
      .error = load_u8(frame, 15),
      .address = {Shelf{load_be16(frame, 16)}, Slot{load_u8(frame, 18)}},
      .command = load_u8(frame, 19),
      .tag = Tag{load_be32(frame, 20)},
  };
}

void build_header(ByteSpan frame, const FrameHeader& header) {
  const ByteSpan bytes = frame.first(kHeaderBytes);
  store_mac(bytes, 0, header.destination);
  store_mac(bytes, 6, header.source);
  store_be16(bytes, 12, kEtherType);
  store_u8(bytes, 14,
           static_cast<std::uint8_t>((header.version & 0xFU) << 4U |
                                     (header.is_response ? kFlagResponse : 0U) |
                                     (header.is_error ? kFlagError : 0U)));
  store_u8(bytes, 15, header.error);
  store_be16(bytes, 16, header.address.shelf.value);
  store_u8(bytes, 18, header.address.slot.value);
  store_u8(bytes, 19, header.command);
  store_be32(bytes, 20, header.tag.value);
}

FrameHeader reply_header(const FrameHeader& request, const MacAddress& port_mac,
                         DeviceAddress address) {
  return FrameHeader{
      .destination = request.source,
      .source = port_mac,
      .version = kVersion,
      .is_response = true,
      .is_error = false,
      .error = 0,
      .address = address,
      .command = request.command,
      .tag = request.tag,
  };
}

}  // namespace aoe::protocol
