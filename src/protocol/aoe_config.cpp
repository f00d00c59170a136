#include "protocol/aoe_config.h"

#include "base/check.h"

namespace aoe::protocol {

Result<ConfigFrame, WireError> parse_config(ConstByteSpan frame) {
  if (frame.size() < kConfigHeaderBytes) {
    return fail(WireError::short_argument);
  }
  const std::uint8_t version_command = load_u8(frame, 29);
  ConfigFrame config;
  config.buffer_count = load_be16(frame, 24);
  config.firmware_version = load_be16(frame, 26);
  config.sector_count = load_u8(frame, 28);
  config.protocol_version = static_cast<std::uint8_t>(version_command >> 4U);
  config.command = static_cast<std::uint8_t>(version_command & 0xFU);

  const bool is_response = (load_u8(frame, 14) & 0x08U) != 0;
  if (config.command == static_cast<std::uint8_t>(ConfigCommand::read) && !is_response) {
    return config;
  }
  const std::size_t string_bytes = load_be16(frame, 30);
  if (string_bytes > kConfigStringBytesMax || string_bytes > frame.size() - kConfigHeaderBytes) {
    return fail(WireError::bad_length);
  }
  config.string = frame.subspan(kConfigHeaderBytes, string_bytes);
  return config;
}

std::size_t build_config(ByteSpan frame, const ConfigFrame& config) {
  AOE_CHECK(config.string.size() <= kConfigStringBytesMax, "config strings were checked on entry");
  const ByteSpan bytes = frame.first(kConfigHeaderBytes + config.string.size());
  store_be16(bytes, 24, config.buffer_count);
  store_be16(bytes, 26, config.firmware_version);
  store_u8(bytes, 28, config.sector_count);
  store_u8(
      bytes, 29,
      static_cast<std::uint8_t>((config.protocol_version & 0xFU) << 4U | (config.command & 0xFU)));
  store_be16(bytes, 30, static_cast<std::uint16_t>(config.string.size()));
  copy_bytes(bytes.subspan(kConfigHeaderBytes), config.string);
  return bytes.size();
}

}  // namespace aoe::protocol
