#include "target/responder.h"

#include <utility>

namespace aoe::target {
namespace {

using protocol::AoeError;
using protocol::kAtaHeaderBytes;

std::size_t frame_bytes(const Requester& to, std::size_t data_bytes) {
  return to.context.is_sealed() ? protocol::sealed_frame_bytes(data_bytes)
                                : kAtaHeaderBytes + data_bytes;
}

}  // namespace

PacketBuffer Responder::allocate(const Requester& to, std::size_t data_bytes) {
  return parts_.replies.allocate(to.port, frame_bytes(to, data_bytes));
}

PacketBuffer Responder::allocate_unwritten(const Requester& to, std::size_t data_bytes) {
  return parts_.replies.allocate_unwritten(to.port, frame_bytes(to, data_bytes));
}

void Responder::begin(Requester& to, std::uint16_t slot) {
  SealContext& context = to.context;
  if (context.is_once) {
    parts_.duplicates.begin(context.session, context.seal.sequence, context.digest, slot);
    context.is_begun = true;
  }
}

void Responder::remember(const Requester& to, const RememberedAnswer& answer) {
  const SealContext& context = to.context;
  if (!context.is_once) {
    return;
  }
  if (context.is_begun) {
    parts_.duplicates.finish(context.session, context.seal.sequence, answer);
  } else if (answer.error != AoeError::device_unavailable) {
    parts_.duplicates.answer_at_once(context.session, context.seal.sequence, context.digest,
                                     answer);
  }
}

void Responder::send_frame(const Requester& to, PacketBuffer&& reply, std::size_t data_bytes) {
  const std::size_t bytes = frame_bytes(to, data_bytes);
  if (to.context.is_sealed()) {
    protocol::build_seal(reply.bytes().first(bytes), to.context.seal);
  }
  parts_.replies.send(to.port, std::move(reply), bytes);
}

void Responder::send_ata(const Requester& to, PacketBuffer&& reply, DeviceAddress address,
                         const protocol::AtaArgument& registers, std::size_t data_bytes) {
  protocol::build_header(
      reply.bytes(), protocol::reply_header(to.header, parts_.replies.port(to.port).mac, address));
  protocol::build_ata(reply.bytes(), registers);
  send_frame(to, std::move(reply), data_bytes);
}

void Responder::send_registers(const Requester& to, PacketBuffer&& reply, DeviceAddress address,
                               const protocol::AtaArgument& registers, std::size_t data_bytes) {
  remember(to, {.registers = registers, .error = AoeError::none});
  send_ata(to, std::move(reply), address, registers, data_bytes);
}

void Responder::send_error(Instant now, const Requester& to, DeviceAddress address,
                           AoeError error) {
  PacketBuffer reply = parts_.replies.make_error(now, to.port, to.header, address, error);
  // What was begun has ended even if nobody can be told now; what was not may be tried again.
  if (reply || to.context.is_begun) {
    remember(to, {.registers = {}, .error = error});
  }
  if (reply) {
    send_frame(to, std::move(reply), 0);
  }
}

void Responder::send_again(Instant now, const Requester& to, DeviceAddress address,
                           const RememberedAnswer& answer) {
  if (answer.error != AoeError::none) {
    if (PacketBuffer reply =
            parts_.replies.make_error(now, to.port, to.header, address, answer.error)) {
      send_frame(to, std::move(reply), 0);
    }
    return;
  }
  if (!parts_.replies.spend_token(now)) {
    return;
  }
  if (PacketBuffer reply = allocate(to, 0)) {
    send_ata(to, std::move(reply), address, answer.registers, 0);
  }
}

}  // namespace aoe::target
