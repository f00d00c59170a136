// Which frame goes out next, and over which path.
#include "initiator/frame_builder.h"
#include "initiator/io_engine.h"
#include "initiator/sealing.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"

#include <algorithm>
#include <utility>

namespace aoe::initiator {

// --- which device ---

IndexList& IoEngine::list(DeviceId id, Queues::Place place) {
  if (place == Queues::Place::shelf) {
    return flow_.shelf(device(id)).waiters;
  }
  return place == Queues::Place::busy ? busy_ : starved_;
}

void IoEngine::move_to(DeviceId id, Queues::Place place) {
  Queues& own = queues(id);
  if (own.place != Queues::Place::none) {
    list(id, own.place).remove(place_links_, id.value);
  }
  own.place = place;
  if (place != Queues::Place::none) {
    list(id, place).push_back(place_links_, id.value);
  }
}

void IoEngine::wake(DeviceId id) {
  Queues& own = queues(id);
  if (own.place != Queues::Place::busy && !own.is_idle()) {
    move_to(id, Queues::Place::busy);
  }
}

void IoEngine::wake_front(const IndexList& waiters) {
  while (!waiters.empty()) {
    const DeviceId id{static_cast<std::uint16_t>(waiters.front())};
    if (!queues(id).is_idle()) {
      move_to(id, Queues::Place::busy);
      return;
    }
    // Its requests ended while it waited: the turn is the next one's.
    move_to(id, Queues::Place::none);
  }
}

void IoEngine::wake_waiter(const ShelfState& shelf) {
  if (shelf.window.has_room(shelf.in_flight)) {
    wake_front(shelf.waiters);
  }
}

void IoEngine::wake_starved() {
  wake_front(starved_);
}

bool IoEngine::next_frame(Instant now, TxFrame& out) {
  while (!busy_.empty()) {
    if (context_.pool.available() == 0) {
      ++context_.stats.buffers_exhausted;
      return false;
    }
    const DeviceId id{static_cast<std::uint16_t>(busy_.front())};
    const Turn turn = device_frame(now, id, out);
    Queues::Place next = Queues::Place::none;
    if (turn == Turn::sent && !queues(id).is_idle()) {
      next = Queues::Place::busy;
    } else if (turn == Turn::starved) {
      next = Queues::Place::starved;
    } else if (turn == Turn::shelf_full) {
      next = Queues::Place::shelf;
    }
    move_to(id, next);
    // Whoever left room passes it on.
    if (turn != Turn::shelf_full && device(id).flow().shelf != kNoIndex) {
      wake_waiter(flow_.shelf(device(id)));
    }
    if (turn != Turn::starved && frames_ < context_.options.limits.frames_max &&
        tags_retry_ == Instant{}) {
      wake_starved();
    }
    if (turn == Turn::sent) {
      return true;
    }
  }
  return false;
}

// --- which frame ---

IoEngine::Turn IoEngine::device_frame(Instant now, DeviceId id, TxFrame& out) {
  // What is late goes first: requests wait for it.
  if (!queues(id).resend.empty()) {
    if (const std::optional<Turn> turn = resend_frame(now, id, out)) {
      return *turn;
    }
  }
  return fresh_frame(now, id, out);
}

IoEngine::Turn IoEngine::turned_down(DeviceId id, const FlowControl::Permission& permission) {
  switch (permission.answer) {
    case FlowControl::Answer::pause:
      pauses_.set(id.value, permission.until);
      return Turn::pausing;
    case FlowControl::Answer::shelf_full:
      return Turn::shelf_full;
    case FlowControl::Answer::granted:
    case FlowControl::Answer::no_path:
    case FlowControl::Answer::device_full:
      break;
  }
  return Turn::nothing;
}

std::optional<IoEngine::Turn> IoEngine::resend_frame(Instant now, DeviceId id, TxFrame& out) {
  IndexList& resend = queues(id).resend;
  const PathSet& paths = device(id).paths();
  std::uint32_t slot = resend.front();
  while (slot != kNoIndex) {
    Exchange& exchange = context_.exchanges.at(slot);
    const std::uint32_t sectors = carried_sectors(slot);
    if (!paths.can_carry(sectors)) {
      // The paths that are left carry less, or nothing. Smaller pieces are other questions, under
      // tags of their own.
      const std::uint32_t payload = paths.smallest_payload_sectors();
      if (payload == 0) {
        return Turn::nothing;
      }
      if (!cut(now, slot, fitting_sectors(exchange, payload))) {
        return Turn::starved;
      }
      ++context_.stats.resplits;
      slot = resend.front();
      continue;
    }
    const std::uint32_t avoid = exchange.transmissions > 0 ? exchange.path : kNoIndex;
    const FlowControl::Permission permission =
        flow_.ask(now, device(id), {.sectors = sectors, .avoid = avoid});
    if (permission.answer != FlowControl::Answer::granted) {
      return turned_down(id, permission);
    }
    if (enter_session(exchange, paths.at(permission.path))) {
      resend.remove(context_.exchanges.links(), slot);
      exchange.queued = false;
      transmit(now, slot, permission.path, out);
      return Turn::sent;
    }
    ++context_.stats.sequence_waits;
    slot = IndexList::next(context_.exchanges.links(), slot);
  }
  return std::nullopt;
}

IoEngine::Turn IoEngine::fresh_frame(Instant now, DeviceId id, TxFrame& out) {
  Queues& own = queues(id);
  Turn turn = Turn::nothing;
  for (int i = 0; i < 2 && turn == Turn::nothing; ++i) {
    const bool reads = std::exchange(own.reads_next, !own.reads_next);
    turn = fresh_frame_of(now, id, reads ? own.sending_reads : own.sending_changes, out);
  }
  return turn;
}

IoEngine::Turn IoEngine::fresh_frame_of(Instant now, DeviceId id, IndexList& sending,
                                        TxFrame& out) {
  while (!sending.empty() && !requests_.at(sending.front()).has_more()) {
    const std::uint32_t done = sending.front();
    stop_sending(done);
    finish_if_done(now, done);
  }
  if (sending.empty()) {
    return Turn::nothing;
  }
  if (frames_ >= context_.options.limits.frames_max) {
    return Turn::starved;
  }
  const FlowControl::Permission permission = flow_.ask(now, device(id), {});
  if (permission.answer != FlowControl::Answer::granted) {
    return turned_down(id, permission);
  }
  const Path& way = device(id).paths().at(permission.path);
  if (!has_sequence_for(requests_.at(sending.front()).op, id, way)) {
    ++context_.stats.sequence_waits;
    return Turn::nothing;
  }
  const std::optional<std::uint32_t> slot = new_exchange(now);
  if (!slot) {
    return Turn::starved;
  }
  const protocol::IdentifyModel& disk = *device(id).identity();
  const std::uint32_t payload = way.payload.sectors();
  const std::uint32_t physical = disk.physical_sector_bytes / kSectorBytes;
  fill_exchange(*slot, plan_frame(requests_, sending,
                                  {.payload_sectors = payload,
                                   .align_sectors = std::max(physical, 1U),
                                   .trim_ranges = trim_ranges_max(disk, payload)}));
  const bool entered = enter_session(context_.exchanges.at(*slot), way);
  AOE_CHECK(entered, "there was room for a sequence");
  transmit(now, *slot, permission.path, out);
  return Turn::sent;
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

void IoEngine::transmit(Instant now, std::uint32_t slot, std::uint32_t path_index, TxFrame& out) {
  Exchange& exchange = context_.exchanges.at(slot);
  Device& target = device(exchange.device);
  Path& path = target.paths().at(path_index);
  const Piece piece = piece_of(exchange);
  const std::size_t bytes = exchange.session_id != 0
                                ? protocol::sealed_frame_bytes(data_bytes(piece))
                                : protocol::kAtaHeaderBytes + data_bytes(piece);
  out.port = path.port;
  out.frame = start_frame(context_.pool, bytes,
                          {.destination = path.mac,
                           .source = context_.ports[path.port.value]->mac,
                           .address = target.address(),
                           .command = static_cast<std::uint8_t>(protocol::Command::ata),
                           .tag = exchange.tag});
  const ByteSpan frame = out.frame.bytes().first(bytes);
  build_piece(frame, piece, *target.identity());
  gather(exchange, frame.subspan(protocol::kAtaHeaderBytes, data_bytes(piece)));
  if (exchange.session_id != 0) {
    seal_frame(frame, target.sessions().at(exchange.session), exchange.sequence);
  }

  exchange.path = path_index;
  exchange.paths_reused |= exchange.paths_used & 1U << path_index;
  exchange.paths_used |= 1U << path_index;
  exchange.in_flight = true;
  exchange.sent = now;
  if (exchange.transmissions == 0) {
    exchange.first_sent = now;
    path.frames_read += piece.op == FrameOp::read ? 1U : 0U;
    path.frames_written += changes_data(piece.op) ? 1U : 0U;
  }
  ++exchange.transmissions;
  flow_.on_sent(target, path);
  ++path.frames_sent;
  ++context_.stats.frames_sent;
  if (exchange.transmissions > 1) {
    ++path.retransmissions;
    ++context_.stats.retransmissions;
    context_.frame_log.note({.kind = FrameNote::Kind::retransmission,
                             .at = now,
                             .address = target.address(),
                             .tag = exchange.tag,
                             .source = context_.ports[path.port.value]->mac,
                             .destination = path.mac,
                             .in_flight = path.in_flight});
    requests_.for_each_part(exchange, [this](const FramePart& part) {
      ++requests_.at(part.request).completion.retransmissions;
    });
  }
  if (moves_data(exchange.op)) {
    target.flow().flight.on_sent(context_.exchanges, slot);
    arm_flight_timer(now, exchange.device);
  } else {
    arm_slow_timer(slot);
  }
}

std::optional<FrameNote> IoEngine::note_of_sent_frame(Instant now, std::uint32_t id) const {
  const Request& request = requests_.at(id);
  for (std::uint32_t slot = 0; request.exchanges > 0 && slot < context_.exchanges.slots(); ++slot) {
    const Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind != ExchangeKind::io || exchange.device != request.device ||
        exchange.transmissions == 0 || !requests_.find_part(exchange, id)) {
      continue;
    }
    const Device& target = *context_.devices[exchange.device.value];
    const Path& path = target.paths().at(exchange.path);
    FrameNote note{.kind = FrameNote::Kind::given_up,
                   .at = now,
                   .address = target.address(),
                   .tag = exchange.tag,
                   .source = context_.ports[path.port.value]->mac,
                   .destination = path.mac,
                   .transmissions = exchange.transmissions,
                   .port = path.port};
    protocol::build_header(note.frame,
                           {.destination = note.destination,
                            .source = note.source,
                            .address = note.address,
                            .command = static_cast<std::uint8_t>(protocol::Command::ata),
                            .tag = note.tag});
    Piece piece = piece_of(exchange);
    // On the wire it is a write, and its zeros are no part of the note.
    piece.op = piece.op == FrameOp::write_zeroes ? FrameOp::write : piece.op;
    build_piece(note.frame, piece, *target.identity());
    return note;
  }
  return std::nullopt;
}

void IoEngine::arm_slow_timer(std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const CoreOptions& options = context_.options;
  const std::uint32_t doublings = std::min(exchange.transmissions - 1, 16U);
  const Duration wait = std::min(options.slow_retransmit_max,
                                 options.slow_retransmit * (std::int64_t{1} << doublings));
  context_.exchanges.timers().set(slot, exchange.sent + wait);
}

}  // namespace aoe::initiator
