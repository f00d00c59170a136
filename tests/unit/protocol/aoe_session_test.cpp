#include "protocol/aoe_session.h"

#include "base/crc32c.h"
#include "protocol/dissect.h"
#include "support/example_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace aoe::protocol {
namespace {

using test::example_frame;
using test::session_frame;
using testing::HasSubstr;

using Bytes = std::vector<std::byte>;

constexpr Hello kHello{.kind = HelloKind::hello,
                       .capabilities = kCapabilitySequences | kCapabilityCrc,
                       .initiator_instance = 0x0102030405060708,
                       .target_instance = 0x1112131415161718,
                       .session = 0x21222324,
                       .frame_life_ms = 1000,
                       .sequence_window = 256,
                       .sequence_low = 0x31323334,
                       .cache_epoch = 0x4142434445464748};

constexpr Seal kSeal{
    .has_crc = true, .session = 0x21222324, .sequence = 7, .sequence_low = 0xFFFFFFFE};

Bytes hello_frame(const Hello& hello) {
  Bytes frame(kHelloBytes);
  build_header(frame, {.destination = {{2, 0, 0, 0, 0x0A, 0x10}},
                       .source = {{2, 0, 0, 0, 0, 1}},
                       .address = {Shelf{7}, Slot{1}},
                       .command = kHelloCommand,
                       .tag = Tag{0x11}});
  build_hello(frame, hello);
  return frame;
}

// An example frame with a seal at its end, or inside its padding.
Bytes sealed(std::size_t number, const Seal& seal) {
  Bytes frame = example_frame(number);
  const std::size_t data = frame.size() > kFrameBytesMin ? frame.size() - kAtaHeaderBytes : 0;
  frame.resize(sealed_frame_bytes(data));
  build_seal(frame, seal);
  return frame;
}

// In an allocation of exactly its size, so that AddressSanitizer sees every byte too many.
template <class Read>
auto read_exactly(ConstByteSpan bytes, Read read) {
  const auto copy = std::make_unique<std::byte[]>(bytes.size());
  copy_bytes({copy.get(), bytes.size()}, bytes);
  return read(ConstByteSpan(copy.get(), bytes.size()));
}

TEST(Hello, HasTheBytesOfItsDescription) {
  const Bytes frame = hello_frame(kHello);
  const Bytes start(frame.begin() + 19, frame.begin() + 36);
  const std::vector<unsigned> wanted = {0xFA, 0, 0, 0, 0x11, 0x61, 0x6F, 0x65, 0x6B,
                                        1,    0, 0, 3, 1,    2,    3,    4};
  ASSERT_EQ(start.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(std::to_integer<unsigned>(start[i]), wanted[i]) << 19 + i;
  }
  EXPECT_EQ(load_be64(frame, 40), kHello.target_instance);
  EXPECT_EQ(load_be32(frame, 48), kHello.session);
  EXPECT_EQ(load_be32(frame, 52), 1000U);
  EXPECT_EQ(load_be32(frame, 56), 256U);
  EXPECT_EQ(load_be32(frame, 60), kHello.sequence_low);
  EXPECT_EQ(load_be64(frame, 64), kHello.cache_epoch);
  EXPECT_EQ(load_be32(frame, 72), crc32c(ConstByteSpan(frame).first(72)));
}

TEST(Hello, ComesBackAsItWasBuilt) {
  EXPECT_EQ(*parse_hello(hello_frame(kHello)), kHello);
  Hello renew = kHello;
  renew.kind = HelloKind::renew;
  EXPECT_EQ(*parse_hello(hello_frame(renew)), renew);
}

TEST(Hello, BytesBehindItAreIgnored) {
  Bytes frame = hello_frame(kHello);
  frame.resize(100, std::byte{0xEE});
  EXPECT_EQ(*parse_hello(frame), kHello);
}

TEST(Hello, EverySingleBitFlipIsNoticed) {
  Bytes frame = hello_frame(kHello);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1U << bit % 8);
    frame[bit / 8] ^= mask;
    const auto hello = read_exactly(frame, parse_hello);
    ASSERT_FALSE(hello) << "bit " << bit;
    const bool in_magic = bit / 8 >= 24 && bit / 8 < 28;
    EXPECT_EQ(hello.error(), in_magic ? HelloError::foreign : HelloError::damaged) << bit;
    frame[bit / 8] ^= mask;
  }
}

TEST(Hello, EveryTruncationIsNoticed) {
  const Bytes frame = hello_frame(kHello);
  for (std::size_t length = 0; length < frame.size(); ++length) {
    const auto hello = read_exactly(ConstByteSpan(frame).first(length), parse_hello);
    ASSERT_FALSE(hello);
    EXPECT_EQ(hello.error(), length < 28 ? HelloError::foreign : HelloError::damaged) << length;
  }
}

TEST(Hello, AnIntactOneOfAnotherVersionOrKindIsUnsupported) {
  for (const std::size_t at : {28U, 29U}) {
    Bytes frame = hello_frame(kHello);
    store_u8(frame, at, 2);
    store_be32(frame, 72, crc32c(ConstByteSpan(frame).first(72)));
    EXPECT_EQ(parse_hello(frame).error(), HelloError::unsupported);
  }
}

TEST(Seal, StandsAtTheEndOfDataAndInThePaddingOfWhatHasNone) {
  EXPECT_EQ(seal_offset(55), std::nullopt);
  for (const std::size_t bytes : {56U, 57U, 60U}) {
    EXPECT_EQ(seal_offset(bytes), 36U);
  }
  EXPECT_EQ(seal_offset(61), std::nullopt);
  EXPECT_EQ(seal_offset(36 + 512 + 20), 36U + 512);
  EXPECT_EQ(seal_offset(36 + 1024 + 20), 36U + 1024);
  EXPECT_EQ(seal_offset(36 + 512), std::nullopt) << "a plain frame with data has no place for one";
  EXPECT_EQ(seal_offset(36 + 512 + 24), std::nullopt);
  EXPECT_EQ(sealed_frame_bytes(0), 60U);
  EXPECT_EQ(sealed_frame_bytes(1024), 1080U);
}

TEST(Seal, HasTheBytesOfItsDescription) {
  const Bytes frame = sealed(7, kSeal);  // a write of one sector
  ASSERT_EQ(frame.size(), 568U);
  const ConstByteSpan seal = ConstByteSpan(frame).subspan(548);
  EXPECT_EQ(load_be32(seal, 0), 0xAE5A0101U);
  EXPECT_EQ(load_be32(seal, 4), kSeal.session);
  EXPECT_EQ(load_be32(seal, 8), 7U);
  EXPECT_EQ(load_be32(seal, 12), 0xFFFFFFFEU);
  EXPECT_EQ(load_be32(seal, 16), crc32c(ConstByteSpan(frame).first(564)));
  EXPECT_TRUE(equal_bytes(without_seal(frame), example_frame(7)));

  const Bytes flush = sealed(24, kSeal);
  ASSERT_EQ(flush.size(), 60U);
  EXPECT_EQ(load_be32(flush, 36), 0xAE5A0101U);
  EXPECT_EQ(load_be32(flush, 52), crc32c(ConstByteSpan(flush).first(52)));
  EXPECT_EQ(load_be32(flush, 56), 0U);
  EXPECT_EQ(without_seal(flush).size(), 36U);
}

TEST(Seal, ComesBackAsItWasBuilt) {
  for (const std::size_t number : {4U, 6U, 7U, 10U, 24U}) {
    EXPECT_EQ(*parse_seal(sealed(number, kSeal)), kSeal);
    Seal without_crc = kSeal;
    without_crc.has_crc = false;
    const Bytes frame = sealed(number, without_crc);
    EXPECT_EQ(*parse_seal(frame), without_crc);
    EXPECT_EQ(load_be32(frame, *seal_offset(frame.size()) + 16), 0U);
  }
}

TEST(Seal, TheCrcsOfItsFrameFallOffOnTheWay) {
  const Bytes frame = sealed(7, kSeal);
  const auto parsed = parse_sealed(frame);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->seal, kSeal);
  EXPECT_EQ(parsed->header_crc, crc32c(ConstByteSpan(frame).first(24)));
  EXPECT_EQ(parsed->content_crc, crc32c(ConstByteSpan(frame).first(548)));
}

TEST(Seal, PlainFramesHaveNone) {
  for (const auto& example : test::example_frames()) {
    EXPECT_EQ(parse_seal(example.bytes).error(), SealError::absent) << example.name;
  }
}

TEST(Seal, DataThatLookLikeASealAreDataInAPlainWrite) {
  Bytes frame = example_frame(7);
  const Bytes other = sealed(7, {.has_crc = false, .session = 1, .sequence = 1, .sequence_low = 1});
  std::copy(other.end() - kSealBytes, other.end(), frame.end() - kSealBytes);
  EXPECT_EQ(parse_seal(frame).error(), SealError::absent);
}

TEST(Seal, EverySingleBitFlipBeforeItsEndIsNoticed) {
  for (const std::size_t number : {7U, 24U}) {
    Bytes frame = sealed(number, kSeal);
    const std::size_t offset = *seal_offset(frame.size());
    const std::size_t end = offset + kSealBytes;
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      const auto mask = static_cast<std::byte>(1U << bit % 8);
      const std::size_t at = bit / 8;
      frame[at] ^= mask;
      const auto seal = read_exactly(frame, parse_seal);
      if (at >= end) {
        EXPECT_EQ(*seal, kSeal) << "padding";
      } else if (at == offset || at == offset + 1) {
        EXPECT_EQ(seal.error(), SealError::absent) << bit;
      } else if (at == offset + 2 || (at == offset + 3 && bit % 8 != 0)) {
        EXPECT_EQ(seal.error(), SealError::unsupported) << bit;
      } else if (at == offset + 3) {
        // Without its flag the CRC is not looked at: a session that has CRCs refuses such a seal.
        ASSERT_TRUE(seal);
        EXPECT_FALSE(seal->has_crc);
      } else {
        ASSERT_FALSE(seal) << "bit " << bit;
        EXPECT_EQ(seal.error(), SealError::damaged) << bit;
      }
      frame[at] ^= mask;
    }
  }
}

TEST(Seal, EveryTruncationIsSurvivedAndNeverBelieved) {
  const Bytes frame = sealed(6, kSeal);
  for (std::size_t length = 0; length < frame.size(); ++length) {
    EXPECT_FALSE(read_exactly(ConstByteSpan(frame).first(length), parse_seal)) << length;
  }
}

TEST(Seal, CostsASectorOnlyForOddMtus) {
  EXPECT_EQ(ata_sectors_sealed(1500), ata_sectors_advertised(1500));
  EXPECT_EQ(ata_sectors_sealed(9000), ata_sectors_advertised(9000));
  EXPECT_EQ(ata_sectors_sealed(22 + 20 + 512), 1);
  EXPECT_EQ(ata_sectors_sealed(22 + 20 + 511), 0);
  EXPECT_EQ(ata_sectors_sealed(0), 0);
  EXPECT_EQ(ata_sectors_sealed(19), 0);
  EXPECT_EQ(ata_sectors_sealed(1'000'000), 255);
}

TEST(Sequence, GoesRoundTheCircleAndSkipsZero) {
  EXPECT_EQ(next_sequence(1), 2U);
  EXPECT_EQ(next_sequence(0xFFFFFFFF), 1U);
  EXPECT_TRUE(sequence_before(1, 2));
  EXPECT_FALSE(sequence_before(2, 2));
  EXPECT_FALSE(sequence_before(3, 2));
  EXPECT_TRUE(sequence_before(0xFFFFFFFF, 1));
  EXPECT_FALSE(sequence_before(1, 0xFFFFFFFF));
}

// Frames that another program made, with CRCs computed another way.
TEST(SessionExampleFrames, ParseToTheValuesThatWerePutIn) {
  ASSERT_EQ(test::session_frames().size(), 7U);
  EXPECT_EQ(*parse_hello(session_frame(1)), (Hello{.capabilities = 3,
                                                   .initiator_instance = 0x0102030405060708,
                                                   .frame_life_ms = 1000,
                                                   .sequence_low = 1}));
  EXPECT_EQ(*parse_hello(session_frame(2)), (Hello{.capabilities = 3,
                                                   .initiator_instance = 0x0102030405060708,
                                                   .target_instance = 0x1112131415161718,
                                                   .session = 0x21222324,
                                                   .frame_life_ms = 1000,
                                                   .sequence_window = 256,
                                                   .sequence_low = 1,
                                                   .cache_epoch = 0x4142434445464748}));
  EXPECT_EQ(*parse_hello(session_frame(3)), (Hello{.kind = HelloKind::renew,
                                                   .capabilities = 3,
                                                   .target_instance = 0x1112131415161719,
                                                   .session = 0x21222324,
                                                   .frame_life_ms = 1000}));
  const Seal write{.has_crc = true, .session = 0x21222324, .sequence = 7, .sequence_low = 6};
  EXPECT_EQ(*parse_seal(session_frame(4)), write);
  EXPECT_EQ(*parse_seal(session_frame(5)), write);
  Seal flush{.has_crc = false, .session = 0x21222325, .sequence = 8, .sequence_low = 7};
  EXPECT_EQ(*parse_seal(session_frame(6)), flush);
  flush.has_crc = true;
  EXPECT_EQ(*parse_seal(session_frame(7)), flush);
}

TEST(SessionExampleFrames, BuildBackToTheSameBytes) {
  for (const auto& example : test::session_frames()) {
    SCOPED_TRACE(example.name);
    Bytes built = example.bytes;
    if (const auto hello = parse_hello(example.bytes)) {
      fill_zero(ByteSpan(built).subspan(24));
      build_hello(built, *hello);
    } else {
      const std::size_t offset = *seal_offset(built.size());
      fill_zero(ByteSpan(built).subspan(offset));
      build_seal(built, *parse_seal(example.bytes));
    }
    EXPECT_TRUE(equal_bytes(built, example.bytes));
  }
}

TEST(DissectSession, ShowsHelloAndRenew) {
  EXPECT_EQ(dissect_line(hello_frame(kHello)),
            "02:00:00:00:00:01 > 02:00:00:00:0a:10 e7.1 request 00000011 hello initiator "
            "0102030405060708 target 1112131415161718 session 21222324 capabilities sequences, CRC "
            "frame life 1000 ms window 256 low 825373492 cache epoch 4142434445464748");
  Hello renew = kHello;
  renew.kind = HelloKind::renew;
  renew.capabilities = 0x8000;
  EXPECT_THAT(dissect_line(hello_frame(renew)), HasSubstr("renew initiator"));
  EXPECT_THAT(dissect_line(hello_frame(renew)), HasSubstr("capabilities unknown"));
  const std::string fields = dissect_fields(hello_frame(kHello));
  EXPECT_THAT(fields, HasSubstr("capabilities: 0003 (sequences, CRC)\n"));
  EXPECT_THAT(fields, HasSubstr("session: 21222324\n"));
  EXPECT_THAT(fields, HasSubstr("frame life ms: 1000\n"));
}

TEST(DissectSession, NamesWhatIsWrongWithAHello) {
  Bytes frame = hello_frame(kHello);
  store_u8(frame, 40, 0x55);
  EXPECT_THAT(dissect_line(frame), HasSubstr("vendor command fa hello, damaged"));
  EXPECT_THAT(dissect_fields(frame), HasSubstr("argument: hello, damaged\n"));
  store_u8(frame, 24, 0);
  EXPECT_THAT(dissect_line(frame), HasSubstr("vendor command fa of another vendor"));
}

TEST(DissectSession, ShowsASealAndTheFrameInFrontOfIt) {
  EXPECT_THAT(dissect_line(sealed(7, kSeal)),
              HasSubstr("WRITE SECTORS EXT lba 16 count 1, 512 data bytes seal 21222324 sequence 7 "
                        "low 4294967294"));
  EXPECT_THAT(dissect_line(sealed(24, kSeal)), HasSubstr("FLUSH CACHE EXT count 0 seal 21222324"));
  const std::string fields = dissect_fields(sealed(24, kSeal));
  EXPECT_THAT(fields, HasSubstr("seal flags: 01 (CRC)\nseal session: 21222324\n"));
  EXPECT_THAT(fields, testing::Not(HasSubstr("trailing")));
}

TEST(DissectSession, SaysThatASealIsDamagedOrUnknown) {
  Bytes frame = sealed(7, kSeal);
  store_u8(frame, 100, 0);
  EXPECT_THAT(dissect_line(frame), HasSubstr("512 data bytes seal damaged"));
  EXPECT_THAT(dissect_fields(frame), HasSubstr("(wrong)\n"));
  store_u8(frame, 550, 9);
  EXPECT_THAT(dissect_line(frame), HasSubstr("512 data bytes seal of another version"));
}

}  // namespace
}  // namespace aoe::protocol
