// Base of tests that drive a whole target core.
#pragma once

#include "support/frame_matchers.h"
#include "support/target_harness.h"

#include <gtest/gtest.h>

namespace aoe::test {

// Serves nothing at the beginning; at the end everything has to be back in its place.
class TargetTest : public testing::Test {
 protected:
  TargetTest() = default;

  explicit TargetTest(const HarnessOptions& options) : t(options) {}

  void TearDown() override { EXPECT_EQ(t.unfinished(), ""); }

 public:
  TargetHarness t;
};

}  // namespace aoe::test
