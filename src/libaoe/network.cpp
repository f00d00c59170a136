#include "libaoe/network.h"

#include "client/byte_device.h"
#include "libaoe/last_error.h"
#include "os/clock.h"
#include "os/error_text.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>

namespace aoe::libaoe {
namespace {

// Until `fd` is readable or the deadline has come. Signals end the wait early, which does no harm.
void wait_readable(int fd, std::optional<Instant> deadline) {
  pollfd ready{fd, POLLIN, 0};
  timespec timeout{};
  if (deadline) {
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    const std::int64_t left = std::max<std::int64_t>((*deadline - os::monotonic_now()).ns, 0);
    timeout = {left / kNsPerSecond, left % kNsPerSecond};
  }
  ::ppoll(&ready, 1, deadline ? &timeout : nullptr, nullptr);
}

}  // namespace

Result<std::unique_ptr<client::Session>> open_session(const std::vector<std::string>& interfaces,
                                                      PortKind port, std::uint32_t requests_max) {
  auto session = client::Session::open(
      {.interfaces = interfaces, .port = port, .seed = 0, .requests_max = requests_max});
  if (!session && session.error().code == Errc::not_found) {
    session.error().os_errno = ENODEV;
  }
  return session;
}

void Call::run() const {
  if (completion == nullptr) {
    size_callback(user_data, size);
    return;
  }
  if (error) {
    set_last_error(name, *error);
  }
  completion(user_data, error ? errno_of(*error) : 0);
}

Network::Network(std::unique_ptr<client::Session> session) : session_(std::move(session)) {
  calls_.reserve(kRequestsMax);
  finished_.reserve(kRequestsMax);
}

Network::~Network() {
  if (thread_.joinable()) {
    {
      const Lock held = lock();
      stopping_ = true;
      session_->wake_now();
    }
    thread_.join();
  }
}

std::uint32_t Network::session_requests_max() {
  return kRequestsMax * client::ByteDevice::kPartsMax;
}

Result<std::shared_ptr<Network>> Network::open(const std::vector<std::string>& interfaces,
                                               PortKind port) {
  AOE_TRY_ASSIGN(auto session, open_session(interfaces, port, session_requests_max()));
  return over(std::move(session));
}

Result<std::shared_ptr<Network>> Network::over(std::unique_ptr<client::Session> session) {
  AOE_TRY(session->make_waitable());
  return std::shared_ptr<Network>(std::unique_ptr<Network>(new Network(std::move(session))));
}

void Network::detach(Lock& lock, Member& member) {
  returned_.wait(lock, [this] { return caller_ == std::thread::id{}; });
  members_.erase(std::remove(members_.begin(), members_.end(), &member), members_.end());
}

void Network::send_soon() {
  // The turn that runs callbacks sends at its end.
  if (!is_calling()) {
    session_->wake_now();
  }
}

// --- driving ---

std::size_t Network::turn(Lock& lock) {
  session_->process();
  calls_.clear();
  for (Member* member : members_) {
    member->collect(calls_);
    if (const auto deadline = member->deadline()) {
      session_->wake_at(*deadline);
    }
  }
  if (!calls_.empty()) {
    tell_waiters();
    caller_ = std::this_thread::get_id();
    lock.unlock();
    for (const Call& call : calls_) {
      call.run();
    }
    lock.lock();
    caller_ = {};
    for (const Call& call : calls_) {
      call.owner->on_returned(call);
    }
    calls_made_ += calls_.size();
    completed_ = true;
    returned_.notify_all();
  }
  // What collecting and the callbacks have submitted.
  session_->send();
  tell_waiters();
  return calls_.size();
}

void Network::tell_waiters() {
  for (Waiter* waiter : finished_) {
    waiter->ready.notify_one();
  }
  finished_.clear();
  if (std::exchange(completed_, false)) {
    for (Waiter* waiter : waiters_) {
      if (waiter->watches) {
        waiter->ready.notify_one();
      }
    }
  }
}

void Network::finish(Waiter& waiter) {
  waiter.done = true;
  finished_.push_back(&waiter);
}

void Network::drive(Lock& lock, std::optional<Instant> deadline) {
  driving_ = true;
  lock.unlock();
  wait_readable(wait_fd(), deadline);
  lock.lock();
  turn(lock);
  driving_ = false;
}

// A waiter that is told in vain passes on itself when it leaves.
void Network::pass_on() {
  if (driving_) {
    return;
  }
  if (has_thread()) {
    thread_may_drive_.notify_one();
  } else if (!waiters_.empty()) {
    waiters_.front()->ready.notify_one();
  }
}

void Network::wait(Lock& lock, Waiter& waiter, const std::function<bool()>& done,
                   std::optional<Instant> deadline) {
  waiters_.push_back(&waiter);
  while (!done() && (!deadline || os::monotonic_now() < *deadline)) {
    if (!driving_) {
      drive(lock, deadline);
    } else if (deadline) {
      const Duration left = *deadline - os::monotonic_now();
      waiter.ready.wait_for(lock, std::chrono::nanoseconds(left.ns));
    } else {
      waiter.ready.wait(lock);
    }
  }
  waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &waiter));
  pass_on();
}

std::size_t Network::process(Lock& lock) {
  if (driving_) {
    return 0;
  }
  driving_ = true;
  const std::size_t count = turn(lock);
  driving_ = false;
  pass_on();
  return count;
}

// --- the thread ---

Result<void> Network::start_thread() {
  if (thread_.joinable()) {
    return {};
  }
  // Signals stay the program's business: the new thread inherits the mask.
  sigset_t all;
  sigset_t previous;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &previous);
  int error = 0;
  try {
    thread_ = std::thread([this] { run_thread(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (error != 0) {
    return aoe::fail(os::os_error(error, "start thread"));
  }
  return {};
}

void Network::run_thread() {
  Lock held = lock();
  thread_may_drive_.wait(held, [this] { return !driving_; });
  driving_ = true;
  while (!stopping_) {
    turn(held);
    held.unlock();
    wait_readable(wait_fd(), std::nullopt);
    held.lock();
  }
}

}  // namespace aoe::libaoe
