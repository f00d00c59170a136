#include "protocol/aoe_ata.h"

#include <algorithm>

namespace aoe::protocol {
namespace {

std::uint8_t whole_sectors(std::size_t mtu_bytes, std::size_t overhead_bytes) {
  if (mtu_bytes < overhead_bytes) {
    return 0;
  }
  // The count register has 8 bits.
  return static_cast<std::uint8_t>(
      std::min<std::size_t>((mtu_bytes - overhead_bytes) / kSectorBytes, 255));
}

}  // namespace

Result<AtaFrame, WireError> parse_ata(ConstByteSpan frame) {
  if (frame.size() < kAtaHeaderBytes) {
    return fail(WireError::short_argument);
  }
  AtaFrame ata;
  ata.argument.flags = load_u8(frame, 24);
  ata.argument.feature_error = load_u8(frame, 25);
  ata.argument.sector_count = load_u8(frame, 26);
  ata.argument.command_status = load_u8(frame, 27);
  for (std::size_t i = 0; i < ata.argument.lba.size(); ++i) {
    ata.argument.lba[i] = load_u8(frame, 28 + i);
  }
  ata.data = frame.subspan(kAtaHeaderBytes);
  return ata;
}

void build_ata(ByteSpan frame, const AtaArgument& argument) {
  const ByteSpan bytes = frame.first(kAtaHeaderBytes);
  store_u8(bytes, 24, argument.flags);
  store_u8(bytes, 25, argument.feature_error);
  store_u8(bytes, 26, argument.sector_count);
  store_u8(bytes, 27, argument.command_status);
  for (std::size_t i = 0; i < argument.lba.size(); ++i) {
    store_u8(bytes, 28 + i, argument.lba[i]);
  }
  store_be16(bytes, 34, 0);
}

std::uint8_t ata_sectors_exact(std::size_t mtu_bytes) {
  return whole_sectors(mtu_bytes, kAtaHeaderBytes - kEthernetHeaderBytes);
}

std::uint8_t ata_sectors_advertised(std::size_t mtu_bytes) {
  return whole_sectors(mtu_bytes, kAtaHeaderBytes);
}

}  // namespace aoe::protocol
