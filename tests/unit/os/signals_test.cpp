#include "os/signals.h"

#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

namespace aoe::os {
namespace {

TEST(SignalSet, SignalBecomesAReadableEventWithItsSender) {
  auto signals = SignalSet::open({SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signals);
  EXPECT_FALSE((*signals)->next());
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  pollfd ready{(*signals)->wait_fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, 2000), 1);
  const auto event = (*signals)->next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->number, SIGUSR1);
  EXPECT_EQ(event->sender_pid, ::getpid());
  EXPECT_FALSE((*signals)->next());
}

TEST(SignalSet, DestructionRestoresTheMask) {
  { auto signals = SignalSet::open({SIGUSR1}); }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 0);
}

TEST(SignalSet, SignalThatWaitsAtTheEndIsDiscarded) {
  auto signals = SignalSet::open({SIGUSR1});
  ASSERT_TRUE(signals);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  signals->reset();  // with the usual effect the test would end here
}

TEST(SignalSet, ImpossibleSignalIsAnError) {
  EXPECT_FALSE(SignalSet::open({10'000}));
}

}  // namespace
}  // namespace aoe::os
