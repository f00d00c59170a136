#include "sim/congestion/load_host.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_command.h"

#include <utility>

namespace aoe::sim {
namespace {

// Of the stream of chance of a host's load: a slot each.
constexpr std::uint64_t kSlotsMax = 256;

}  // namespace

LoadHost::LoadHost(World& world, FrameLedger& ledger, std::uint16_t number,
                   const LoadOptions& options)
    : world_(world), ledger_(ledger), number_(number), options_(options) {
  for (std::uint64_t slot = 0; slot < options.slots; ++slot) {
    patterns_.emplace_back(options.pattern,
                           world.fork(stream(StreamKind::workload, number * kSlotsMax + slot)));
  }
}

void LoadHost::handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) {
  if (has_started_) {
    receive(now, PortId{static_cast<std::uint8_t>(port)}, std::move(frame));
    run_and_rest(now);
  }
}

void LoadHost::handle_event(Instant now, std::uint32_t what, std::uint64_t /*value*/) {
  if (what == kStart) {
    has_started_ = true;
    begin(now);
  } else if (what == kLoad) {
    is_loaded_ = true;
  } else if (now != wake_at_) {
    return;  // an earlier one was scheduled since, and is over
  } else {
    wake_at_ = {};
  }
  run_and_rest(now);
}

void LoadHost::run_and_rest(Instant now) {
  const Instant next = std::max(run(now), now + Duration::nanoseconds(1));
  if (wake_at_ == Instant{} || next < wake_at_) {
    wake_at_ = next;
    world_.events().schedule(next, *this, kTimer, 0);
  }
}

void LoadHost::send(Instant now, PortId port, ConstByteSpan frame) {
  const protocol::FrameHeader header = *protocol::parse_header(frame);
  if (header.command == static_cast<std::uint8_t>(protocol::Command::ata)) {
    const protocol::AtaArgument ata = protocol::parse_ata(frame)->argument;
    const protocol::AtaKind kind = protocol::find_opcode(ata.command_status).kind;
    if (kind == protocol::AtaKind::read || kind == protocol::AtaKind::write) {
      ledger_.on_sent(
          now, {number_, header.address.slot.value, ata.is_extended() ? ata.lba48() : ata.lba28()});
    }
  }
  if (PacketBuffer out = world_.copy_frame(frame)) {
    outputs_[port.value]->send(now, std::move(out));
  }
}

void LoadHost::note_answered(Instant now, std::uint8_t slot, Lba lba) {
  ledger_.on_answered(now, {number_, slot, lba});
}

}  // namespace aoe::sim
