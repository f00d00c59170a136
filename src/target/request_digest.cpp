#include "target/request_digest.h"

#include "base/crc32c.h"

#include <algorithm>
#include <array>

namespace aoe::target {
namespace {

// What a difference in the CRC register becomes while `count` equal bytes pass through it: the
// bytes themselves cancel out, as if they were zeros.
std::uint32_t carried_through(std::uint32_t difference, std::size_t count) {
  constexpr std::array<std::byte, 512> kZeros{};
  std::uint32_t crc = ~difference;
  while (count != 0) {
    const std::size_t bytes = std::min(count, kZeros.size());
    crc = crc32c(ConstByteSpan(kZeros).first(bytes), crc);
    count -= bytes;
  }
  return ~crc;
}

}  // namespace

RequestDigest RequestDigest::of(ConstByteSpan frame, const protocol::SealedFrame& sealed) {
  const ConstByteSpan content = protocol::without_seal(frame).subspan(protocol::kHeaderBytes);
  RequestDigest digest{.header_crc = sealed.header_crc,
                       .content_crc = sealed.content_crc,
                       .content_bytes = static_cast<std::uint32_t>(content.size())};
  if (!sealed.seal.has_crc) {
    digest.content_crc = crc32c(content.first(protocol::kAtaHeaderBytes - protocol::kHeaderBytes));
  }
  return digest;
}

bool RequestDigest::is_same_request(const RequestDigest& other) const {
  return content_bytes == other.content_bytes &&
         (content_crc ^ other.content_crc) ==
             carried_through(header_crc ^ other.header_crc, content_bytes);
}

}  // namespace aoe::target
