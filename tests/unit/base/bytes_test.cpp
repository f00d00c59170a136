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

}  // namespace
}  // namespace aoe
