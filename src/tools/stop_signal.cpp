#include "tools/stop_signal.h"

#include "os/clock.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace aoe::tools {

Result<StopSignal> StopSignal::install() {
  AOE_TRY_ASSIGN(auto signals, os::SignalSet::open({SIGINT, SIGTERM, SIGHUP}));
  return StopSignal(std::move(signals));
}

bool StopSignal::wait(Duration duration) {
  const Instant deadline = os::monotonic_now() + duration;
  while (!requested_) {
    pollfd entry{signals_->wait_fd(), POLLIN, 0};
    const Duration left = std::max(deadline - os::monotonic_now(), Duration{});
    const timespec timeout{left.ns / 1'000'000'000, left.ns % 1'000'000'000};
    const int ready = ::ppoll(&entry, 1, &timeout, nullptr);
    requested_ = ready > 0;
    if (ready >= 0 || errno != EINTR) {
      break;
    }
  }
  return requested_;
}

void StopSignal::clear() {
  while (signals_->next()) {
  }
  requested_ = false;
}

}  // namespace aoe::tools
