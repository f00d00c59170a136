// Which frame goes out next, over which path, and its timer.
#include "initiator/frame_builder.h"
#include "initiator/io_engine.h"
#include "protocol/aoe_ata.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

// How soon to look again when every tag rests.
constexpr Duration kTagRetry = Duration::milliseconds(10);

}  // namespace

bool IoEngine::next_frame(Instant now, TxFrame& out) {
  for (std::uint32_t turns = busy_.size(); turns > 0; --turns) {
    const std::uint32_t index = busy_.pop_front(busy_links_);
    const DeviceId id{static_cast<std::uint16_t>(index)};
    const bool sent = device_frame(now, id, out);
    Queues& own = queues(id);
    if (own.sending.empty() && own.resend.empty()) {
      own.listed = false;
    } else {
      busy_.push_back(busy_links_, index);
    }
    if (sent) {
      return true;
    }
  }
  return false;
}

bool IoEngine::device_frame(Instant now, DeviceId id, TxFrame& out) {
  if (context_.pool.available() == 0) {
    ++context_.stats.buffers_exhausted;
    return false;
  }
  // What is late goes first: requests wait for it.
  return queues(id).resend.empty() ? fresh_frame(now, id, out) : resend_frame(now, id, out);
}

bool IoEngine::resend_frame(Instant now, DeviceId id, TxFrame& out) {
  IndexList& resend = queues(id).resend;
  const PathSet& paths = device(id).paths();
  const std::uint32_t slot = resend.front();
  const Exchange& exchange = context_.exchanges.at(slot);
  const bool sized = moves_data(requests_.at(exchange.owner).op);
  const auto sectors = sized ? static_cast<std::uint32_t>(exchange.sectors) : 0;
  if (!paths.can_carry(sectors)) {
    // The paths that are left carry less, or nothing. Smaller pieces are other questions, under
    // tags of their own.
    const std::uint32_t payload = paths.smallest_payload_sectors();
    if (payload == 0 || !resplit(now, slot, payload)) {
      return false;
    }
    return resend_frame(now, id, out);
  }
  const std::optional<std::uint32_t> path = paths.choose(sectors);
  if (!path) {
    return false;
  }
  resend.remove(context_.exchanges.links(), slot);
  context_.exchanges.at(slot).queued = false;
  transmit(now, slot, *path, out);
  return true;
}

bool IoEngine::fresh_frame(Instant now, DeviceId id, TxFrame& out) {
  IndexList& sending = queues(id).sending;
  while (!sending.empty() && !requests_.at(sending.front()).has_more()) {
    const std::uint32_t done = sending.front();
    stop_sending(done);
    finish_if_done(now, done);
  }
  if (sending.empty() || frames_ >= context_.options.limits.frames_max) {
    return false;
  }
  const std::optional<std::uint32_t> path = device(id).paths().choose(0);
  if (!path) {
    return false;
  }
  const std::optional<std::uint32_t> slot = new_exchange(now);
  if (!slot) {
    return false;
  }
  const std::uint32_t owner = sending.front();
  Request& request = requests_.at(owner);
  Exchange& exchange = context_.exchanges.at(*slot);
  exchange.device = id;
  exchange.owner = owner;
  exchange.offset_sectors = request.sent_sectors;
  exchange.lba = Lba{request.io.lba.value + request.sent_sectors};
  exchange.sectors =
      std::min(request.io.sectors - request.sent_sectors,
               piece_sectors_max(request.op, device(id).paths().at(*path).payload.sectors()));
  request.sent_sectors += exchange.sectors;
  request.flush_sent = true;
  ++request.exchanges;
  if (!request.has_more()) {
    stop_sending(owner);
  }
  transmit(now, *slot, *path, out);
  return true;
}

std::optional<std::uint32_t> IoEngine::new_exchange(Instant now) {
  const std::optional<std::uint32_t> slot = context_.exchanges.acquire(ExchangeKind::io, now);
  if (!slot) {
    ++context_.stats.tags_exhausted;
    tags_retry_ = now + kTagRetry;
    return std::nullopt;
  }
  ++frames_;
  return slot;
}

bool IoEngine::resplit(Instant now, std::uint32_t slot, std::uint32_t payload_sectors) {
  // Each device may exceed the limit by one frame for this: tables have that room.
  const CoreLimits& limits = context_.options.limits;
  if (frames_ >= limits.frames_max + limits.devices_max) {
    return false;
  }
  const std::optional<std::uint32_t> first = new_exchange(now);
  if (!first) {
    return false;
  }
  const std::optional<std::uint32_t> rest = new_exchange(now);
  if (!rest) {
    context_.exchanges.release(*first);
    --frames_;
    return false;
  }
  ++context_.stats.resplits;
  const Exchange old = context_.exchanges.at(slot);
  requests_.at(old.owner).exchanges += 2;
  end_exchange(slot);
  const auto take = [&](std::uint32_t part, std::uint64_t skip, std::uint64_t sectors) {
    Exchange& exchange = context_.exchanges.at(part);
    exchange.device = old.device;
    exchange.owner = old.owner;
    exchange.offset_sectors = old.offset_sectors + skip;
    exchange.lba = Lba{old.lba.value + skip};
    exchange.sectors = sectors;
    exchange.queued = true;
    queues(old.device).resend.push_front(context_.exchanges.links(), part);
  };
  take(*rest, payload_sectors, old.sectors - payload_sectors);
  take(*first, 0, payload_sectors);
  return true;
}

Piece IoEngine::piece_of(const Exchange& exchange) {
  const Request& request = requests_.at(exchange.owner);
  Piece piece{.op = request.op, .lba = exchange.lba, .sectors = exchange.sectors, .write_from = {}};
  if (piece.op == FrameOp::write) {
    piece.write_from = request.io.write_from.subspan(exchange.offset_sectors * kSectorBytes,
                                                     exchange.sectors * kSectorBytes);
  }
  return piece;
}

void IoEngine::transmit(Instant now, std::uint32_t slot, std::uint32_t path_index, TxFrame& out) {
  Exchange& exchange = context_.exchanges.at(slot);
  Device& target = device(exchange.device);
  Path& path = target.paths().at(path_index);
  const Piece piece = piece_of(exchange);
  out.port = path.port;
  out.frame = start_frame(context_.pool, frame_bytes(piece),
                          {.destination = path.mac,
                           .source = context_.ports[path.port.value]->mac,
                           .address = target.address(),
                           .command = static_cast<std::uint8_t>(protocol::Command::ata),
                           .tag = exchange.tag});
  build_piece(out.frame.bytes().first(frame_bytes(piece)), piece, *target.identity());

  exchange.path = path_index;
  exchange.paths_reused |= exchange.paths_used & 1U << path_index;
  exchange.paths_used |= 1U << path_index;
  exchange.in_flight = true;
  exchange.sent = now;
  if (exchange.transmissions == 0) {
    exchange.first_sent = now;
  }
  ++exchange.transmissions;
  ++path.in_flight;
  path.window.on_sent(path.in_flight);
  ++path.frames_sent;
  ++context_.stats.frames_sent;
  if (exchange.transmissions > 1) {
    ++path.retransmissions;
    ++context_.stats.retransmissions;
    ++requests_.at(exchange.owner).completion.retransmissions;
  }
  arm_timer(slot);
}

void IoEngine::arm_timer(std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const RttEstimator& rtt = device(exchange.device).paths().at(exchange.path).rtt;
  const std::uint32_t doublings = exchange.transmissions - 1;
  Duration wait = std::max(rtt.rto(), rtt.doubled(doublings));
  if (!moves_data(requests_.at(exchange.owner).op)) {
    const CoreOptions& options = context_.options;
    wait = options.slow_retransmit_max;
    if (doublings < 16) {
      wait = std::min(wait, options.slow_retransmit * (std::int64_t{1} << doublings));
    }
  }
  context_.exchanges.timers().set(slot, exchange.sent + wait);
}

}  // namespace aoe::initiator
