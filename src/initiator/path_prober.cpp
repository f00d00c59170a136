#include "initiator/path_prober.h"

#include "initiator/frame_builder.h"
#include "initiator/sealing.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_command.h"

namespace aoe::initiator {
namespace {

bool is_read(PathQuestion question) {
  return question == PathQuestion::size || question == PathQuestion::control;
}

}  // namespace

std::uint32_t& PathProber::slot_of(DeviceId id, std::uint32_t path, PathQuestion question) {
  return context_.devices[id.value]->paths().at(path).questions.at(
      static_cast<std::size_t>(question));
}

void PathProber::ask(Instant now, DeviceId id, std::uint32_t path_index, PathQuestion question,
                     std::uint32_t sectors) {
  std::uint32_t& asked = slot_of(id, path_index, question);
  if (asked != kNoIndex) {
    return;
  }
  const std::optional<std::uint32_t> slot = context_.exchanges.acquire(ExchangeKind::probe, now);
  if (!slot) {
    ++context_.stats.tags_exhausted;
    retry_ = now + kTagRetry;
    return;
  }
  asked = *slot;
  Exchange& exchange = context_.exchanges.at(*slot);
  exchange.device = id;
  exchange.question = question;
  exchange.sectors = sectors;
  exchange.path = path_index;
  exchange.paths_used = 1U << path_index;
  exchange.first_sent = now;
  repeat(*slot);
}

bool PathProber::take_retry(Instant now) {
  if (!retry_ || now < *retry_) {
    return false;
  }
  retry_.reset();
  return true;
}

void PathProber::stop(DeviceId id, std::uint32_t path_index, PathQuestion question) {
  std::uint32_t& asked = slot_of(id, path_index, question);
  if (asked == kNoIndex) {
    return;
  }
  Exchange& exchange = context_.exchanges.at(asked);
  if (exchange.queued) {
    exchange.queued = false;
    waiting_.remove(context_.exchanges.links(), asked);
  }
  context_.exchanges.release(asked);
  asked = kNoIndex;
}

void PathProber::stop_all(DeviceId id, std::uint32_t path) {
  stop(id, path, PathQuestion::identity);
  stop(id, path, PathQuestion::hello);
  stop(id, path, PathQuestion::size);
  stop(id, path, PathQuestion::control);
}

void PathProber::repeat(std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  if (!exchange.queued) {
    exchange.queued = true;
    waiting_.push_back(context_.exchanges.links(), slot);
  }
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
  // A few hellos and sizes are asked at one pace, because their silence is an answer too.
  const bool backs_off = exchange.question == PathQuestion::identity || exchange.transmissions > 4;
  context_.exchanges.timers().set(
      slot,
      now + (backs_off ? path.network.doubled(exchange.transmissions - 1) : path.network.rto()));
}

std::size_t PathProber::frame_bytes(const Exchange& exchange, const Path& path) const {
  const std::size_t data = exchange.sectors * kSectorBytes;
  switch (exchange.question) {
    case PathQuestion::hello:
      return protocol::kHelloBytes;
    case PathQuestion::size:
      // Padded to the size of the answer: both ways are tried at once.
      return path.peer == Peer::session ? protocol::sealed_frame_bytes(data)
                                        : protocol::kAtaHeaderBytes + data;
    case PathQuestion::control:
      return path.peer == Peer::session ? protocol::sealed_frame_bytes(0)
                                        : protocol::kAtaHeaderBytes;
    case PathQuestion::identity:
      break;
  }
  return protocol::kAtaHeaderBytes;
}

void PathProber::build_hello(const Device& device, ByteSpan frame) const {
  const auto life_ms =
      static_cast<std::uint32_t>(context_.options.frame_life_max.ns / Duration::milliseconds(1).ns);
  protocol::build_hello(frame,
                        {.capabilities = protocol::kCapabilitySequences | protocol::kCapabilityCrc,
                         .initiator_instance = context_.instance,
                         .frame_life_ms = life_ms,
                         .sequence_low = device.sessions().lowest_open()});
}

void PathProber::build(const Exchange& exchange, const Path& path, ByteSpan frame) {
  Device& device = *context_.devices[exchange.device.value];
  if (exchange.question == PathQuestion::hello) {
    build_hello(device, frame);
    return;
  }
  protocol::AtaArgument ata;
  if (exchange.question == PathQuestion::identity) {
    ata.sector_count = 1;
    ata.command_status = static_cast<std::uint8_t>(protocol::AtaOp::identify);
    protocol::build_ata(frame, ata);
    return;
  }
  fill_zero(frame.subspan(protocol::kAtaHeaderBytes));
  build_piece(frame, {.op = FrameOp::read, .lba = Lba{0}, .sectors = exchange.sectors},
              *device.identity());
  if (path.peer == Peer::session) {
    seal_frame(frame, device.sessions().at(path.session), 0);
  }
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
  const auto command = exchange.question == PathQuestion::hello
                           ? protocol::kHelloCommand
                           : static_cast<std::uint8_t>(protocol::Command::ata);
  const std::size_t bytes = frame_bytes(exchange, path);
  out.port = path.port;
  out.frame = start_frame(context_.pool, bytes,
                          {.destination = path.mac,
                           .source = context_.ports[path.port.value]->mac,
                           .address = device.address(),
                           .command = command,
                           .tag = exchange.tag});
  build(exchange, path, out.frame.bytes().first(bytes));
  if (is_read(exchange.question) && path.peer == Peer::session) {
    exchange.session_id = device.sessions().at(path.session).id;
  }
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
