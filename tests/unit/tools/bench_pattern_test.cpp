#include "tools/bench_pattern.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::tools {
namespace {

class BenchPatternTest : public ::testing::Test {
 protected:
  BenchPatternTest() { fill_pattern(memory_, Lba{16}, stamp_); }

  PatternStamp stamp_{.seed = 99, .generation = 3};
  std::vector<std::byte> memory_ = std::vector<std::byte>(4 * kSectorBytes);
};

TEST_F(BenchPatternTest, IsFoundAgain) {
  EXPECT_EQ(check_pattern(memory_, Lba{16}, stamp_), "");
}

TEST_F(BenchPatternTest, TellsAnyChangedByte) {
  for (std::size_t at = 0; at < memory_.size(); at += 7) {
    memory_[at] ^= std::byte{1};
    EXPECT_NE(check_pattern(memory_, Lba{16}, stamp_), "") << at;
    memory_[at] ^= std::byte{1};
  }
}

TEST_F(BenchPatternTest, TellsLostStaleAndMisplacedWritesApart) {
  EXPECT_EQ(check_pattern(memory_, Lba{16}, {.seed = 99, .generation = 4}),
            "lba 16: write 4 was lost: holds write 3");
  EXPECT_EQ(check_pattern(memory_, Lba{16}, {.seed = 1, .generation = 3}),
            "lba 16: write 3 was lost: holds data from before this run");
  EXPECT_EQ(check_pattern(memory_, Lba{20}, stamp_), "lba 20: holds the data of lba 16");
}

}  // namespace
}  // namespace aoe::tools
