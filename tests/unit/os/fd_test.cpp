#include "os/fd.h"

#include "os/clock.h"
#include "os/event_fd.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace aoe::os {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST(Fd, ClosesWhenItGoes) {
  int raw = -1;
  {
    const Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    raw = fd.get();
    ASSERT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(Fd, MovesOwnershipAndClosesWhatItHeld) {
  Fd a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Fd b(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int raw_a = a.get();
  const int raw_b = b.get();
  b = std::move(a);
  EXPECT_EQ(b.get(), raw_a);
  EXPECT_FALSE(is_open(raw_b));
  const int released = b.release();
  EXPECT_FALSE(b);
  EXPECT_TRUE(is_open(released));
  ::close(released);
}

TEST(EventFd, IsReadableFromSignalToDrain) {
  const EventFd event = EventFd::open().value();
  pollfd waited{.fd = event.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
  event.signal();
  event.signal();
  EXPECT_EQ(::poll(&waited, 1, 0), 1);
  event.drain();
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
  event.drain();  // of nothing: does not block
}

TEST(Clock, NeverGoesBackAndIsNotZero) {
  const Instant first = monotonic_now();
  const Instant second = monotonic_now();
  EXPECT_GT(first, Instant{});
  EXPECT_LE(first, second);
}

}  // namespace
}  // namespace aoe::os
