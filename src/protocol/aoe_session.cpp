#include "protocol/aoe_session.h"

#include "base/check.h"
#include "base/crc32c.h"

namespace aoe::protocol {
namespace {

constexpr std::uint32_t kHelloMagic = 0x616F656B;
constexpr std::size_t kHelloCrcAt = 72;

constexpr std::uint8_t kSealFlagCrc = 0x01;
constexpr std::size_t kSealCrcAt = 16;  // in the seal

// The fields of the seal that `bytes` begin with.
Seal read_seal(ConstByteSpan bytes) {
  return {.has_crc = load_u8(bytes, 3) == kSealFlagCrc,
          .session = load_be32(bytes, 4),
          .sequence = load_be32(bytes, 8),
          .sequence_low = load_be32(bytes, 12)};
}

}  // namespace

Result<Hello, HelloError> parse_hello(ConstByteSpan frame) {
  if (frame.size() < kHeaderBytes + 4 || load_be32(frame, 24) != kHelloMagic) {
    return fail(HelloError::foreign);
  }
  if (frame.size() < kHelloBytes ||
      load_be32(frame, kHelloCrcAt) != crc32c(frame.first(kHelloCrcAt))) {
    return fail(HelloError::damaged);
  }
  const std::uint8_t kind = load_u8(frame, 29);
  if (load_u8(frame, 28) != kSessionVersion || kind > static_cast<std::uint8_t>(HelloKind::renew)) {
    return fail(HelloError::unsupported);
  }
  return Hello{
      .kind = static_cast<HelloKind>(kind),
      .capabilities = load_be16(frame, 30),
      .initiator_instance = load_be64(frame, 32),
      .target_instance = load_be64(frame, 40),
      .session = load_be32(frame, 48),
      .frame_life_ms = load_be32(frame, 52),
      .sequence_window = load_be32(frame, 56),
      .sequence_low = load_be32(frame, 60),
      .cache_epoch = load_be64(frame, 64),
  };
}

void build_hello(ByteSpan frame, const Hello& hello) {
  const ByteSpan bytes = frame.first(kHelloBytes);
  store_be32(bytes, 24, kHelloMagic);
  store_u8(bytes, 28, kSessionVersion);
  store_u8(bytes, 29, static_cast<std::uint8_t>(hello.kind));
  store_be16(bytes, 30, hello.capabilities);
  store_be64(bytes, 32, hello.initiator_instance);
  store_be64(bytes, 40, hello.target_instance);
  store_be32(bytes, 48, hello.session);
  store_be32(bytes, 52, hello.frame_life_ms);
  store_be32(bytes, 56, hello.sequence_window);
  store_be32(bytes, 60, hello.sequence_low);
  store_be64(bytes, 64, hello.cache_epoch);
  store_be32(bytes, kHelloCrcAt, crc32c(bytes.first(kHelloCrcAt)));
}

std::optional<std::size_t> seal_offset(std::size_t frame_bytes) {
  constexpr std::size_t kShortest = kAtaHeaderBytes + kSealBytes;
  if (frame_bytes < kShortest) {
    return std::nullopt;
  }
  if (frame_bytes <= kFrameBytesMin) {
    return kAtaHeaderBytes;
  }
  if ((frame_bytes - kShortest) % kSectorBytes != 0) {
    return std::nullopt;
  }
  return frame_bytes - kSealBytes;
}

std::optional<Seal> claimed_seal(ConstByteSpan frame) {
  const auto offset = seal_offset(frame.size());
  if (!offset) {
    return std::nullopt;
  }
  const ConstByteSpan bytes = frame.subspan(*offset, kSealBytes);
  const std::uint8_t flags = load_u8(bytes, 3);
  if (load_be16(bytes, 0) != kSealMagic || load_u8(bytes, 2) != kSessionVersion ||
      (flags & ~kSealFlagCrc) != 0) {
    return std::nullopt;
  }
  return read_seal(bytes);
}

Result<SealedFrame, SealError> parse_sealed(ConstByteSpan frame) {
  const auto offset = seal_offset(frame.size());
  if (!offset) {
    return fail(SealError::absent);
  }
  const ConstByteSpan bytes = frame.subspan(*offset, kSealBytes);
  if (load_be16(bytes, 0) != kSealMagic) {
    return fail(SealError::absent);
  }
  const std::uint8_t flags = load_u8(bytes, 3);
  if (load_u8(bytes, 2) != kSessionVersion || (flags & ~kSealFlagCrc) != 0) {
    return fail(SealError::unsupported);
  }
  SealedFrame sealed;
  sealed.seal = read_seal(bytes);
  if (sealed.seal.has_crc) {
    sealed.header_crc = crc32c(frame.first(kHeaderBytes));
    sealed.content_crc =
        crc32c(frame.subspan(kHeaderBytes, *offset - kHeaderBytes), sealed.header_crc);
    if (crc32c(bytes.first(kSealCrcAt), sealed.content_crc) != load_be32(bytes, kSealCrcAt)) {
      return fail(SealError::damaged);
    }
  }
  return sealed;
}

Result<Seal, SealError> parse_seal(ConstByteSpan frame) {
  AOE_TRY_ASSIGN(const SealedFrame sealed, parse_sealed(frame));
  return sealed.seal;
}

void build_seal(ByteSpan frame, const Seal& seal) {
  const auto offset = seal_offset(frame.size());
  AOE_CHECK(offset.has_value(), "a frame to be sealed has one of the lengths of sealed frames");
  const ByteSpan bytes = frame.subspan(*offset, kSealBytes);
  store_be16(bytes, 0, kSealMagic);
  store_u8(bytes, 2, kSessionVersion);
  store_u8(bytes, 3, seal.has_crc ? kSealFlagCrc : std::uint8_t{0});
  store_be32(bytes, 4, seal.session);
  store_be32(bytes, 8, seal.sequence);
  store_be32(bytes, 12, seal.sequence_low);
  store_be32(bytes, kSealCrcAt, seal.has_crc ? crc32c(frame.first(*offset + kSealCrcAt)) : 0);
}

ConstByteSpan without_seal(ConstByteSpan frame) {
  const auto offset = seal_offset(frame.size());
  AOE_CHECK(offset.has_value(), "the frame was seen to have a seal");
  return frame.first(*offset);
}

std::uint8_t ata_sectors_sealed(std::size_t mtu_bytes) {
  return mtu_bytes < kSealBytes ? std::uint8_t{0} : ata_sectors_exact(mtu_bytes - kSealBytes);
}

}  // namespace aoe::protocol
