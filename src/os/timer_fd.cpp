#include "os/timer_fd.h"

#include "base/check.h"
#include "os/error_text.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace aoe::os {

Result<TimerFd> TimerFd::open() {
  Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd) {
    return fail(os_error(errno, "timerfd: cannot create"));
  }
  return TimerFd(std::move(fd));
}

void TimerFd::arm(Instant when) const {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  // Zero would disarm.
  const std::int64_t ns = std::max<std::int64_t>(when.ns, 1);
  itimerspec spec{};
  spec.it_value = {ns / kNsPerSecond, ns % kNsPerSecond};
  const int result = ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  AOE_CHECK(result == 0, "a timerfd takes every valid instant");
}

void TimerFd::drain() const {
  std::uint64_t expiries = 0;
  // EAGAIN when it has not expired.
  (void)!::read(fd_.get(), &expiries, sizeof expiries);
}

}  // namespace aoe::os
