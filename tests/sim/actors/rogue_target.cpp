#include "sim/actors/rogue_target.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {
namespace {

using protocol::AtaKind;
using protocol::Command;
using protocol::kAtaHeaderBytes;

constexpr protocol::ConfigFrame kLimits{
    .buffer_count = 16, .firmware_version = 0x4019, .sector_count = 2, .protocol_version = 1};
constexpr std::byte kPattern{0xBD};

}  // namespace

RogueTarget::RogueTarget(World& world, const Options& options)
    : Station(world, 0), options_(options) {}

void RogueTarget::start() {
  active_ = true;
  advertise();
}

void RogueTarget::advertise() {
  fill_zero(ByteSpan(reply_).first(protocol::kFrameBytesMin));
  protocol::build_header(reply_, {.destination = MacAddress::broadcast(),
                                  .source = port_info(PortId{0}).mac,
                                  .is_response = true,
                                  .address = options_.address,
                                  .command = static_cast<std::uint8_t>(Command::config)});
  static_cast<void>(protocol::build_config(reply_, kLimits));
  transmit(PortId{0}, ConstByteSpan(reply_).first(protocol::kFrameBytesMin));
}

void RogueTarget::on_port(PortId /*port*/, const PortInfo& /*info*/) {}

void RogueTarget::on_wake() {}

void RogueTarget::on_frame(PortId port, PacketBuffer frame) {
  const ConstByteSpan bytes = std::as_const(frame).bytes();
  const auto header = protocol::parse_header(bytes);
  // A switch that forgot who is where floods: what is not for this machine its interface drops.
  const bool is_mine = header && (header->destination == port_info(port).mac ||
                                  header->destination == MacAddress::broadcast());
  if (!active_ || !is_mine || header->is_response) {
    return;
  }
  const bool for_all = header->address.shelf == protocol::kAllShelves;
  if (!for_all && header->address != options_.address) {
    return;
  }
  std::size_t size = 0;
  protocol::FrameHeader answer =
      protocol::reply_header(*header, port_info(port).mac, options_.address);
  if (header->command == static_cast<std::uint8_t>(Command::config)) {
    size = protocol::build_config(reply_, kLimits);
  } else if (header->command == static_cast<std::uint8_t>(Command::ata)) {
    size = answer_ata(bytes);
  } else {
    answer.is_error = true;
    answer.error = static_cast<std::uint8_t>(protocol::AoeError::unknown_command);
    size = protocol::kHeaderBytes;
  }
  if (size == 0) {
    return;
  }
  protocol::build_header(reply_, answer);
  size = std::max(size, protocol::kFrameBytesMin);
  transmit(port, ConstByteSpan(reply_).first(size));
}

// The length of the answer, whose header is written by the caller; 0 for none.
std::size_t RogueTarget::answer_ata(ConstByteSpan frame) {
  const auto ata = protocol::parse_ata(frame);
  if (!ata) {
    return 0;
  }
  const AtaKind kind = protocol::find_opcode(ata->argument.command_status).kind;
  const std::size_t sectors = ata->argument.sector_count;
  protocol::AtaArgument registers = ata->argument;
  registers.command_status = 0x40;  // DRDY
  registers.feature_error = 0;
  std::size_t size = kAtaHeaderBytes;
  if (kind == AtaKind::identify) {
    ++identified_;
    protocol::build_identify(ByteSpan(reply_).subspan(kAtaHeaderBytes, kSectorBytes),
                             {.serial = options_.serial,
                              .firmware = "1",
                              .model = "rogue",
                              .sector_count = options_.sectors});
    size += kSectorBytes;
  } else if (kind == AtaKind::read && sectors * kSectorBytes + size <= kFrameBytesMax) {
    const ByteSpan data = ByteSpan(reply_).subspan(size, sectors * kSectorBytes);
    std::fill(data.begin(), data.end(), kPattern);
    size += data.size();
  } else if (kind == AtaKind::write || kind == AtaKind::write_fua) {
    ++writes_;
  }
  protocol::build_ata(reply_, registers);
  return size;
}

}  // namespace aoe::sim
