#include "libaoe/settings.h"

#include "base/ids.h"
#include "client/uri.h"

#include <algorithm>
#include <bit>
#include <string>

namespace aoe::libaoe {

Result<std::uint32_t> check_payload(std::uint32_t bytes) {
  if (bytes % kSectorBytes != 0 || bytes > client::kPayloadBytesMax) {
    return fail_with(Errc::invalid_argument, 0,
                     std::to_string(bytes) + ": expected a multiple of 512, at most " +
                         std::to_string(client::kPayloadBytesMax));
  }
  return bytes;
}

std::uint32_t preferred_block(std::uint32_t payload_bytes, std::uint32_t physical_sector_bytes) {
  return std::max({std::bit_floor(payload_bytes), physical_sector_bytes, kSectorBytes});
}

}  // namespace aoe::libaoe
