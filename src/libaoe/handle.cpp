#include "libaoe/handle.h"

#include "client/device_settings.h"
#include "os/clock.h"

#include <array>
#include <cerrno>
#include <utility>

namespace aoe::libaoe {
namespace {

// A callback of a device that is closed.
Error closed_error() {
  return {Errc::unavailable, ECANCELED, "the handle was closed"};
}

}  // namespace

Handle::~Handle() = default;

// --- states ---

Result<void> Handle::must_have_network() const {
  return network_ ? Result<void>()
                  : fail_with(Errc::unavailable, ENOTCONN, "the handle is not open");
}

Result<void> Handle::must_be_open() const {
  return state_ == State::open && !closing_
             ? Result<void>()
             : fail_with(Errc::unavailable, ENOTCONN, "the handle is not open");
}

Result<void> Handle::must_not_be_calling() const {
  return network_->is_calling()
             ? fail_with(Errc::busy, EDEADLK, "a callback cannot wait for what it is called by")
             : Result<void>();
}

Result<void> Handle::may_drive() const {
  AOE_TRY(must_not_be_calling());
  if (state_ == State::created) {
    return fail_with(Errc::unavailable, ENOTCONN, "the handle is not open");
  }
  if (network_->has_thread()) {
    return fail_with(Errc::invalid_argument, 0, "the network has a thread of its own");
  }
  return {};
}

Result<Handle::Settings*> Handle::settings() {
  if (network_) {
    const Network::Lock held = network_->lock();
    if (state_ != State::created) {
      return fail_with(Errc::invalid_argument, 0, "the handle is open");
    }
  }
  return &settings_;
}

Result<void> Handle::share_network(Handle& with) {
  AOE_TRY(settings());
  AOE_TRY(with.must_have_network());
  const Network::Lock held = with.network_->lock();
  AOE_TRY(with.must_be_open());
  shared_ = with.network_;
  return {};
}

// --- opening ---

Result<std::shared_ptr<Network>> Handle::make_network(const client::DeviceUri& uri) const {
  if (shared_) {
    return shared_;
  }
  return Network::open(uri.interfaces.empty() ? settings_.interfaces : uri.interfaces,
                       uri.port.value_or(PortKind::automatic));
}

// Makes the device look for its target. The lock that it returns is the network's.
Result<Network::Lock> Handle::begin_open(const std::string& text) {
  AOE_TRY_ASSIGN(const client::DeviceUri uri, client::parse_device_uri(text));
  if (closing_) {
    return fail_with(Errc::busy, EDEADLK, "the handle is being closed");
  }
  AOE_TRY(settings());
  if (network_) {
    Network::Lock held = network_->lock();
    AOE_TRY(must_not_be_calling());
    leave_network(held);
  }
  AOE_TRY_ASSIGN(network_, make_network(uri));
  client::DeviceOptions options = settings_.device;
  client::apply_uri(uri, options);

  Network::Lock held = network_->lock();
  AOE_TRY(must_not_be_calling());
  AOE_TRY_ASSIGN(auto device, network_->session().start_device(uri.address, options));
  opening_.emplace(
      Opening{.started = os::monotonic_now(), .device = std::move(device), .completion = {}});
  state_ = State::opening;
  network_->attach(*this);
  network_->session().wake_at(*deadline());
  network_->session().send();
  return held;
}

Result<void> Handle::open(const std::string& uri) {
  AOE_TRY_ASSIGN(Network::Lock held, begin_open(uri));
  Waiter waiter;
  opening_->waiter = &waiter;
  network_->wait(held, waiter, [&] { return waiter.done; });
  if (waiter.error) {
    return aoe::fail(*std::move(waiter.error));
  }
  return {};
}

Result<void> Handle::start_open(const std::string& uri, const Completion& completion) {
  AOE_TRY_ASSIGN(const Network::Lock held, begin_open(uri));
  opening_->completion = completion;
  ++in_flight_;
  return {};
}

std::optional<Instant> Handle::deadline() const {
  return opening_ ? std::optional(opening_->started + settings_.device.open_timeout) : std::nullopt;
}

void Handle::collect_opening(std::vector<Call>& calls) {
  if (opening_->device->is_up()) {
    device_ =
        std::make_unique<client::ByteDevice>(std::move(opening_->device), Network::kRequestsMax);
    size_told_ = device_->size_bytes();
    pending_.resize(Network::kRequestsMax);
    free_.clear();
    for (std::uint32_t i = Network::kRequestsMax; i > 0; --i) {
      free_.push_back(i - 1);
    }
    end_opening(std::nullopt, calls);
  } else if (os::monotonic_now() >= *deadline()) {
    end_opening(network_->session().why_not_up(*opening_->device, settings_.device.open_timeout),
                calls);
  }
}

void Handle::end_opening(std::optional<Error> error, std::vector<Call>& calls) {
  state_ = error ? State::created : State::open;
  const Opening opening = *std::move(opening_);
  opening_.reset();
  if (opening.waiter != nullptr) {
    opening.waiter->error = std::move(error);
    network_->finish(*opening.waiter);
    return;
  }
  calls.push_back({.owner = this,
                   .name = opening.completion.name,
                   .completion = opening.completion.callback,
                   .user_data = opening.completion.user_data,
                   .error = std::move(error)});
}

// --- closing ---

// Ends what is under way and runs its callbacks here.
void Handle::leave_network(Network::Lock& lock) {
  network_->detach(lock, *this);
  std::vector<Call> calls;
  if (opening_) {
    end_opening(closed_error(), calls);
  }
  if (device_) {
    device_->close();
    collect_requests(calls);
    device_.reset();
  }
  state_ = State::created;
  network_->tell_waiters();
  lock.unlock();
  for (const Call& call : calls) {
    call.run();
  }
  lock.lock();
  in_flight_ = 0;
}

Result<void> Handle::close() {
  if (network_) {
    Network::Lock held = network_->lock();
    AOE_TRY(must_not_be_calling());
    if (closing_) {
      return fail_with(Errc::busy, EDEADLK, "the handle is being closed");
    }
    closing_ = true;
    leave_network(held);
  }
  return {};
}

// --- requests ---

Result<void> Handle::submit(const client::ByteRequest& request, const Pending& pending) {
  AOE_TRY(must_be_open());
  if (!network_->has_room()) {
    return fail_with(Errc::busy, 0, "the network has as many requests outstanding as it can");
  }
  const std::uint32_t index = free_.back();
  client::ByteRequest inner = request;
  inner.cookie = index;
  AOE_TRY(device_->submit(inner));
  free_.pop_back();
  pending_[index] = pending;
  network_->take_slot();
  if (device_->has_done()) {
    network_->session().wake_now();
  }
  return {};
}

Result<void> Handle::start(const client::ByteRequest& request, const Completion& completion) {
  AOE_TRY(must_have_network());
  const Network::Lock held = network_->lock();
  AOE_TRY(submit(request, {.completion = completion, .op = request.op, .bytes = request.bytes}));
  ++in_flight_;
  network_->send_soon();
  return {};
}

Result<void> Handle::run(const client::ByteRequest& request) {
  AOE_TRY(must_have_network());
  const std::shared_ptr<Network> network = network_;
  Network::Lock held = network->lock();
  AOE_TRY(must_not_be_calling());
  while (!network->has_room()) {
    Waiter room{.watches = true};
    network->wait(held, room, [&] { return network->has_room(); });
  }
  Waiter waiter;
  AOE_TRY(submit(request, {.waiter = &waiter, .op = request.op, .bytes = request.bytes}));
  network->session().send();
  network->wait(held, waiter, [&] { return waiter.done; });
  if (waiter.error) {
    return aoe::fail(*std::move(waiter.error));
  }
  return {};
}

Result<int> Handle::in_flight() {
  if (!network_) {
    return 0;
  }
  const Network::Lock held = network_->lock();
  return in_flight_;
}

Result<void> Handle::drain() {
  if (!network_) {
    return {};
  }
  Network::Lock held = network_->lock();
  AOE_TRY(must_not_be_calling());
  Waiter waiter{.watches = true};
  network_->wait(held, waiter, [&] { return in_flight_ == 0; });
  return {};
}

// --- driving ---

Result<void> Handle::start_thread() {
  AOE_TRY(must_have_network());
  const Network::Lock held = network_->lock();
  AOE_TRY(must_not_be_calling());
  AOE_TRY(must_be_open());
  return network_->start_thread();
}

Result<int> Handle::wait_fd() {
  AOE_TRY(must_have_network());
  const Network::Lock held = network_->lock();
  if (state_ == State::created) {
    return fail_with(Errc::unavailable, ENOTCONN, "the handle is not open");
  }
  return network_->wait_fd();
}

Result<int> Handle::process() {
  AOE_TRY(must_have_network());
  Network::Lock held = network_->lock();
  AOE_TRY(may_drive());
  return static_cast<int>(network_->process(held));
}

Result<int> Handle::poll(std::optional<Duration> timeout) {
  AOE_TRY(must_have_network());
  Network::Lock held = network_->lock();
  AOE_TRY(may_drive());
  const std::uint64_t before = network_->calls_made();
  network_->process(held);
  std::optional<Instant> end;
  if (timeout) {
    end = os::monotonic_now() + *timeout;
  }
  Waiter waiter{.watches = true};
  network_->wait(
      held, waiter, [&] { return network_->calls_made() != before; }, end);
  return static_cast<int>(network_->calls_made() - before);
}

// --- what a turn brings ---

void Handle::collect(std::vector<Call>& calls) {
  if (opening_) {
    collect_opening(calls);
  }
  if (device_) {
    collect_requests(calls);
    collect_size(calls);
  }
}

void Handle::collect_requests(std::vector<Call>& calls) {
  std::array<client::ByteCompletion, 32> batch;
  std::size_t count = batch.size();
  while (count == batch.size()) {
    count = device_->take(batch);
    for (client::ByteCompletion& done : std::span(batch).first(count)) {
      end_request(done, calls);
    }
  }
}

void Handle::end_request(client::ByteCompletion& done, std::vector<Call>& calls) {
  const auto index = static_cast<std::uint32_t>(done.cookie);
  const Pending& pending = pending_[index];
  free_.push_back(index);
  network_->give_slot();
  ++counted_.requests;
  if (done.error) {
    ++counted_.errors;
  } else if (pending.op == client::IoOp::read) {
    counted_.bytes_read += pending.bytes;
  } else if (pending.op == client::IoOp::write) {
    counted_.bytes_written += pending.bytes;
  }
  if (pending.waiter != nullptr) {
    pending.waiter->error = std::move(done.error);
    network_->finish(*pending.waiter);
    return;
  }
  calls.push_back({.owner = this,
                   .name = pending.completion.name,
                   .completion = pending.completion.callback,
                   .user_data = pending.completion.user_data,
                   .error = std::move(done.error)});
}

void Handle::collect_size(std::vector<Call>& calls) {
  const std::uint64_t size = device_->size_bytes();
  if (size == size_told_) {
    return;
  }
  size_told_ = size;
  if (size_callback_ != nullptr) {
    calls.push_back({.owner = this,
                     .size_callback = size_callback_,
                     .user_data = size_user_data_,
                     .size = static_cast<std::int64_t>(size)});
  }
}

void Handle::on_returned(const Call& call) {
  if (call.completion != nullptr) {
    --in_flight_;
  }
}

// --- questions ---

void Handle::set_size_callback(aoe_size_callback callback, void* user_data) {
  const Network::Lock held = network_ ? network_->lock() : Network::Lock();
  size_callback_ = callback;
  size_user_data_ = user_data;
}

Result<aoe_stats> Handle::stats() {
  AOE_TRY(must_have_network());
  const Network::Lock held = network_->lock();
  AOE_TRY(must_be_open());
  aoe_stats stats = counted_;
  const client::SessionStats session = network_->session().stats();
  stats.frames_sent = session.frames_sent;
  stats.retransmissions = session.retransmissions;
  stats.answers = session.answers;
  stats.answers_ignored = session.answers_ignored;
  for (const client::InterfaceStats& port : session.interfaces) {
    stats.rx_frames += port.rx_frames;
    stats.rx_bytes += port.rx_bytes;
    stats.rx_dropped += port.rx_dropped;
    stats.tx_frames += port.tx_frames;
    stats.tx_bytes += port.tx_bytes;
    stats.tx_dropped += port.tx_dropped;
  }
  return stats;
}

}  // namespace aoe::libaoe
