#include "os/child.h"

#include "os/signals.h"

#include <gtest/gtest.h>

#include <poll.h>

#include <csignal>

namespace aoe::os {
namespace {

int wait_for(ChildProcess& child) {
  pollfd ready{child.wait_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 5000), 1);
  const auto status = child.exit_status();
  EXPECT_TRUE(status);
  return status.value_or(-1);
}

TEST(ChildProcess, ReportsTheExitStatus) {
  auto child = ChildProcess::run_shell("exit 7");
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(wait_for(**child), 7);
  EXPECT_EQ((*child)->exit_status(), 7) << "again";
}

TEST(ChildProcess, RunningChildHasNoStatusAndASignalEndsIt) {
  auto child = ChildProcess::run_shell("exec cat /dev/zero >/dev/null");
  ASSERT_TRUE(child);
  EXPECT_FALSE((*child)->exit_status());
  (*child)->send_signal(SIGTERM);
  EXPECT_EQ(wait_for(**child), 128 + SIGTERM);
  (*child)->send_signal(SIGTERM);  // to nobody
}

TEST(ChildProcess, UnknownCommandEndsAsInAShell) {
  auto child = ChildProcess::run_shell("exec 2>/dev/null; /nonexistent/command");
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(**child), 127);
}

TEST(ChildProcess, BlockedSignalsOfOursAreNotBlockedInIt) {
  auto signals = SignalSet::open({SIGTERM});
  ASSERT_TRUE(signals);
  auto child = ChildProcess::run_shell("kill -TERM $$; exit 3");
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(**child), 128 + SIGTERM);
}

TEST(ChildProcess, DestructionKillsAndReaps) {
  pid_t pid = -1;
  {
    auto child = ChildProcess::run_shell("exec cat /dev/zero >/dev/null");
    ASSERT_TRUE(child);
    pid = (*child)->pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace aoe::os
