#include "target/request_digest.h"

#include "support/sealed_frames.h"

#include <gtest/gtest.h>

namespace aoe::test {
namespace {

using target::RequestDigest;

constexpr protocol::Seal kSeal{
    .has_crc = true, .session = 0x1234, .sequence = 5, .sequence_low = 5};

RequestDigest digest_of(const Bytes& plain, const protocol::Seal& seal = kSeal) {
  const Bytes frame = sealed(plain, seal);
  return RequestDigest::of(frame, *protocol::parse_sealed(frame));
}

TEST(RequestDigest, CopiesByAnotherPathAreTheSameRequest) {
  for (const std::size_t sectors : {1U, 8U, 16U}) {
    const Bytes data = pattern(sectors * kSectorBytes, 7);
    protocol::Seal later = kSeal;
    later.sequence_low = 99;
    const auto first = digest_of(FrameBuilder::write(100, data));
    const auto copy =
        digest_of(FrameBuilder::write(100, data).from(kInitiatorB).to(kInitiatorC), later);
    EXPECT_TRUE(first.is_same_request(copy)) << sectors;
    EXPECT_TRUE(copy.is_same_request(first)) << sectors;
  }
  EXPECT_TRUE(digest_of(FrameBuilder::ata(0xEA))
                  .is_same_request(digest_of(FrameBuilder::ata(0xEA).from(kInitiatorB))));
}

TEST(RequestDigest, EveryOtherDifferenceMakesAnotherRequest) {
  const Bytes data = pattern(1024, 7);
  const auto first = digest_of(FrameBuilder::write(100, data));
  Bytes other_data = data;
  other_data[700] ^= std::byte{1};
  EXPECT_FALSE(first.is_same_request(digest_of(FrameBuilder::write(100, other_data))));
  EXPECT_FALSE(first.is_same_request(digest_of(FrameBuilder::write(101, data))));
  EXPECT_FALSE(first.is_same_request(digest_of(FrameBuilder::write(100, pattern(512, 7)))));
  EXPECT_FALSE(
      first.is_same_request(digest_of(FrameBuilder::write(100, other_data).from(kInitiatorB))));
}

TEST(RequestDigest, WithoutCrcsTheArgumentDecides) {
  constexpr protocol::Seal kPlainSeal{
      .has_crc = false, .session = 0x1234, .sequence = 5, .sequence_low = 5};
  const auto first = digest_of(FrameBuilder::write(100, pattern(512, 7)), kPlainSeal);
  EXPECT_TRUE(first.is_same_request(
      digest_of(FrameBuilder::write(100, pattern(512, 7)).from(kInitiatorB), kPlainSeal)));
  EXPECT_FALSE(
      first.is_same_request(digest_of(FrameBuilder::write(101, pattern(512, 7)), kPlainSeal)));
}

}  // namespace
}  // namespace aoe::test
