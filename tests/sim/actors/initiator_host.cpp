#include "sim/actors/initiator_host.h"

#include <bit>
#include <utility>

namespace aoe::sim {
InitiatorHost::InitiatorHost(World& world, const InitiatorHostOptions& options)
    : BlockMachine(world, options.drift_ppm), options_(options) {}

InitiatorHost::~InitiatorHost() = default;

void InitiatorHost::start() {
  initiator::CoreOptions core = options_.core;
  core.seed = world().fork(stream(StreamKind::initiator, options_.index << 16U | lives_)).next();
  ++lives_;
  pool_ = std::make_unique<BufferPool>(
      BufferPool::Shape{.count = options_.buffers, .frame_bytes = options_.frame_bytes});
  core_ = std::make_unique<initiator::InitiatorCore>(core, *pool_);
  set_powered(true);
  for (std::size_t i = 0; i < port_count(); ++i) {
    const PortId port{static_cast<std::uint8_t>(i)};
    core_->handle_port(local_now(), port, port_info(port));
  }
}

Result<initiator::DeviceId, initiator::SubmitError> InitiatorHost::open(
    DeviceAddress address, const initiator::DeviceSettings& settings) {
  return core_->open_device(local_now(), address, settings);
}

Result<void, initiator::SubmitError> InitiatorHost::submit(initiator::DeviceId device,
                                                           const initiator::IoRequest& request) {
  return core_->submit(local_now(), device, request);
}

Result<void, initiator::SubmitError> InitiatorHost::submit_command(
    const initiator::CommandRequest& request) {
  return core_->submit_command(local_now(), request);
}

void InitiatorHost::close(initiator::DeviceId device) {
  core_->close_device(local_now(), device);
}

bool InitiatorHost::send_some() {
  const std::size_t count = core_->poll_transmit(local_now(), frames_);
  for (initiator::TxFrame& out : std::span(frames_).first(count)) {
    const ConstByteSpan bytes = std::as_const(out.frame).bytes();
    if (tap_ != nullptr) {
      tap_->on_initiator_frame(bytes);
    }
    transmit(out.port, bytes);
    out.frame.reset();
  }
  return count != 0;
}

bool InitiatorHost::complete_some() {
  bool any = false;
  for (std::size_t count = core_->poll_completions(done_); count > 0;) {
    any = true;
    for (std::size_t i = 0; i < count && user() != nullptr; ++i) {
      user()->on_completion(done_[i]);
    }
    count = core_->poll_completions(done_);
  }
  while (core_->poll_commands({&command_done_, 1}) != 0) {
    any = true;
    if (user() != nullptr) {
      user()->on_command_completion(command_done_);
    }
  }
  while (core_->poll_events({&event_, 1}) != 0) {
    any = true;
    if (user() != nullptr) {
      user()->on_initiator_event(event_);
    }
  }
  return any;
}

void InitiatorHost::settle() {
  if (core_ == nullptr || !runs()) {
    return;
  }
  // Completions first: what their owner submits goes out with the rest.
  while (complete_some() || send_some()) {
  }
  wake_at(core_->poll_timeout());
}

void InitiatorHost::on_frame(PortId port, PacketBuffer frame) {
  if (core_ != nullptr) {
    core_->handle_frame(local_now(), port, std::move(frame));
    settle();
  }
}

void InitiatorHost::on_port(PortId port, const PortInfo& info) {
  if (core_ != nullptr) {
    core_->handle_port(local_now(), port, info);
    settle();
  }
}

void InitiatorHost::on_wake() {
  if (core_ != nullptr) {
    core_->handle_timeout(local_now());
    settle();
  }
}

initiator::CoreStats InitiatorHost::total_stats() const {
  if (core_ == nullptr) {
    return past_stats_;
  }
  // All of them are counters of one type.
  using Words = std::array<std::uint64_t, sizeof(initiator::CoreStats) / sizeof(std::uint64_t)>;
  auto total = std::bit_cast<Words>(past_stats_);
  const auto now = std::bit_cast<Words>(core_->stats());
  for (std::size_t i = 0; i < total.size(); ++i) {
    total[i] += now[i];
  }
  return std::bit_cast<initiator::CoreStats>(total);
}

void InitiatorHost::crash(Duration off) {
  past_stats_ = total_stats();
  past_tag_wraps_ = tag_wraps();
  core_.reset();
  pool_.reset();
  set_powered(false);
  if (user() != nullptr) {
    user()->on_crash();
  }
  world().events().schedule(world().now() + off, *this, kRestart, lives_);
}

std::string InitiatorHost::describe(initiator::DeviceId id) const {
  const initiator::Device* device = core_ == nullptr ? nullptr : core_->device(id);
  if (device == nullptr) {
    return "not open";
  }
  std::string text = to_string(device->address()) + (device->is_up() ? " up" : " down");
  for (std::uint32_t path = 0; path < device->paths().size(); ++path) {
    const initiator::Path& at = device->paths().at(path);
    text += " [port " + std::to_string(at.port.value) + " to " + to_string(at.mac) + " " +
            initiator::path_state_name(at.state) + ", " + std::to_string(at.in_flight) +
            " in flight, window " + std::to_string(at.window.frames()) + ", " +
            std::to_string(at.payload.sectors()) + " sectors, rto " +
            std::to_string(device->flow().patience(at.rtt).ns / 1'000'000) + " ms]";
  }
  return text;
}

void InitiatorHost::on_driver_event(Instant /*now*/, std::uint32_t what, std::uint64_t value) {
  if (what == kRestart && core_ == nullptr && value == lives_) {
    start();
    if (user() != nullptr) {
      user()->on_restart();
    }
    settle();
  }
}

}  // namespace aoe::sim
