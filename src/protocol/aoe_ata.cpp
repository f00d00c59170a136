#include "protocol/aoe_ata.h"

#include <algorithm>

namespace aoe::protocol {
namespace {

constexpr std::size_t kArgumentAt = 24;

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
  ata.argument = load_octets<AtaArgument>(frame, kArgumentAt);
  ata.data = frame.subspan(kAtaHeaderBytes);
  return ata;
}

void build_ata(ByteSpan frame, const AtaArgument& argument) {
  const ByteSpan bytes = frame.first(kAtaHeaderBytes);
  store_octets(bytes, kArgumentAt, argument);
  store_be16(bytes, 34, 0);
}

std::uint8_t ata_sectors_exact(std::size_t mtu_bytes) {
  return whole_sectors(mtu_bytes, kAtaHeaderBytes - kEthernetHeaderBytes);
}

std::uint8_t ata_sectors_advertised(std::size_t mtu_bytes) {
  return whole_sectors(mtu_bytes, kAtaHeaderBytes);
}

}  // namespace aoe::protocol
