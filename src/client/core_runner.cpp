#include "client/core_runner.h"

#include "os/clock.h"
#include "protocol/aoe_frame.h"

#include <sys/epoll.h>

#include <algorithm>
#include <span>

namespace aoe::client {
namespace {

// The pool is made for jumbo frames even where the MTU is small now: it may grow, and untouched
// memory costs nothing.
constexpr std::size_t kJumboMtuBytes = 9000;

std::size_t frame_bytes(const CoreRunner::Ports& ports) {
  std::size_t mtu_bytes = kJumboMtuBytes;
  for (const auto& port : ports) {
    mtu_bytes = std::max(mtu_bytes, port->info().mtu_bytes);
  }
  return mtu_bytes + protocol::kEthernetHeaderBytes;
}

}  // namespace

CoreRunner::CoreRunner(Ports ports, std::unique_ptr<os::LinkMonitor> monitor,
                       const Options& options)
    : monitor_(std::move(monitor)),
      pool_({.count = options.buffers, .frame_bytes = frame_bytes(ports)}),
      ports_(std::move(ports)),
      told_(ports_.size()),
      core_(std::make_unique<initiator::InitiatorCore>(options.core, pool_)),
      readable_(ports_.size(), true),
      staged_(ports_.size()) {
  for (auto& staged : staged_) {
    staged.reserve(kBatchFrames);
  }
}

CoreRunner::~CoreRunner() = default;

Result<std::unique_ptr<CoreRunner>> CoreRunner::create(Ports ports,
                                                       std::unique_ptr<os::LinkMonitor> monitor,
                                                       const Options& options) {
  std::unique_ptr<CoreRunner> runner(new CoreRunner(std::move(ports), std::move(monitor), options));
  AOE_TRY_ASSIGN(runner->loop_, runtime::EventLoop::create({}));
  AOE_TRY(runner->watch());
  runner->tell_changed_ports(os::monotonic_now());
  return runner;
}

Result<void> CoreRunner::watch() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i]->wait_fd() >= 0) {
      AOE_TRY(loop_->add_fd(ports_[i]->wait_fd(), EPOLLIN | EPOLLET,
                            [this, i](std::uint32_t) { readable_[i] = true; }));
    }
  }
  if (monitor_) {
    AOE_TRY(loop_->add_fd(monitor_->wait_fd(), EPOLLIN,
                          [this](std::uint32_t) { links_changed_ = true; }));
  }
  return {};
}

void CoreRunner::turn(Instant deadline) {
  transmit();
  if (const std::optional<Instant> next = core_->poll_timeout()) {
    deadline = std::min(deadline, *next);
  }
  loop_->run_once(more_waits() ? Instant{1} : deadline);
  if (std::exchange(links_changed_, false)) {
    refresh_ports();
  }
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (readable_[i]) {
      receive(i);
    }
  }
  const Instant now = os::monotonic_now();
  tell_changed_ports(now);
  core_->handle_timeout(now);
  transmit();
}

bool CoreRunner::more_waits() const {
  return std::find(readable_.begin(), readable_.end(), true) != readable_.end();
}

Result<void> CoreRunner::make_waitable() {
  if (!timer_) {
    AOE_TRY_ASSIGN(timer_, os::TimerFd::open());
    AOE_TRY(loop_->add_fd(timer_->fd(), EPOLLIN, [this](std::uint32_t) {
      timer_->drain();
      armed_.reset();
    }));
    arm_for_next_timeout();
  }
  return {};
}

// A timer that goes off early costs one needless turn; moving it back costs a system call for every
// batch, because under load each answer moves the next deadline back.
void CoreRunner::wake_at(Instant when) {
  if (timer_ && (!armed_ || when < *armed_)) {
    timer_->arm(when);
    armed_ = when;
  }
}

void CoreRunner::arm_for_next_timeout() {
  if (more_waits()) {
    wake_at(Instant{1});
  } else if (const std::optional<Instant> next = core_->poll_timeout()) {
    wake_at(*next);
  }
}

void CoreRunner::receive(std::size_t port) {
  // One batch a turn: answers make room for requests, which should leave before more is read.
  const std::size_t count = ports_[port]->receive(incoming_);
  readable_[port] = count == incoming_.size();
  const Instant now = os::monotonic_now();
  for (PacketBuffer& frame : std::span(incoming_).first(count)) {
    core_->handle_frame(now, PortId{static_cast<std::uint8_t>(port)}, std::move(frame));
  }
}

void CoreRunner::transmit() {
  const Instant now = os::monotonic_now();
  while (const std::size_t count = core_->poll_transmit(now, outgoing_)) {
    for (initiator::TxFrame& out : std::span(outgoing_).first(count)) {
      staged_[out.port.value].push_back(std::move(out.frame));
    }
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      if (!staged_[i].empty()) {
        ports_[i]->transmit(staged_[i]);
        staged_[i].clear();
      }
    }
  }
  arm_for_next_timeout();
}

void CoreRunner::refresh_ports() {
  const os::LinkChanges changes = monitor_->drain();
  for (const auto& port : ports_) {
    if (changes.contains(port->name())) {
      static_cast<void>(port->refresh());
    }
  }
}

void CoreRunner::tell_changed_ports(Instant now) {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (told_[i] != ports_[i]->info()) {
      told_[i] = ports_[i]->info();
      core_->handle_port(now, PortId{static_cast<std::uint8_t>(i)}, *told_[i]);
    }
  }
}

}  // namespace aoe::client
