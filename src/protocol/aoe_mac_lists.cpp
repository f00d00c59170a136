#include "protocol/aoe_mac_lists.h"

#include "base/check.h"

namespace aoe::protocol {
namespace {

constexpr std::size_t kMacBytes = 6;

void build_mask_header(ByteSpan frame, MaskCommand command, MaskError error, std::size_t count) {
  store_u8(frame, 24, 0);
  store_u8(frame, 25, static_cast<std::uint8_t>(command));
  store_u8(frame, 26, static_cast<std::uint8_t>(error));
  store_u8(frame, 27, static_cast<std::uint8_t>(count));
}

void build_directive(ByteSpan frame, std::size_t index, const MaskDirective& directive) {
  const std::size_t at = kMaskHeaderBytes + index * kMaskDirectiveBytes;
  store_u8(frame, at, 0);
  store_u8(frame, at + 1, directive.action);
  store_mac(frame, at + 2, directive.mac);
}

}  // namespace

MaskDirective MaskFrame::directive(std::size_t index) const {
  const ConstByteSpan bytes = directives.subspan(index * kMaskDirectiveBytes, kMaskDirectiveBytes);
  return {.action = load_u8(bytes, 1), .mac = load_mac(bytes, 2)};
}

Result<MaskFrame, WireError> parse_mask(ConstByteSpan frame) {
  if (frame.size() < kMaskHeaderBytes) {
    return fail(WireError::short_argument);
  }
  MaskFrame mask;
  mask.command = load_u8(frame, 25);
  mask.error = load_u8(frame, 26);
  mask.directive_count = load_u8(frame, 27);
  const bool is_response = (load_u8(frame, 14) & 0x08U) != 0;
  if (is_response && mask.error != 0) {
    return mask;
  }
  const std::size_t list_bytes = mask.directive_count * kMaskDirectiveBytes;
  if (list_bytes > frame.size() - kMaskHeaderBytes) {
    return fail(WireError::bad_length);
  }
  mask.directives = frame.subspan(kMaskHeaderBytes, list_bytes);
  return mask;
}

std::size_t build_mask_reply(ByteSpan frame, const MaskReply& reply) {
  if (reply.error != MaskError::none) {
    build_mask_header(frame, reply.command, reply.error, reply.failed_index);
    return kMaskHeaderBytes;
  }
  AOE_CHECK(reply.list.size() <= kMacListCountMax, "lists are bounded on entry");
  build_mask_header(frame, reply.command, reply.error, reply.list.size());
  for (std::size_t i = 0; i < reply.list.size(); ++i) {
    build_directive(frame, i, {.action = 0, .mac = reply.list[i]});
  }
  return kMaskHeaderBytes + reply.list.size() * kMaskDirectiveBytes;
}

std::size_t build_mask_request(ByteSpan frame, MaskCommand command,
                               std::span<const MaskDirective> directives) {
  AOE_CHECK(directives.size() <= kMacListCountMax, "callers keep to one frame's count");
  build_mask_header(frame, command, MaskError::none, directives.size());
  for (std::size_t i = 0; i < directives.size(); ++i) {
    build_directive(frame, i, directives[i]);
  }
  return kMaskHeaderBytes + directives.size() * kMaskDirectiveBytes;
}

MacAddress ReserveFrame::address(std::size_t index) const {
  return load_mac(addresses.subspan(index * kMacBytes, kMacBytes), 0);
}

Result<ReserveFrame, WireError> parse_reserve(ConstByteSpan frame) {
  if (frame.size() < kReserveHeaderBytes) {
    return fail(WireError::short_argument);
  }
  ReserveFrame reserve;
  reserve.command = load_u8(frame, 24);
  const bool is_response = (load_u8(frame, 14) & 0x08U) != 0;
  if (reserve.command == static_cast<std::uint8_t>(ReserveCommand::read) && !is_response) {
    return reserve;
  }
  reserve.mac_count = load_u8(frame, 25);
  const std::size_t list_bytes = reserve.mac_count * kMacBytes;
  if (list_bytes > frame.size() - kReserveHeaderBytes) {
    return fail(WireError::bad_length);
  }
  reserve.addresses = frame.subspan(kReserveHeaderBytes, list_bytes);
  return reserve;
}

std::size_t build_reserve(ByteSpan frame, std::uint8_t command, std::span<const MacAddress> list) {
  AOE_CHECK(list.size() <= kMacListCountMax, "lists are bounded on entry");
  store_u8(frame, 24, command);
  store_u8(frame, 25, static_cast<std::uint8_t>(list.size()));
  for (std::size_t i = 0; i < list.size(); ++i) {
    store_mac(frame, kReserveHeaderBytes + i * kMacBytes, list[i]);
  }
  return kReserveHeaderBytes + list.size() * kMacBytes;
}

}  // namespace aoe::protocol
