#include "client/byte_split.h"

#include <gtest/gtest.h>

namespace aoe::client {
namespace {

struct SplitCase {
  std::uint64_t offset;
  std::uint64_t bytes;
  ByteSplit split;
};

TEST(ByteSplit, CutsAtSectorBorders) {
  const SplitCase cases[] = {
      {0, 512, {.head = {}, .middle = {Lba{0}, 1, 0}, .tail = {}}},
      {1024, 2048, {.head = {}, .middle = {Lba{2}, 4, 0}, .tail = {}}},
      {0, 1, {.head = {Lba{0}, 0, 1, 0}, .middle = {Lba{0}, 0, 1}, .tail = {}}},
      {511, 1, {.head = {Lba{0}, 511, 1, 0}, .middle = {Lba{1}, 0, 1}, .tail = {}}},
      {511, 2, {.head = {Lba{0}, 511, 1, 0}, .middle = {Lba{1}, 0, 1}, .tail = {Lba{1}, 0, 1, 1}}},
      {100, 412, {.head = {Lba{0}, 100, 412, 0}, .middle = {Lba{1}, 0, 412}, .tail = {}}},
      {512, 513, {.head = {}, .middle = {Lba{1}, 1, 0}, .tail = {Lba{2}, 0, 1, 512}}},
      {1000,
       2000,
       {.head = {Lba{1}, 488, 24, 0}, .middle = {Lba{2}, 3, 24}, .tail = {Lba{5}, 0, 440, 1560}}},
  };
  for (const SplitCase& c : cases) {
    EXPECT_EQ(split_bytes(c.offset, c.bytes), c.split) << c.offset << "+" << c.bytes;
  }
}

TEST(ByteSplit, KnowsWhetherItIsAligned) {
  EXPECT_TRUE(split_bytes(512, 1024).is_aligned());
  EXPECT_FALSE(split_bytes(512, 1025).is_aligned());
  EXPECT_FALSE(split_bytes(513, 511).is_aligned());
}

}  // namespace
}  // namespace aoe::client
