#include "sim/checkers/cache_checker.h"

#include <gtest/gtest.h>

namespace aoe::sim {
namespace {

constexpr std::uint32_t kWriter = 1;
constexpr std::uint32_t kDisk = 0;

class CacheCheckerTest : public ::testing::Test {
 protected:
  CacheCheckerTest() { checker.add_writer(kWriter); }

  void flush(std::uint32_t writer = kWriter) {
    checker.end_flush({}, writer, kDisk, checker.begin_flush(kDisk));
  }

  void write(std::uint32_t writer = kWriter) { checker.on_acknowledged(writer, kDisk); }

  Violations violations;
  CacheChecker checker{violations};
};

TEST_F(CacheCheckerTest, AFlushThatHidesALossIsAViolation) {
  write();
  checker.on_power_cut(kDisk);
  flush();
  ASSERT_EQ(violations.count(), 1U);
  EXPECT_EQ(violations.first()[0].rule, Rule::durable);
}

TEST_F(CacheCheckerTest, ALossIsToldOnce) {
  write();
  checker.on_power_cut(kDisk);
  EXPECT_TRUE(checker.on_told(kWriter, kDisk));
  flush();
  EXPECT_TRUE(violations.empty());
}

TEST_F(CacheCheckerTest, WhatWasFlushedIsNotLost) {
  write();
  flush();
  checker.on_power_cut(kDisk);
  flush();
  EXPECT_TRUE(violations.empty());
}

// A write that was submitted after the flush may have left in one frame with an earlier one.
TEST_F(CacheCheckerTest, WhatWasAcknowledgedWhileAFlushWasUnderWayIsNotJudged) {
  write();
  const auto start = checker.begin_flush(kDisk);
  write();
  checker.end_flush({}, kWriter, kDisk, start);
  checker.on_power_cut(kDisk);
  flush();
  EXPECT_TRUE(violations.empty());
}

TEST_F(CacheCheckerTest, WhatWasAcknowledgedAfterAFlushIsJudged) {
  write();
  flush();
  write();
  checker.on_power_cut(kDisk);
  flush();
  EXPECT_EQ(violations.count(), 1U);
}

TEST_F(CacheCheckerTest, AFlushMayHaveBeenExecutedBeforeThePowerCut) {
  write();
  const auto start = checker.begin_flush(kDisk);
  checker.on_power_cut(kDisk);
  checker.end_flush({}, kWriter, kDisk, start);
  flush();
  EXPECT_TRUE(violations.empty());
}

TEST_F(CacheCheckerTest, ALossThatNeverWasIsNoExcuse) {
  EXPECT_FALSE(checker.on_told(kWriter, kDisk));
}

TEST_F(CacheCheckerTest, WhoCannotBeToldIsNotJudged) {
  write(2);
  checker.on_power_cut(kDisk);
  flush(2);
  EXPECT_TRUE(violations.empty());
}

}  // namespace
}  // namespace aoe::sim
