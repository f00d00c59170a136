#include "client/core_runner.h"

#include "net/closed_port.h"
#include "os/clock.h"
#include "protocol/aoe_frame.h"

#include <fmt/core.h>

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
    : ports_max_(options.core.limits.ports_max),
      monitor_(std::move(monitor)),
      pool_({.count = options.buffers, .frame_bytes = frame_bytes(ports)}),
      ports_(std::move(ports)),
      told_(ports_.size()),
      core_(std::make_unique<initiator::InitiatorCore>(options.core, pool_)),
      readable_(ports_.size(), true),
      closed_(ports_.size(), false),
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
  AOE_TRY_ASSIGN(runner->loop_, runtime::EventLoop::create(options.polling));
  runner->loop_->add_poller([raw = runner.get()] { return raw->look_for_frames(); });
  AOE_TRY(runner->watch());
  runner->tell_changed_ports(os::monotonic_now());
  return runner;
}

Result<void> CoreRunner::watch() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    AOE_TRY(watch_port(i));
  }
  if (monitor_) {
    AOE_TRY(loop_->add_fd(monitor_->wait_fd(), EPOLLIN,
                          [this](std::uint32_t) { links_changed_ = true; }));
  }
  return {};
}

Result<void> CoreRunner::watch_port(std::size_t port) {
  if (ports_[port]->wait_fd() < 0) {
    return {};
  }
  return loop_->add_fd(ports_[port]->wait_fd(), EPOLLIN | EPOLLET,
                       [this, port](std::uint32_t) { readable_[port] = true; });
}

std::optional<std::size_t> CoreRunner::slot_for(const std::string& name) const {
  std::optional<std::size_t> closed;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (closed_[i]) {
      if (ports_[i]->name() == name) {
        return i;
      }
      closed = closed ? closed : i;
    }
  }
  return ports_.size() < ports_max_ ? std::optional(ports_.size()) : closed;
}

Result<PortId> CoreRunner::add_port(std::unique_ptr<net::PacketPort> port) {
  const std::optional<std::size_t> slot = slot_for(port->name());
  if (!slot) {
    return fail_with(Errc::no_space, 0,
                     fmt::format("{}: {} interfaces are in use, the most that can be", port->name(),
                                 ports_.size()));
  }
  if (*slot == ports_.size()) {
    ports_.emplace_back();
    told_.emplace_back();
    readable_.push_back(false);
    closed_.push_back(true);
    staged_.emplace_back().reserve(kBatchFrames);
  }
  ports_[*slot] = std::move(port);
  if (auto watched = watch_port(*slot); !watched) {
    ports_[*slot] = std::make_unique<net::ClosedPort>(ports_[*slot]->name());
    return aoe::fail(watched.error());
  }
  readable_[*slot] = true;
  closed_[*slot] = false;
  tell_changed_ports(os::monotonic_now());
  return PortId{static_cast<std::uint8_t>(*slot)};
}

void CoreRunner::remove_port(PortId id) {
  std::unique_ptr<net::PacketPort>& port = ports_[id.value];
  if (port->wait_fd() >= 0) {
    loop_->remove_fd(port->wait_fd());
  }
  port = std::make_unique<net::ClosedPort>(port->name());
  readable_[id.value] = false;
  closed_[id.value] = true;
  tell_changed_ports(os::monotonic_now());
}

void CoreRunner::turn(Instant deadline) {
  transmit();
  if (const std::optional<Instant> next = core_->poll_timeout()) {
    deadline = std::min(deadline, *next);
  }
  loop_->run_once(more_waits() ? Instant{1} : deadline);
  if (std::exchange(links_changed_, false)) {
    refresh_ports();
    if (link_callback_) {
      link_callback_();
    }
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

bool CoreRunner::look_for_frames() {
  bool found = false;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i]->has_frames()) {
      readable_[i] = true;
      found = true;
    }
  }
  return found;
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
  os::LinkChanges changes;
  if (monitor_) {
    changes = monitor_->drain();
  }
  // Nothing in the queue: it was the owner who wants a look.
  changes.everything = changes.everything || changes.names.empty();
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (changes.contains(ports_[i]->name()) && ports_[i]->refresh()) {
      // What came while the port changed may have lost its edge.
      readable_[i] = true;
    }
  }
}

PortInfo CoreRunner::limited_info(const net::PacketPort& port) const {
  PortInfo info = port.info();
  if (const auto limit = mtu_limits_.find(port.name()); limit != mtu_limits_.end()) {
    info.mtu_bytes = std::min(info.mtu_bytes, limit->second);
  }
  return info;
}

void CoreRunner::limit_mtu(const std::string& name, std::size_t mtu_bytes) {
  if (mtu_bytes == 0) {
    mtu_limits_.erase(name);
  } else {
    mtu_limits_[name] = mtu_bytes;
  }
  tell_changed_ports(os::monotonic_now());
}

void CoreRunner::tell_changed_ports(Instant now) {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const PortInfo info = limited_info(*ports_[i]);
    if (told_[i] != info) {
      told_[i] = info;
      core_->handle_port(now, PortId{static_cast<std::uint8_t>(i)}, *told_[i]);
    }
  }
}

}  // namespace aoe::client
