#include "os/mapped_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace aoe::os {
namespace {

TEST(MappedMemory, IsZeroAlignedAndZeroAgainWhenForgotten) {
  const std::size_t page = page_bytes();
  const MappedMemory memory = MappedMemory::allocate(4 * page, "test").value();
  ASSERT_EQ(memory.bytes().size(), 4 * page);
  EXPECT_TRUE(is_aligned(memory.bytes(), page));
  EXPECT_FALSE(is_aligned(memory.bytes().subspan(1), 2));
  EXPECT_EQ(memory.bytes()[page], std::byte{});
  memory.bytes()[page - 1] = std::byte{1};
  memory.bytes()[page] = std::byte{2};
  memory.forget(memory.bytes().subspan(page, page));
  EXPECT_EQ(memory.bytes()[page - 1], std::byte{1});
  EXPECT_EQ(memory.bytes()[page], std::byte{});
}

TEST(MappedMemory, ZeroesPagesAndTheirPartsAndNothingBeside) {
  const std::size_t page = page_bytes();
  const MappedMemory memory = MappedMemory::allocate(4 * page, "test").value();
  const auto zeroed = [&](std::size_t begin, std::size_t end) {
    std::fill(memory.bytes().begin(), memory.bytes().end(), std::byte{1});
    memory.zero(memory.bytes().subspan(begin, end - begin));
    for (std::size_t i = 0; i < memory.bytes().size(); ++i) {
      if ((memory.bytes()[i] == std::byte{}) != (i >= begin && i < end)) {
        return i;
      }
    }
    return memory.bytes().size();
  };
  EXPECT_EQ(zeroed(0, 4 * page), 4 * page);
  EXPECT_EQ(zeroed(page - 1, 3 * page + 1), 4 * page);
  EXPECT_EQ(zeroed(page + 5, page + 9), 4 * page);
  EXPECT_EQ(zeroed(page - 5, page + 9), 4 * page);
  EXPECT_EQ(zeroed(page, page), 4 * page);
}

TEST(MappedMemory, MovingKeepsTheMemory) {
  MappedMemory a = MappedMemory::allocate(4096, "test").value();
  a.bytes()[0] = std::byte{7};
  MappedMemory b = MappedMemory::allocate(4096, "test").value();
  b = std::move(a);
  EXPECT_EQ(b.bytes()[0], std::byte{7});
  const MappedMemory c(std::move(b));
  EXPECT_EQ(c.bytes()[0], std::byte{7});
}

TEST(MappedMemory, RefusesImpossibleSizesByName) {
  const auto none = MappedMemory::allocate(0, "memory:0");
  ASSERT_FALSE(none);
  const auto huge = MappedMemory::allocate(std::uint64_t{1} << 60U, "memory:1024P");
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, Errc::no_space);
  EXPECT_TRUE(huge.error().message.starts_with("memory:1024P: cannot reserve"));
}

}  // namespace
}  // namespace aoe::os
