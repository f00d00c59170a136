#include "sim/actors/hostile_station.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_command.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {

using protocol::Command;
using protocol::kAtaHeaderBytes;
using protocol::kFrameBytesMin;
using protocol::kHeaderBytes;

HostileStation::HostileStation(World& world, const Options& options)
    : Station(world, 0), options_(options), prng_(world.fork(stream(StreamKind::station, 1))) {}

void HostileStation::start() {
  active_ = true;
  wake_at(local_now());
}

void HostileStation::on_port(PortId /*port*/, const PortInfo& /*info*/) {}

// Sealed frames only: whoever repeats a plain command gives it, and may.
void HostileStation::on_frame(PortId /*port*/, PacketBuffer frame) {
  const ConstByteSpan bytes = std::as_const(frame).bytes();
  const auto header = protocol::parse_header(bytes);
  if (options_.replays && header && bytes.size() <= kHeardBytes &&
      header->command == static_cast<std::uint8_t>(Command::ata) &&
      protocol::parse_seal(bytes).has_value()) {
    copy_bytes(heard_, bytes);
    heard_bytes_ = bytes.size();
  }
}

void HostileStation::on_wake() {
  if (!active_) {
    return;
  }
  for (std::uint64_t left = 1 + prng_.below(options_.burst_max); left > 0; --left) {
    send_one();
  }
  wake_at(local_now() +
          Duration{static_cast<std::int64_t>(
              1000 + prng_.below(static_cast<std::uint64_t>(options_.pause_max.ns)))});
}

const MacAddress& HostileStation::victim() {
  return victims_[prng_.below(victims_.size())];
}

void HostileStation::fill_random(std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to; ++at) {
    frame_[at] = static_cast<std::byte>(prng_.next() >> 56U);
  }
}

void HostileStation::send_one() {
  fill_zero(frame_);
  std::size_t bytes = 0;
  // What it heard stays whole: without its seal it is a plain write with a forged address.
  bool may_be_cut = true;
  switch (prng_.below(5)) {
    case 0:
      bytes = make_noise();
      break;
    case 1:
      bytes = make_command();
      break;
    case 2:
      bytes = make_answer();
      break;
    case 3:
      bytes = make_advertisement();
      break;
    default:
      bytes = make_replay();
      may_be_cut = false;
      break;
  }
  if (may_be_cut && prng_.chance(1, 8) && bytes > kHeaderBytes) {
    bytes = kHeaderBytes + prng_.below(bytes - kHeaderBytes);
  }
  if (bytes >= protocol::kEthernetHeaderBytes) {
    ++sent_;
    transmit(PortId{0}, ConstByteSpan(frame_).first(bytes));
  }
}

std::size_t HostileStation::make_noise() {
  const std::size_t bytes = 14 + prng_.below(500);
  fill_random(14, bytes);
  store_mac(frame_, 0, prng_.chance(1, 4) ? MacAddress::broadcast() : victim());
  store_mac(frame_, 6, port_info(PortId{0}).mac);
  store_be16(frame_, 12, protocol::kEtherType);
  // Otherwise nearly all of it has the version of no AoE.
  if (bytes > 15) {
    store_u8(frame_, 14, static_cast<std::uint8_t>(0x10U | (load_u8(frame_, 14) & 0x0FU)));
  }
  return bytes;
}

// A write, a trim, or a change of state, for an address that exists.
std::size_t HostileStation::make_command() {
  const std::array<std::uint8_t, 6> commands = {0, 0, 1, 2, 3, protocol::kHelloCommand};
  const std::uint8_t command = commands[prng_.below(commands.size())];
  protocol::build_header(frame_, {.destination = victim(),
                                  .source = port_info(PortId{0}).mac,
                                  .address = addresses_[prng_.below(addresses_.size())],
                                  .command = command,
                                  .tag = Tag{static_cast<std::uint32_t>(prng_.next())}});
  const std::size_t bytes = command == 0 ? kAtaHeaderBytes + kSectorBytes : kFrameBytesMin;
  fill_random(kHeaderBytes, bytes);
  if (command == 0) {
    store_u8(frame_, 24, protocol::kAtaFlagExtended | protocol::kAtaFlagWrite);
    store_u8(frame_, 26, 1);
    store_u8(frame_, 27, static_cast<std::uint8_t>(protocol::AtaOp::write_ext));
    store_u8(frame_, 28, static_cast<std::uint8_t>(prng_.below(64)));
    for (std::size_t at = 29; at < 36; ++at) {
      store_u8(frame_, at, 0);
    }
  } else if (prng_.chance(1, 2)) {
    store_u8(frame_, 24, static_cast<std::uint8_t>(prng_.below(5)));
    store_u8(frame_, 25, static_cast<std::uint8_t>(prng_.below(6)));
  }
  return bytes;
}

// An answer in the name of a target or of nobody, with any tag: it is nobody's.
std::size_t HostileStation::make_answer() {
  const std::array<std::uint8_t, 4> commands = {0, 0, 1, protocol::kHelloCommand};
  const std::size_t bytes =
      prng_.chance(1, 2) ? kFrameBytesMin : kAtaHeaderBytes + kSectorBytes * 2;
  fill_random(kHeaderBytes, bytes);
  protocol::build_header(frame_,
                         {.destination = victim(),
                          .source = port_info(PortId{0}).mac,
                          .is_response = true,
                          .is_error = prng_.chance(1, 4),
                          .error = static_cast<std::uint8_t>(prng_.below(8)),
                          .address = addresses_[prng_.below(addresses_.size())],
                          .command = commands[prng_.below(commands.size())],
                          .tag = Tag{static_cast<std::uint32_t>(prng_.next()) | 0x80000000U}});
  if (prng_.chance(1, 2)) {
    store_u8(frame_, 27, 0x40);  // DRDY: all is well
  }
  return bytes;
}

std::size_t HostileStation::make_advertisement() {
  protocol::build_header(frame_, {.destination = MacAddress::broadcast(),
                                  .source = port_info(PortId{0}).mac,
                                  .is_response = true,
                                  .address = addresses_[prng_.below(addresses_.size())],
                                  .command = static_cast<std::uint8_t>(Command::config)});
  store_be16(frame_, 24, static_cast<std::uint16_t>(prng_.below(200)));  // buffers
  store_be16(frame_, 26, 0x4001);
  store_u8(frame_, 28, static_cast<std::uint8_t>(prng_.below(20)));  // sectors
  store_u8(frame_, 29, 0x10);
  return kFrameBytesMin;
}

std::size_t HostileStation::make_replay() {
  if (heard_bytes_ == 0) {
    return make_noise();
  }
  copy_bytes(frame_, ConstByteSpan(heard_).first(heard_bytes_));
  return heard_bytes_;
}

}  // namespace aoe::sim
