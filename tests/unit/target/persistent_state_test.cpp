#include "target/persistent_state.h"

#include "base/crc32c.h"
#include "support/frame_builder.h"

#include <gtest/gtest.h>

namespace aoe::target {
namespace {

using test::Bytes;
using test::kE71;
using test::kE72;

PersistentState full_state() {
  PersistentState state;
  state.identity = 0x0123456789ABCDEFU;
  state.generation = 77;
  state.config_string = test::text_bytes("name=disk1");
  state.mask = {test::kInitiatorA, test::kInitiatorB};
  state.reservation = {test::kInitiatorC};
  state.life = {1, 2, 3, 4, 5, 6, 7};
  state.self_tests = {{.kind = 1, .status = 0x00, .hours = 3, .failing_lba = 0xFFFFFFFF},
                      {.kind = 2, .status = 0x75, .hours = 4, .failing_lba = 0x123456789A}};
  return state;
}

void seal(Bytes& blob) {
  store_le32(blob, blob.size() - 4, crc32c(ConstByteSpan(blob).first(blob.size() - 4)));
}

Errc error_of(DeviceAddress address, ConstByteSpan blob) {
  const auto state = decode_state(address, blob);
  EXPECT_FALSE(state);
  return state ? Errc::io : state.error().code;
}

// A blob with one more section in front of the checksum.
Bytes with_section(std::uint16_t type, std::uint32_t stated, std::size_t real) {
  Bytes blob = encode_state(kE71, full_state());
  blob.resize(blob.size() - 4);
  const std::size_t at = blob.size();
  blob.resize(at + 8 + real + 4);
  store_le16(blob, at, type);
  store_le32(blob, at + 4, stated);
  store_le32(blob, 12, static_cast<std::uint32_t>(blob.size() - 16 - 4));
  seal(blob);
  return blob;
}

TEST(PersistentState, ComesBackAsItWas) {
  for (const PersistentState& state : {PersistentState{}, full_state()}) {
    const auto back = decode_state(kE71, encode_state(kE71, state));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, state);
  }
}

TEST(PersistentState, LargestStateComesBack) {
  PersistentState state = full_state();
  state.config_string = test::pattern(1024, 3);
  state.mask.assign(255, test::kInitiatorA);
  state.reservation.assign(255, test::kInitiatorB);
  state.self_tests.assign(21, state.self_tests[1]);
  const auto back = decode_state(kE71, encode_state(kE71, state));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, state);
}

TEST(PersistentState, EveryTruncationIsCorrupt) {
  const Bytes blob = encode_state(kE71, full_state());
  for (std::size_t size = 0; size < blob.size(); ++size) {
    EXPECT_EQ(error_of(kE71, ConstByteSpan(blob).first(size)), Errc::corrupt) << size;
  }
}

TEST(PersistentState, EveryFlippedBitIsDetected) {
  const Bytes blob = encode_state(kE71, full_state());
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    Bytes damaged = blob;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_EQ(error_of(kE71, damaged), Errc::corrupt) << bit;
  }
}

TEST(PersistentState, BytesBehindTheEndAreCorrupt) {
  Bytes blob = encode_state(kE71, full_state());
  blob.insert(blob.end(), 4, std::byte{});
  EXPECT_EQ(error_of(kE71, blob), Errc::corrupt);
  seal(blob);
  EXPECT_EQ(error_of(kE71, blob), Errc::corrupt) << "the stated length tells";
}

TEST(PersistentState, StateOfAnotherExportIsRefused) {
  EXPECT_EQ(error_of(kE72, encode_state(kE71, full_state())), Errc::corrupt);
  EXPECT_EQ(error_of({Shelf{8}, Slot{1}}, encode_state(kE71, full_state())), Errc::corrupt);
}

TEST(PersistentState, VersionOfTheFutureIsToldFromDamage) {
  Bytes blob = encode_state(kE71, full_state());
  store_le16(blob, 8, 2);
  seal(blob);
  const auto state = decode_state(kE71, blob);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::unsupported);
  EXPECT_NE(state.error().message.find("e7.1"), std::string::npos);
  EXPECT_NE(state.error().message.find("version 2"), std::string::npos);
}

TEST(PersistentState, SectionsOfUnknownTypeAreSkipped) {
  const auto state = decode_state(kE71, with_section(99, 5, 5));
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, full_state());
}

TEST(PersistentState, SectionsWithImpossibleContentAreCorrupt) {
  EXPECT_EQ(error_of(kE71, with_section(99, 6, 5)), Errc::corrupt) << "reaches past the end";
  EXPECT_EQ(error_of(kE71, with_section(99, 0xFFFFFFFF, 5)), Errc::corrupt);
  EXPECT_EQ(error_of(kE71, with_section(1, 19, 19)), Errc::corrupt) << "short identity";
  EXPECT_EQ(error_of(kE71, with_section(2, 1025, 1025)), Errc::corrupt) << "long string";
  EXPECT_EQ(error_of(kE71, with_section(3, 7, 7)), Errc::corrupt) << "half an address";
  EXPECT_EQ(error_of(kE71, with_section(4, 1536, 1536)), Errc::corrupt) << "too many";
  EXPECT_EQ(error_of(kE71, with_section(5, 47, 47)), Errc::corrupt) << "short counters";
}

TEST(PersistentState, MissingIdentityIsCorrupt) {
  Bytes blob = test::text_bytes("aoestate");
  blob.resize(20);
  store_le16(blob, 8, 1);
  seal(blob);
  EXPECT_EQ(error_of(kE71, blob), Errc::corrupt);
}

TEST(PersistentState, ListThatComesTwiceIsCorrupt) {
  // Two mask sections: more addresses than a list may have must not get in by the back door.
  const Bytes blob = with_section(3, 1530, 1530);
  EXPECT_EQ(error_of(kE71, blob), Errc::corrupt);
}

TEST(PersistentState, SerialFollowsTheIdentityAndTheNameFollowsTheSerial) {
  EXPECT_EQ(default_serial(full_state()), "AK0123456789ABCDEF");
  EXPECT_EQ(world_wide_name("a"), world_wide_name("a"));
  EXPECT_NE(world_wide_name("a"), world_wide_name("b"));
  EXPECT_EQ(world_wide_name("a") >> 60U, 3U) << "locally assigned";
}

}  // namespace
}  // namespace aoe::target
