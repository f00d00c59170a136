#include "sim/congestion/core_host.h"

#include "base/check.h"

#include <array>
#include <utility>

namespace aoe::sim {
namespace {

constexpr std::size_t kBatch = 32;
constexpr Duration kIdle = Duration::seconds(1);

initiator::CoreOptions core_options(World& world, std::uint16_t number,
                                    const LoadOptions& options) {
  initiator::CoreOptions core;
  core.seed = world.fork(stream(StreamKind::initiator, number)).next();
  core.limits.devices_max = options.slots;
  core.limits.requests_max = options.slots * options.depth;
  return core;
}

}  // namespace

CoreHost::CoreHost(World& world, FrameLedger& ledger, std::uint16_t number,
                   const LoadOptions& options, const initiator::DeviceSettings& settings)
    : LoadHost(world, ledger, number, options),
      settings_(settings),
      pool_({.count = kBatch, .frame_bytes = options.mtu_bytes + 14}),
      core_(core_options(world, number, options), pool_),
      disks_(options.slots) {
  requests_.resize(static_cast<std::size_t>(options.slots) * options.depth);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    requests_[i].data.resize(options.pattern.sectors * kSectorBytes);
    free_.push_back(static_cast<std::uint32_t>(i));
  }
}

void CoreHost::begin(Instant now) {
  for (std::uint8_t port = 0; port < options().ports; ++port) {
    core_.handle_port(
        now, PortId{port},
        {.mac = host_mac(number(), port), .mtu_bytes = options().mtu_bytes, .link_up = true});
  }
  for (std::uint8_t slot = 0; slot < options().slots; ++slot) {
    const auto id = core_.open_device(now, {Shelf{options().shelf}, Slot{slot}}, settings_);
    AOE_CHECK(id.has_value(), "there is room for every disk");
    disks_[slot].id = *id;
  }
}

void CoreHost::receive(Instant now, PortId port, PacketBuffer frame) {
  core_.handle_frame(now, port, std::move(frame));
}

Instant CoreHost::run(Instant now) {
  core_.handle_timeout(now);
  take_completions(now);
  keep_busy(now);
  transmit(now);
  std::array<initiator::Event, 16> events;
  while (core_.poll_events(events) == events.size()) {
  }
  return core_.poll_timeout().value_or(now + kIdle);
}

void CoreHost::take_completions(Instant now) {
  std::array<initiator::IoCompletion, kBatch> batch;
  while (const std::size_t count = core_.poll_completions(batch)) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::uint32_t>(batch.at(i).cookie);
      const Request& request = requests_[index];
      if (batch.at(i).status == initiator::IoStatus::ok) {
        note_answered(now, request.slot, request.lba);
      }
      --disks_[request.slot].in_flight;
      free_.push_back(index);
    }
  }
}

void CoreHost::keep_busy(Instant now) {
  for (std::uint8_t slot = 0; slot < disks_.size(); ++slot) {
    Disk& disk = disks_[slot];
    if (!disk.id || core_.device(*disk.id)->identity() == std::nullopt) {
      continue;
    }
    while (is_loaded() && disk.in_flight < options().depth) {
      Request& request = requests_[free_.back()];
      request.slot = slot;
      request.lba = next_place(slot);
      const auto accepted = core_.submit(now, *disk.id,
                                         {.op = initiator::IoOp::read,
                                          .lba = request.lba,
                                          .sectors = options().pattern.sectors,
                                          .read_into = request.data,
                                          .cookie = free_.back()});
      AOE_CHECK(accepted.has_value(), "there is room for every request");
      free_.pop_back();
      ++disk.in_flight;
    }
  }
}

void CoreHost::transmit(Instant now) {
  std::array<initiator::TxFrame, kBatch> batch;
  while (const std::size_t count = core_.poll_transmit(now, batch)) {
    for (std::size_t i = 0; i < count; ++i) {
      const PacketBuffer frame = std::move(batch.at(i).frame);
      send(now, batch.at(i).port, frame.bytes());
    }
  }
}

}  // namespace aoe::sim
