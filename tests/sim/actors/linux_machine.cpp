#include "sim/actors/linux_machine.h"

#include "base/check.h"
#include "initiator/write_fence.h"
#include "protocol/aoe_frame.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {

using initiator::DeviceId;
using initiator::IoOp;
using initiator::IoRequest;
using initiator::SectorRange;
using initiator::SubmitError;

namespace {

bool are_writes_of_one_sector(const IoRequest& a, const IoRequest& b) {
  return a.op == IoOp::write && b.op == IoOp::write &&
         SectorRange{a.lba, a.sectors}.overlaps({b.lba, b.sectors});
}

}  // namespace

LinuxMachine::LinuxMachine(World& world, const LinuxMachineOptions& options)
    : BlockMachine(world, options.drift_ppm), options_(options), driver_(options.driver) {}

void LinuxMachine::start() {
  for (std::size_t i = 0; i < port_count(); ++i) {
    const PortId port{static_cast<std::uint8_t>(i)};
    driver_.add_interface(port, port_info(port).mac, port_info(port).mtu_bytes);
  }
  started_ = true;
  driver_.handle_timeout(local_now());
  settle();
}

Result<DeviceId, SubmitError> LinuxMachine::open(DeviceAddress address,
                                                 const initiator::DeviceSettings& /*settings*/) {
  disks_.push_back({.address = address, .down_since = world().now()});
  return DeviceId{static_cast<std::uint16_t>(disks_.size() - 1)};
}

Result<void, SubmitError> LinuxMachine::submit(DeviceId device, const IoRequest& request) {
  Disk& disk = disks_[device.value];
  if (!disk.is_open) {
    return aoe::fail(SubmitError::not_ready);
  }
  AOE_CHECK(request.op == IoOp::read || request.op == IoOp::write,
            "the users of the Linux driver read and write");
  const bool must_wait =
      std::any_of(disk.requests.begin(), disk.requests.end(), [&request](const Open& other) {
        return other.in_use && are_writes_of_one_sector(other.request, request);
      });
  if (must_wait || !driver_.submit(local_now(), disk.address,
                                   {.cookie = request.cookie,
                                    .lba = request.lba,
                                    .read_into = request.read_into,
                                    .write_from = request.write_from})) {
    return aoe::fail(SubmitError::busy);
  }
  if (disk.requests.size() <= request.cookie) {
    disk.requests.resize(request.cookie + 1);
  }
  disk.requests[request.cookie] = {.in_use = true, .request = request};
  return {};
}

void LinuxMachine::open_what_came_up() {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    Disk& disk = disks_[i];
    if (!disk.is_open && driver_.is_up(disk.address)) {
      disk.is_open = true;
      returns_ += disk.was_given_up ? 1U : 0U;
      driver_.open(disk.address);
      user()->on_initiator_event({.kind = initiator::EventKind::device_up,
                                  .address = disk.address,
                                  .device = DeviceId{static_cast<std::uint16_t>(i)},
                                  .sectors = driver_.sectors(disk.address)});
    }
  }
}

void LinuxMachine::close_what_went_down() {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    Disk& disk = disks_[i];
    if (disk.is_open && !driver_.is_up(disk.address)) {
      disk.is_open = false;
      disk.was_given_up = true;
      disk.down_since = world().now();
      driver_.close(disk.address);
      user()->on_initiator_event({.kind = initiator::EventKind::device_down,
                                  .address = disk.address,
                                  .device = DeviceId{static_cast<std::uint16_t>(i)}});
    }
  }
}

std::optional<Instant> LinuxMachine::down_since() const {
  std::optional<Instant> since;
  for (const Disk& disk : disks_) {
    if (!disk.is_open && (!since || disk.down_since < *since)) {
      since = disk.down_since;
    }
  }
  return since;
}

bool LinuxMachine::complete_some() {
  bool any = false;
  while (const auto done = driver_.poll_completion()) {
    any = true;
    for (std::size_t i = 0; i < disks_.size(); ++i) {
      if (disks_[i].address != done->address) {
        continue;
      }
      Open& open = disks_[i].requests[done->cookie];
      open.in_use = false;
      // The driver knows one error: EIO.
      user()->on_completion(
          {.cookie = done->cookie,
           .device = DeviceId{static_cast<std::uint16_t>(i)},
           .op = open.request.op,
           .status = done->ok ? initiator::IoStatus::ok : initiator::IoStatus::device_fault,
           .sectors = open.request.sectors});
    }
  }
  return any;
}

void LinuxMachine::settle() {
  if (!started_ || !runs() || user() == nullptr) {
    return;
  }
  bool busy = true;
  while (busy) {
    open_what_came_up();
    busy = complete_some();
    close_what_went_down();
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

void LinuxMachine::on_frame(PortId port, PacketBuffer frame) {
  const auto header = protocol::parse_header(std::as_const(frame).bytes());
  // The driver does not look whom a frame is for: the network card does. A switch that does not
  // know an address yet sends its frames to everybody, and an answer to another host, with a clock
  // of its own in the tag, would pass for one that took hours.
  if (!started_ || !header ||
      (!header->destination.is_group() && header->destination != port_info(port).mac)) {
    return;
  }
  driver_.handle_frame(local_now(), port, std::as_const(frame).bytes());
  settle();
}

// The driver hears of MTUs by config answers, and of links not at all.
void LinuxMachine::on_port(PortId /*port*/, const PortInfo& /*info*/) {}

void LinuxMachine::on_wake() {
  if (started_) {
    driver_.handle_timeout(local_now());
    settle();
  }
}

std::string LinuxMachine::describe(DeviceId device) const {
  const DeviceAddress address = disks_[device.value].address;
  return to_string(address) + (driver_.is_up(address) ? " up" : " down") + ", window " +
         std::to_string(driver_.window_frames(address)) + ", rto " +
         std::to_string(driver_.rto(address).ns / 1'000'000) + " ms";
}

}  // namespace aoe::sim
