#include "tools/boot_device.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::tools {
namespace {

constexpr std::size_t kTableAt = 0x1230;

// The table of e258.3, as iPXE would leave it in 64 KiB of memory.
std::vector<std::byte> memory_with_table() {
  std::vector<std::byte> memory(65536);
  const ByteSpan table = ByteSpan(memory).subspan(kTableAt, 46);
  const char signature[] = {'a', 'B', 'F', 'T'};
  copy_bytes(table, std::as_bytes(std::span(signature)));
  store_le32(table, 4, 46);
  store_u8(table, 8, 1);
  store_le16(table, 36, 258);
  store_u8(table, 38, 3);
  store_mac(table, 40, MacAddress{{0x52, 0x54, 0, 0xaa, 0, 7}});
  std::uint8_t sum = 0;
  for (const std::byte byte : table) {
    sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
  }
  store_u8(table, 9, static_cast<std::uint8_t>(0U - sum));
  return memory;
}

TEST(BootDevice, IsFoundInMemory) {
  const auto found = find_boot_device(memory_with_table());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->address, (DeviceAddress{Shelf{258}, Slot{3}}));
  EXPECT_EQ(found->interface_mac, (MacAddress{{0x52, 0x54, 0, 0xaa, 0, 7}}));
}

TEST(BootDevice, ATableThatDoesNotAddUpIsNone) {
  auto memory = memory_with_table();
  store_u8(memory, kTableAt + 38, 4);
  EXPECT_FALSE(find_boot_device(memory));
}

TEST(BootDevice, ATableThatIsCutOffIsNone) {
  const auto memory = memory_with_table();
  EXPECT_FALSE(find_boot_device(ConstByteSpan(memory).first(kTableAt + 45)));
  EXPECT_TRUE(find_boot_device(ConstByteSpan(memory).first(kTableAt + 46)));
}

TEST(BootDevice, ALengthPastTheEndIsNone) {
  auto memory = memory_with_table();
  store_le32(memory, kTableAt + 4, 0xFFFFFFFF);
  EXPECT_FALSE(find_boot_device(memory));
}

TEST(BootDevice, TheSignatureAloneIsNoTableAndTheNextOneCounts) {
  auto memory = memory_with_table();
  copy_bytes(ByteSpan(memory).subspan(0x100, 4), ConstByteSpan(memory).subspan(kTableAt, 4));
  EXPECT_TRUE(find_boot_device(memory));
}

}  // namespace
}  // namespace aoe::tools
