#include "sim/actors/linux_host.h"

#include "base/check.h"

#include <utility>

namespace aoe::sim {

using initiator::DeviceId;
using initiator::IoOp;
using initiator::SubmitError;

LinuxHost::LinuxHost(World& world, const Options& options)
    : BlockMachine(world, options.drift_ppm), options_(options), driver_(options.driver) {}

void LinuxHost::start() {
  for (std::size_t i = 0; i < port_count(); ++i) {
    const PortId port{static_cast<std::uint8_t>(i)};
    driver_.add_interface(port, port_info(port).mac, port_info(port).mtu_bytes);
  }
  started_ = true;
  driver_.handle_timeout(local_now());
  settle();
}

Result<DeviceId, SubmitError> LinuxHost::open(DeviceAddress address,
                                              const initiator::DeviceSettings& /*settings*/) {
  disks_.push_back({.address = address, .requests = {}});
  return DeviceId{static_cast<std::uint16_t>(disks_.size() - 1)};
}

Result<void, SubmitError> LinuxHost::submit(DeviceId device, const initiator::IoRequest& request) {
  Disk& disk = disks_[device.value];
  if (!disk.is_open) {
    return aoe::fail(SubmitError::not_ready);
  }
  AOE_CHECK(request.op == IoOp::read || request.op == IoOp::write,
            "the workload of a Linux host reads and writes");
  if (!driver_.submit(local_now(), disk.address,
                      {.cookie = request.cookie,
                       .lba = request.lba,
                       .read_into = request.read_into,
                       .write_from = request.write_from})) {
    return aoe::fail(SubmitError::busy);
  }
  if (disk.requests.size() <= request.cookie) {
    disk.requests.resize(request.cookie + 1);
  }
  disk.requests[request.cookie] = request;
  return {};
}

void LinuxHost::open_what_came_up() {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    Disk& disk = disks_[i];
    if (!disk.is_open && driver_.is_up(disk.address)) {
      disk.is_open = true;
      driver_.open(disk.address);
      user()->on_initiator_event({.kind = initiator::EventKind::device_up,
                                  .address = disk.address,
                                  .device = DeviceId{static_cast<std::uint16_t>(i)},
                                  .sectors = driver_.sectors(disk.address)});
    }
  }
}

bool LinuxHost::complete_some() {
  bool any = false;
  while (const auto done = driver_.poll_completion()) {
    any = true;
    for (std::size_t i = 0; i < disks_.size(); ++i) {
      if (disks_[i].address != done->address) {
        continue;
      }
      const initiator::IoRequest& request = disks_[i].requests[done->cookie];
      user()->on_completion(
          {.cookie = done->cookie,
           .device = DeviceId{static_cast<std::uint16_t>(i)},
           .op = request.op,
           .status = done->ok ? initiator::IoStatus::ok : initiator::IoStatus::timed_out,
           .sectors = request.sectors});
    }
  }
  return any;
}

void LinuxHost::settle() {
  if (!started_ || !runs() || user() == nullptr) {
    return;
  }
  bool busy = true;
  while (busy) {
    open_what_came_up();
    busy = complete_some();
    while (const auto out = driver_.poll_transmit()) {
      busy = true;
      if (tap_ != nullptr) {
        tap_->on_initiator_frame(out->bytes);
      }
      transmit(out->port, out->bytes);
    }
  }
  wake_at(driver_.poll_timeout());
}

void LinuxHost::on_frame(PortId port, PacketBuffer frame) {
  if (started_) {
    driver_.handle_frame(local_now(), port, std::as_const(frame).bytes());
    settle();
  }
}

void LinuxHost::on_port(PortId /*port*/, const PortInfo& /*info*/) {}

void LinuxHost::on_wake() {
  if (started_) {
    driver_.handle_timeout(local_now());
    settle();
  }
}

std::string LinuxHost::describe(DeviceId device) const {
  const DeviceAddress address = disks_[device.value].address;
  return to_string(address) + (driver_.is_up(address) ? " up" : " down") + ", window " +
         std::to_string(driver_.window_frames(address)) + ", rto " +
         std::to_string(driver_.rto(address).ns / 1'000'000) + " ms";
}

}  // namespace aoe::sim
