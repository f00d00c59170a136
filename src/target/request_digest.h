// Tells a copy of a request from another request under the same number.
#pragma once

#include "protocol/aoe_session.h"

#include <cstdint>

namespace aoe::target {

// Command, address, count and data of a sealed request, in 12 bytes. Copies of one request differ
// in their Ethernet addresses and in the lowest open sequence, so their seals differ too; what the
// CRC says about the rest is worked out from the CRCs that were computed anyway, and only for
// copies. Without CRCs the digest is of the argument alone.
struct RequestDigest {
  std::uint32_t header_crc = 0;
  std::uint32_t content_crc = 0;    // header included
  std::uint32_t content_bytes = 0;  // header not included

  // `frame` has a seal, and `sealed` is what was parsed from it.
  [[nodiscard]] static RequestDigest of(ConstByteSpan frame, const protocol::SealedFrame& sealed);

  // Different requests are taken for the same once in 2^32.
  [[nodiscard]] bool is_same_request(const RequestDigest& other) const;
};

}  // namespace aoe::target
