#include "os/run_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace aoe::os {
namespace {

using ::testing::HasSubstr;

TEST(RunProgram, CatchesWhatItSaysAndHowItEnds) {
  const auto outcome = run_program({"sh", "-c", "echo said; echo why >&2; echo >&2; exit 3"});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->status, 3);
  EXPECT_EQ(outcome->output, "said\n");
  EXPECT_EQ(outcome->errors, "why");
  EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"})->status, 128 + SIGKILL);
}

TEST(RunProgram, DoesNotWaitForWhatStaysInTheBackground) {
  // A reader of a pipe would wait for it.
  const auto outcome = run_program({"sh", "-c", "sleep 3 & echo started"});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "started\n");
}

TEST(RunProgram, SignalsAreAsInAFreshProcess) {
  struct sigaction ignore {};

  struct sigaction before {};

  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGTERM, &ignore, &before), 0);
  const auto outcome = run_program({"sh", "-c", "kill -TERM $$; exit 0"});
  ASSERT_EQ(::sigaction(SIGTERM, &before, nullptr), 0);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->status, 128 + SIGTERM);
}

TEST(RunProgram, WhatIsNotThereIsSaid) {
  const auto outcome = run_program({"no-such-program-of-aoekit"});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::not_found);
  EXPECT_THAT(outcome.error().message, HasSubstr("no-such-program-of-aoekit: cannot be run"));
  EXPECT_FALSE(is_in_path("no-such-program-of-aoekit"));
  EXPECT_TRUE(is_in_path("sh"));
  EXPECT_THAT(own_executable(), HasSubstr("os_test"));
}

}  // namespace
}  // namespace aoe::os
