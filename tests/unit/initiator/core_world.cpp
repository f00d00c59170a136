#include "unit/initiator/core_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace aoe::initiator {

using protocol::AtaKind;

Bytes reply_to(const Sent& request, const FakeTarget& target, std::size_t bytes) {
  Bytes reply(std::max(bytes, protocol::kFrameBytesMin));
  protocol::build_header(reply, protocol::reply_header(request.header, target.mac, target.address));
  return reply;
}

Bytes pattern(std::size_t bytes, unsigned seed) {
  Prng random(seed);
  Bytes data(bytes);
  for (std::byte& byte : data) {
    byte = static_cast<std::byte>(random.next() & 0xFFU);
  }
  return data;
}

std::optional<Bytes> FakeTarget::answer(const Sent& request) {
  const protocol::FrameHeader& header = request.header;
  const bool mine =
      (header.address.shelf == protocol::kAllShelves || header.address.shelf == address.shelf) &&
      (header.address.slot == protocol::kAllSlots || header.address.slot == address.slot) &&
      (header.destination.is_group() || header.destination == mac);
  if (!mine || header.is_response) {
    return std::nullopt;
  }
  if (header.command == static_cast<std::uint8_t>(protocol::Command::config)) {
    Bytes reply = reply_to(request, *this, protocol::kConfigHeaderBytes + config_string.size());
    protocol::build_config(reply, {.buffer_count = buffer_count,
                                   .firmware_version = 0x4017,
                                   .sector_count = sector_count,
                                   .protocol_version = 1,
                                   .command = 0,
                                   .string = as_byte_span(config_string)});
    return reply;
  }
  if (request.is_hello()) {
    return answer_hello(request);
  }
  const auto seal = protocol::parse_seal(request.frame);
  if (seal) {
    return answer_sealed(request, *seal);
  }
  if (seal.error() == protocol::SealError::damaged) {
    return std::nullopt;
  }
  Bytes reply = reply_to(request, *this, protocol::kAtaHeaderBytes);
  run_ata(request, reply);
  return reply;
}

std::optional<Bytes> FakeTarget::answer_hello(const Sent& request) {
  if (peer == FakePeer::silent) {
    return std::nullopt;
  }
  if (peer == FakePeer::plain) {
    Bytes reply = reply_to(request, *this);
    protocol::FrameHeader header = *protocol::parse_header(reply);
    header.is_error = true;
    header.error = static_cast<std::uint8_t>(protocol::AoeError::unknown_command);
    protocol::build_header(reply, header);
    return reply;
  }
  const protocol::Hello asked = *protocol::parse_hello(request.frame);
  if (session == 0) {
    session = static_cast<std::uint32_t>(instance << 8U) + ++sessions_made;
    low = asked.sequence_low;
  }
  Bytes reply = reply_to(request, *this, protocol::kHelloBytes);
  protocol::build_hello(reply, {.capabilities = capabilities,
                                .initiator_instance = asked.initiator_instance,
                                .target_instance = instance,
                                .session = session,
                                .frame_life_ms = frame_life_ms,
                                .sequence_window = sequence_window,
                                .sequence_low = asked.sequence_low,
                                .cache_epoch = cache_epoch});
  return reply;
}

std::optional<Bytes> FakeTarget::answer_sealed(const Sent& request, const protocol::Seal& seal) {
  if (seal.session != session || session == 0) {
    Sent hello = request;
    hello.header.command = protocol::kHelloCommand;
    Bytes reply = reply_to(hello, *this, protocol::kHelloBytes);
    protocol::build_hello(
        reply,
        {.kind = protocol::HelloKind::renew, .target_instance = instance, .session = seal.session});
    return reply;
  }
  if (protocol::sequence_before(low, seal.sequence_low)) {
    low = seal.sequence_low;
    done.erase(done.begin(), done.lower_bound(low));
  }
  if (seal.sequence != 0) {
    EXPECT_LT(seal.sequence - seal.sequence_low, sequence_window) << "the window was broken";
    if (protocol::sequence_before(seal.sequence, low)) {
      return std::nullopt;
    }
    if (done.contains(seal.sequence)) {
      Bytes again = done[seal.sequence];
      store_mac(again, 0, request.header.source);
      protocol::build_seal(again, seal);
      return again;
    }
  }
  Sent bare = request;
  const ConstByteSpan opened = protocol::without_seal(request.frame);
  bare.frame = {opened.begin(), opened.end()};
  Bytes reply = reply_to(bare, *this, protocol::kAtaHeaderBytes);
  run_ata(bare, reply);
  const std::size_t data_bytes =
      reply.size() <= protocol::kFrameBytesMin ? 0 : reply.size() - protocol::kAtaHeaderBytes;
  reply.resize(protocol::sealed_frame_bytes(data_bytes));
  protocol::build_seal(reply, seal);
  if (seal.sequence != 0) {
    done[seal.sequence] = reply;
  }
  return reply;
}

void FakeTarget::run_ata(const Sent& request, Bytes& reply) {
  const protocol::AtaArgument ata = request.ata();
  protocol::AtaArgument result = ata;
  result.command_status = protocol::kStatusReady;
  result.feature_error = 0;
  const std::size_t bytes = ata.sector_count * kSectorBytes;
  const std::size_t at = ata.lba48().value * kSectorBytes;
  const AtaKind kind = protocol::find_opcode(ata.command_status).kind;
  const bool moves = kind == AtaKind::read || kind == AtaKind::write || kind == AtaKind::write_fua;
  executions += moves && kind != AtaKind::read ? 1 : 0;
  if (moves && refuses_big && ata.sector_count > 2) {
    result.command_status = protocol::kAtaAborted.status;
    result.feature_error = protocol::kAtaAborted.error;
  } else if (moves && at + bytes > content.size()) {
    result.command_status = protocol::kAtaIdNotFound.status;
    result.feature_error = protocol::kAtaIdNotFound.error;
  } else if (kind == AtaKind::read) {
    reply.resize(std::max(protocol::kFrameBytesMin, protocol::kAtaHeaderBytes + bytes));
    copy_bytes(ByteSpan(reply).subspan(protocol::kAtaHeaderBytes),
               ConstByteSpan(content).subspan(at, bytes));
  } else if (kind == AtaKind::write || kind == AtaKind::write_fua) {
    copy_bytes(ByteSpan(content).subspan(at), ConstByteSpan(request.data()).first(bytes));
  } else if (kind == AtaKind::data_set_management) {
    const Bytes ranges = request.data();
    for (std::size_t i = 0; i < ata.sector_count * kSectorBytes; i += 8) {
      const std::uint64_t range = load_le64(ranges, i);
      fill_zero(ByteSpan(content).subspan((range & (kLbaLimit - 1)) * kSectorBytes,
                                          (range >> 48U) * kSectorBytes));
    }
  } else if (kind == AtaKind::identify) {
    reply.resize(protocol::kAtaHeaderBytes + protocol::kIdentifyBytes);
    protocol::build_identify(ByteSpan(reply).subspan(protocol::kAtaHeaderBytes), disk);
  }
  protocol::build_ata(reply, result);
}

CoreWorld::CoreWorld(const CoreOptions& options)
    : pool({.count = 64, .frame_bytes = 9014}),
      core(std::make_unique<InitiatorCore>(options, pool)) {}

CoreWorld::~CoreWorld() {
  core.reset();
  EXPECT_EQ(pool.available(), pool.count()) << "every buffer returns";
}

void CoreWorld::port_up(PortId port, std::size_t mtu_bytes, MacAddress mac) {
  core->handle_port(now, port, {.mac = mac, .mtu_bytes = mtu_bytes, .link_up = true});
}

void CoreWorld::port_down(PortId port) {
  const MacAddress mac = port == PortId{0} ? kHostMac : kHostMac2;
  core->handle_port(now, port, {.mac = mac, .mtu_bytes = 1500, .link_up = false});
}

std::vector<Sent> CoreWorld::take_sent() {
  std::vector<Sent> all;
  std::array<TxFrame, 8> batch;
  while (const std::size_t count = core->poll_transmit(now, batch)) {
    for (std::size_t i = 0; i < count; ++i) {
      const PacketBuffer frame = std::move(batch.at(i).frame);
      Sent sent{batch.at(i).port, {frame.bytes().begin(), frame.bytes().end()}, {}};
      sent.header = *protocol::parse_header(sent.frame);
      EXPECT_GE(sent.frame.size(), protocol::kFrameBytesMin);
      all.push_back(std::move(sent));
    }
  }
  return all;
}

void CoreWorld::receive(const Bytes& frame, PortId port) {
  // A pool of its own, as a port has: the frame goes back to where it came from.
  BufferPool received({.count = 1, .frame_bytes = 10000});
  PacketBuffer buffer = received.allocate();
  buffer.resize(frame.size());
  copy_bytes(buffer.bytes(), frame);
  core->handle_frame(now, port, std::move(buffer));
}

void CoreWorld::run(FakeTarget& target, const std::function<bool(const Sent&)>& lose) {
  core->handle_timeout(now);
  for (std::vector<Sent> sent = take_sent(); !sent.empty(); sent = take_sent()) {
    for (const Sent& frame : sent) {
      if (lose && lose(frame)) {
        continue;
      }
      if (const auto reply = target.answer(frame)) {
        receive(*reply, frame.port);
      }
    }
  }
}

void CoreWorld::advance_to(Instant deadline, const std::function<void(const Sent&)>& each) {
  for (;;) {
    const std::optional<Instant> next = core->poll_timeout();
    if (!next || *next > deadline) {
      now = deadline;
      return;
    }
    now = std::max(now, *next);
    core->handle_timeout(now);
    const std::optional<Instant> after = core->poll_timeout();
    EXPECT_TRUE(!after || *after > now) << "a timeout that was handled is over";
    // Answers given by `each` may make it send more.
    for (std::vector<Sent> sent = take_sent(); !sent.empty(); sent = take_sent()) {
      for (const Sent& frame : sent) {
        if (each) {
          each(frame);
        }
      }
    }
  }
}

DeviceId CoreWorld::open(FakeTarget& target, const DeviceSettings& settings) {
  const auto id = core->open_device(now, target.address, settings);
  EXPECT_TRUE(id.has_value());
  run(target);
  EXPECT_TRUE(core->device(*id)->is_up());
  return *id;
}

void CoreWorld::widen(FakeTarget& target, DeviceId id) {
  Bytes into(512 * 256);
  submit(id, {.op = IoOp::read, .sectors = 256, .read_into = into});
  run(target);
  EXPECT_EQ(completions().size(), 1U);
}

std::vector<IoCompletion> CoreWorld::completions() {
  std::vector<IoCompletion> all(300);
  all.resize(core->poll_completions(all));
  return all;
}

std::vector<Event> CoreWorld::events() {
  std::vector<Event> all(300);
  all.resize(core->poll_events(all));
  return all;
}

bool CoreWorld::saw(EventKind kind) {
  const std::vector<Event> all = events();
  return std::any_of(all.begin(), all.end(),
                     [kind](const Event& event) { return event.kind == kind; });
}

void CoreWorld::submit(DeviceId id, const IoRequest& request) {
  const auto accepted = core->submit(now, id, request);
  EXPECT_TRUE(accepted.has_value()) << submit_error_name(accepted.error());
}

}  // namespace aoe::initiator
