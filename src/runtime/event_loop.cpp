#include "runtime/event_loop.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace aoe::runtime {
namespace {

// Descriptors served in one turn; more wait for the next, so that none starves the deadline.
constexpr std::size_t kEventsPerTurn = 64;
// While spinning, how many rounds of pollers between two looks at the other descriptors; and how
// many turns that pollers fill.
constexpr unsigned kRoundsPerLook = 64;
constexpr unsigned kTurnsPerLook = 16;
constexpr Duration kSpinFirst = Duration::microseconds(10);
// Less than the kernel needs to put a thread to sleep and wake it up.
constexpr Duration kNoSleep = Duration::microseconds(2);

// Whatever this process is bound to: whom it waits for may have the others.
bool has_one_cpu() {
  return ::sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

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
    : epoll_(std::move(epoll)), options_(options), events_(kEventsPerTurn) {
  if (options_.is_adaptive && has_one_cpu()) {
    options_.busy_poll = {};
  }
  spin_time_ = options_.is_adaptive ? Duration{} : options_.busy_poll;
}

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

void EventLoop::set_sleep_hooks(Hook before, Hook after) {
  before_sleep_ = std::move(before);
  after_sleep_ = std::move(after);
}

void EventLoop::run_once(std::optional<Instant> deadline) {
  if (stopped_) {
    return;
  }
  if (options_.busy_poll == Duration{} || pollers_.empty()) {
    dispatch(wait_and_tell(deadline));
    return;
  }
  if (spin(deadline)) {
    return;
  }
  const Instant before = os::monotonic_now();
  const int ready = wait_and_tell(deadline);
  const Instant now = os::monotonic_now();
  turns_unlooked_ = 0;
  // A descriptor is ready at once when pollers have seen to its work already: that is no end of
  // being idle, and no reason to spin again.
  if (now - before > kNoSleep) {
    learn(now - idle_since_);
    idle_since_ = {};
  }
  dispatch(ready);
}

// True when something was found and the turn is over; false when it is time to sleep.
bool EventLoop::spin(std::optional<Instant> deadline) {
  for (unsigned round = 0;; ++round) {
    bool found = false;
    for (Poller& poller : pollers_) {
      found = poller() || found;
    }
    if (found) {
      idle_since_ = {};
    }
    const bool must_look = found ? ++turns_unlooked_ >= kTurnsPerLook : round % kRoundsPerLook == 1;
    if (must_look) {
      turns_unlooked_ = 0;
      const int ready = wait(Instant{});
      dispatch(ready);
      found = found || ready > 0;
    }
    if (found || stopped_) {
      return true;
    }
    const Instant now = os::monotonic_now();
    if (idle_since_ == Instant{}) {
      idle_since_ = now;
    }
    if (now >= idle_since_ + spin_time_ || (deadline && now >= *deadline)) {
      return false;
    }
    pause_cpu();
  }
}

// Work came after the loop had nothing to do for so long.
void EventLoop::learn(Duration idle) {
  if (!options_.is_adaptive) {
    return;
  }
  if (idle <= options_.busy_poll) {
    spin_time_ = std::min(std::max(spin_time_ * 2, kSpinFirst), options_.busy_poll);
  } else {
    spin_time_ = spin_time_ / 2 < kSpinFirst ? Duration{} : spin_time_ / 2;
  }
}

// As wait(), and tells who wants to know.
int EventLoop::wait_and_tell(std::optional<Instant> deadline) {
  const bool may_last = !deadline || *deadline > os::monotonic_now();
  if (!may_last || !before_sleep_) {
    return wait(deadline);
  }
  // What others remove meanwhile may be among the events that the kernel hands out.
  dispatching_ = true;
  before_sleep_();
  const int ready = wait(deadline);
  after_sleep_();
  return ready;
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
