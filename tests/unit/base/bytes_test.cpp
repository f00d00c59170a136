#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace aoe {
namespace {

TEST(Bytes, StoresAndLoadsBothByteOrders) {
  std::array<std::byte, 8> memory{};
  store_be64(memory, 0, 0x0102030405060708U);
  EXPECT_EQ(load_u8(memory, 0), 1);
  EXPECT_EQ(load_be64(memory, 0), 0x0102030405060708U);
  EXPECT_EQ(load_le64(memory, 0), 0x0807060504030201U);
  store_le32(memory, 2, 0xAABBCCDDU);
  EXPECT_EQ(load_be16(memory, 2), 0xDDCCU);
  EXPECT_EQ(load_le32(memory, 2), 0xAABBCCDDU);
}

TEST(Bytes, CopiesNothingFromAnEmptySpan) {
  std::array<std::byte, 1> memory{std::byte{7}};
  copy_bytes(memory, {});
  EXPECT_EQ(load_u8(memory, 0), 7);
}

TEST(Bytes, FortyEightBitsLieWithTheLeastSignificantOctetFirst) {
  constexpr std::array<std::uint8_t, 6> kOctets{1, 2, 3, 4, 5, 6};
  static_assert(from_le48(kOctets) == 0x060504030201U);
  static_assert(to_le48(0xFFFF060504030201U) == kOctets, "what is above is cut off");
  EXPECT_EQ(from_le48(to_le48(0xF00000000001U)), 0xF00000000001U);
}

TEST(Bytes, AStructureOfOctetsMovesAsItIs) {
  std::array<std::byte, 8> memory{};
  const MacAddress mac{{1, 2, 3, 4, 5, 6}};
  store_mac(memory, 1, mac);
  EXPECT_EQ(load_be64(memory, 0), 0x0001020304050600U);
  EXPECT_EQ(load_mac(memory, 1), mac);
}

TEST(BytesDeathTest, NothingIsReadOrWrittenBehindTheEnd) {
  std::array<std::byte, 8> memory{};
  EXPECT_DEATH((void)load_be32(memory, 5), "");
  EXPECT_DEATH((void)load_le16(memory, 9), "");
  EXPECT_DEATH(store_mac(memory, 3, {}), "");
}

}  // namespace
}  // namespace aoe
