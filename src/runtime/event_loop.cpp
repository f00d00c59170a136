#include "runtime/event_loop.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace aoe::runtime {
namespace {

// Descriptors served in one turn; more wait for the next, so that none starves the deadline.
constexpr std::size_t kEventsPerTurn = 64;
// While spinning, how many rounds of pollers between two looks at the other descriptors.
constexpr unsigned kRoundsPerLook = 16;

void pause_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

timespec to_timespec(Duration duration) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {duration.ns / kNsPerSecond, duration.ns % kNsPerSecond};
}

// Rounded up: a turn that ends early would spin until the deadline.
int to_milliseconds_up(const timespec& timeout) {
  constexpr std::int64_t kLongestMs = 3'600'000;
  const std::int64_t ms =
      std::int64_t{timeout.tv_sec} * 1000 + (timeout.tv_nsec + 999'999) / 1'000'000;
  return static_cast<int>(std::min(ms, kLongestMs));
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create(Options options) {
  os::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) {
    return fail(os::os_error(errno, "event loop: epoll_create1"));
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), options));
}

EventLoop::EventLoop(os::Fd epoll, Options options)
    : epoll_(std::move(epoll)), options_(options), events_(kEventsPerTurn) {}

Result<void> EventLoop::add_fd(int fd, std::uint32_t events, FdCallback callback) {
  if (entries_.contains(fd)) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("event loop: descriptor {}: already registered", fd));
  }
  auto entry = std::make_unique<Entry>(Entry{fd, std::move(callback)});
  epoll_event event{};
  event.events = events;
  event.data.ptr = entry.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) {
    return fail(os::os_error(errno, fmt::format("event loop: descriptor {}: epoll_ctl", fd)));
  }
  entries_.emplace(fd, std::move(entry));
  return {};
}

Result<void> EventLoop::modify_fd(int fd, std::uint32_t events) {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) {
    return fail_with(Errc::not_found, 0,
                     fmt::format("event loop: descriptor {}: not registered", fd));
  }
  epoll_event event{};
  event.events = events;
  event.data.ptr = found->second.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) < 0) {
    return fail(os::os_error(errno, fmt::format("event loop: descriptor {}: epoll_ctl", fd)));
  }
  return {};
}

void EventLoop::remove_fd(int fd) {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) {
    return;
  }
  // Fails only for a descriptor closed too early, which the kernel has dropped by itself.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  found->second->fd = -1;
  if (dispatching_) {
    removed_.push_back(std::move(found->second));
  }
  entries_.erase(found);
}

void EventLoop::add_poller(Poller poller) {
  pollers_.push_back(std::move(poller));
}

void EventLoop::run_once(std::optional<Instant> deadline) {
  if (stopped_) {
    return;
  }
  if (options_.busy_poll > Duration{} && !pollers_.empty() && spin(deadline)) {
    return;
  }
  dispatch(wait(deadline));
}

// True when something was found and the turn is over; false when it is time to sleep.
bool EventLoop::spin(std::optional<Instant> deadline) {
  Instant end = os::monotonic_now() + options_.busy_poll;
  if (deadline) {
    end = std::min(end, *deadline);
  }
  // The descriptors get their look first in every turn: pollers that always find work must not keep
  // signals and the control socket waiting.
  for (unsigned round = 0;; ++round) {
    if (round % kRoundsPerLook == 0) {
      const int ready = wait(Instant{});
      if (ready > 0) {
        dispatch(ready);
      }
      if (ready > 0 || stopped_) {
        return true;
      }
    }
    bool found = false;
    for (Poller& poller : pollers_) {
      found = poller() || found;
    }
    if (found || stopped_) {
      return true;
    }
    if (os::monotonic_now() >= end) {
      return false;
    }
    pause_cpu();
  }
}

// How many entries of events_ are filled.
int EventLoop::wait(std::optional<Instant> deadline) {
  timespec timeout{};
  if (deadline) {
    const Duration left = *deadline == Instant{} ? Duration{} : *deadline - os::monotonic_now();
    timeout = to_timespec(std::max(left, Duration{}));
  }
  // epoll_wait counts in milliseconds, which is coarser than a round trip; the nanosecond form came
  // with Linux 5.11.
  const int capacity = static_cast<int>(events_.size());
  int ready = ::epoll_pwait2(epoll_.get(), events_.data(), capacity, deadline ? &timeout : nullptr,
                             nullptr);
  if (ready < 0 && errno == ENOSYS) {
    ready = ::epoll_wait(epoll_.get(), events_.data(), capacity,
                         deadline ? to_milliseconds_up(timeout) : -1);
  }
  if (ready < 0) {
    AOE_CHECK(errno == EINTR, "waiting fails only by interruption");
    return 0;
  }
  return ready;
}

void EventLoop::dispatch(int ready) {
  dispatching_ = true;
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    auto* entry = static_cast<Entry*>(event.data.ptr);
    if (entry->fd >= 0) {
      entry->callback(event.events);
    }
  }
  dispatching_ = false;
  removed_.clear();
}

}  // namespace aoe::runtime
