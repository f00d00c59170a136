#include "initiator/path_prober.h"

#include "initiator/frame_builder.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_command.h"

namespace aoe::initiator {

void PathProber::start(Instant now, DeviceId id, std::uint32_t path_index) {
  Path& path = context_.devices[id.value]->paths().at(path_index);
  if (path.probe_slot != kNoIndex) {
    return;
  }
  const std::optional<std::uint32_t> slot = context_.exchanges.acquire(ExchangeKind::probe, now);
  if (!slot) {
    ++context_.stats.tags_exhausted;
    return;
  }
  path.probe_slot = *slot;
  Exchange& exchange = context_.exchanges.at(*slot);
  exchange.device = id;
  exchange.path = path_index;
  exchange.paths_used = 1U << path_index;
  exchange.queued = true;
  waiting_.push_back(context_.exchanges.links(), *slot);
}

void PathProber::stop(DeviceId id, std::uint32_t path_index) {
  Path& path = context_.devices[id.value]->paths().at(path_index);
  if (path.probe_slot == kNoIndex) {
    return;
  }
  Exchange& exchange = context_.exchanges.at(path.probe_slot);
  if (exchange.queued) {
    exchange.queued = false;
    waiting_.remove(context_.exchanges.links(), path.probe_slot);
  }
  context_.exchanges.release(path.probe_slot);
  path.probe_slot = kNoIndex;
}

void PathProber::on_expiry(std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  exchange.queued = true;
  waiting_.push_back(context_.exchanges.links(), slot);
}

void PathProber::ask_again(Instant now, std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  exchange.refused = true;
  if (!exchange.queued) {
    arm_timer(now, slot);
  }
}

void PathProber::arm_timer(Instant now, std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const Path& path = context_.devices[exchange.device.value]->paths().at(exchange.path);
  context_.exchanges.timers().set(slot, now + path.network.doubled(exchange.transmissions - 1));
}

bool PathProber::next_frame(Instant now, TxFrame& out) {
  if (waiting_.empty() || context_.pool.available() == 0) {
    return false;
  }
  const std::uint32_t slot = waiting_.pop_front(context_.exchanges.links());
  Exchange& exchange = context_.exchanges.at(slot);
  exchange.queued = false;
  const Device& device = *context_.devices[exchange.device.value];
  const Path& path = device.paths().at(exchange.path);
  out.port = path.port;
  out.frame = start_frame(context_.pool, protocol::kAtaHeaderBytes,
                          {.destination = path.mac,
                           .source = context_.ports[path.port.value]->mac,
                           .address = device.address(),
                           .command = static_cast<std::uint8_t>(protocol::Command::ata),
                           .tag = exchange.tag});
  protocol::AtaArgument ata;
  ata.sector_count = 1;
  ata.command_status = static_cast<std::uint8_t>(protocol::AtaOp::identify);
  protocol::build_ata(out.frame.bytes(), ata);
  exchange.sent = now;
  ++exchange.transmissions;
  ++context_.stats.frames_sent;
  if (exchange.transmissions > 1) {
    ++context_.stats.retransmissions;
  }
  arm_timer(now, slot);
  return true;
}

}  // namespace aoe::initiator
