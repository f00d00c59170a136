#include "sim/congestion/buffered_target.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_registers.h"

#include <algorithm>
#include <string>
#include <utility>

namespace aoe::sim {

using protocol::AtaKind;

BufferedTarget::BufferedTarget(World& world, FrameLedger& ledger, const Options& options)
    : world_(world),
      ledger_(ledger),
      options_(options),
      random_(world.fork(stream(StreamKind::target, 0))),
      frames_(options.buffers) {
  for (std::uint32_t slot = 0; slot < options.slots; ++slot) {
    disks_.push_back(std::make_unique<SimDisk>(world, slot, options.disk));
    disks_.back()->set_user(this);
  }
  for (std::uint32_t i = options.buffers; i > 0; --i) {
    free_.push_back(i - 1);
  }
}

void BufferedTarget::handle_arrival(Instant now, std::uint16_t port, PacketBuffer buffer) {
  const ConstByteSpan frame = std::as_const(buffer).bytes();
  const auto header = protocol::parse_header(frame);
  if (!header || header->is_response) {
    return;
  }
  const bool is_ata = header->command == static_cast<std::uint8_t>(protocol::Command::ata);
  const auto ata = protocol::parse_ata(frame);
  if (!is_ata) {
    if (held_ >= options_.buffers || chance(options_.request_loss_ppm)) {
      return;
    }
    if (header->command == static_cast<std::uint8_t>(protocol::Command::config)) {
      answer_config(now, port, *header);
    } else {
      refuse(now, port, *header);
    }
    return;
  }
  const AtaKind kind =
      ata ? protocol::find_opcode(ata->argument.command_status).kind : AtaKind::unsupported;
  if (header->address.slot.value >= options_.slots) {
    return;
  }
  if (kind == AtaKind::read || kind == AtaKind::write) {
    take(now, port, *header, frame);
  } else if (held_ < options_.buffers && !chance(options_.request_loss_ppm)) {
    answer_identify(now, port, *header);
  }
}

void BufferedTarget::take(Instant now, std::uint16_t port, const protocol::FrameHeader& header,
                          ConstByteSpan frame) {
  const auto ata = protocol::parse_ata(frame);
  const Lba lba = ata->argument.is_extended() ? ata->argument.lba48() : ata->argument.lba28();
  const bool overflows = held_ >= options_.buffers;
  const bool lost = !overflows && chance(options_.request_loss_ppm);
  if (overflows || lost) {
    ++(overflows ? counters_.overflowed : counters_.lost);
    ledger_.on_lost(now, {host_of(header.source), header.address.slot.value, lba});
    return;
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  ++held_;
  counters_.held_max = std::max(counters_.held_max, held_);
  Held& held = frames_[place];
  held.header = header;
  held.port = port;
  held.lba = lba;
  held.is_read = protocol::find_opcode(ata->argument.command_status).kind == AtaKind::read;
  held.data.resize(ata->argument.sector_count * kSectorBytes);
  if (!held.is_read) {
    copy_bytes(held.data, ata->data.first(held.data.size()));
  }
  disks_[header.address.slot.value]->submit(
      now, {.tag = StoreTag{place},
            .kind = held.is_read ? StoreOpKind::read : StoreOpKind::write,
            .durability = held.is_read ? Durability::visible : Durability::stable,
            .offset_bytes = lba.value * kSectorBytes,
            .length_bytes = held.data.size(),
            .data = held.data});
}

void BufferedTarget::handle_disk_done(Instant now, std::uint32_t /*disk*/,
                                      const StoreCompletion& done) {
  const auto place = static_cast<std::uint32_t>(done.tag.value);
  const Held& held = frames_[place];
  const std::size_t data_bytes = held.is_read ? held.data.size() : 0;
  std::vector<std::byte> frame(
      std::max(protocol::kFrameBytesMin, protocol::kAtaHeaderBytes + data_bytes));
  protocol::build_header(
      frame, protocol::reply_header(held.header, target_mac(static_cast<std::uint8_t>(held.port)),
                                    held.header.address));
  protocol::AtaArgument result;
  result.command_status =
      done.status == StoreErrc::ok ? protocol::kStatusReady : protocol::kStatusDeviceFault;
  protocol::build_ata(frame, result);
  if (held.is_read) {
    copy_bytes(ByteSpan(frame).subspan(protocol::kAtaHeaderBytes), held.data);
  }
  --held_;
  free_.push_back(place);
  if (chance(options_.answer_loss_ppm)) {
    ++counters_.lost;
    ledger_.on_lost(now, {host_of(held.header.source), held.header.address.slot.value, held.lba});
    return;
  }
  const LinkDirection& output = *outputs_[held.port];
  const std::uint64_t before = output.counters().overflowed;
  reply(now, held.port, frame);
  if (output.counters().overflowed > before) {
    ledger_.on_lost(now, {host_of(held.header.source), held.header.address.slot.value, held.lba});
  }
}

void BufferedTarget::answer_config(Instant now, std::uint16_t port,
                                   const protocol::FrameHeader& header) {
  const bool every_shelf = header.address.shelf == protocol::kAllShelves;
  const bool every_slot = header.address.slot == protocol::kAllSlots;
  if (!every_shelf && header.address.shelf.value != options_.shelf) {
    return;
  }
  for (std::uint8_t slot = 0; slot < options_.slots; ++slot) {
    if (!every_slot && header.address.slot.value != slot) {
      continue;
    }
    std::vector<std::byte> frame(protocol::kFrameBytesMin);
    protocol::build_header(
        frame, protocol::reply_header(header, target_mac(static_cast<std::uint8_t>(port)),
                                      {Shelf{options_.shelf}, Slot{slot}}));
    protocol::build_config(frame, {.buffer_count = options_.buffers,
                                   .firmware_version = 1,
                                   .sector_count = options_.sectors_max,
                                   .protocol_version = 1});
    reply(now, port, frame);
  }
}

void BufferedTarget::answer_identify(Instant now, std::uint16_t port,
                                     const protocol::FrameHeader& header) {
  std::vector<std::byte> frame(protocol::kAtaHeaderBytes + protocol::kIdentifyBytes);
  protocol::build_header(
      frame,
      protocol::reply_header(header, target_mac(static_cast<std::uint8_t>(port)), header.address));
  protocol::AtaArgument result;
  result.command_status = protocol::kStatusReady;
  protocol::build_ata(frame, result);
  protocol::IdentifyModel model;
  model.serial = "SPINDLE" + std::to_string(header.address.slot.value);
  model.model = "modelled disk";
  model.sector_count = options_.disk.sectors;
  protocol::build_identify(ByteSpan(frame).subspan(protocol::kAtaHeaderBytes), model);
  reply(now, port, frame);
}

void BufferedTarget::refuse(Instant now, std::uint16_t port, const protocol::FrameHeader& header) {
  protocol::FrameHeader refusal =
      protocol::reply_header(header, target_mac(static_cast<std::uint8_t>(port)), header.address);
  refusal.is_error = true;
  refusal.error = static_cast<std::uint8_t>(protocol::AoeError::unknown_command);
  std::vector<std::byte> frame(protocol::kFrameBytesMin);
  protocol::build_header(frame, refusal);
  reply(now, port, frame);
}

void BufferedTarget::reply(Instant now, std::uint16_t port, ConstByteSpan frame) {
  if (PacketBuffer out = world_.copy_frame(frame)) {
    outputs_[port]->send(now, std::move(out));
  }
}

}  // namespace aoe::sim
