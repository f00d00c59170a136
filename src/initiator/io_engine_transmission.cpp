// Which frame goes out next, over which path, and its timer.
#include "initiator/frame_builder.h"
#include "initiator/io_engine.h"
#include "initiator/sealing.h"
#include "protocol/aoe_ata.h"

#include <algorithm>
#include <utility>

namespace aoe::initiator {
bool IoEngine::next_frame(Instant now, TxFrame& out) {
  for (std::uint32_t turns = busy_.size(); turns > 0; --turns) {
    const std::uint32_t index = busy_.pop_front(busy_links_);
    const DeviceId id{static_cast<std::uint16_t>(index)};
    const bool sent = device_frame(now, id, out);
    Queues& own = queues(id);
    if (own.is_idle()) {
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
  switch (queues(id).resend.empty() ? Resend::only_sequences : resend_frame(now, id, out)) {
    case Resend::sent:
      return true;
    case Resend::must_wait:
      return false;
    case Resend::only_sequences:
      break;
  }
  return fresh_frame(now, id, out);
}

IoEngine::Resend IoEngine::resend_frame(Instant now, DeviceId id, TxFrame& out) {
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
      if (payload == 0 || !cut(now, slot, fitting_sectors(exchange, payload))) {
        return Resend::must_wait;
      }
      ++context_.stats.resplits;
      slot = resend.front();
      continue;
    }
    const std::optional<std::uint32_t> path = paths.choose(sectors);
    if (!path) {
      return Resend::must_wait;
    }
    if (enter_session(exchange, paths.at(*path))) {
      resend.remove(context_.exchanges.links(), slot);
      exchange.queued = false;
      transmit(now, slot, *path, out);
      return Resend::sent;
    }
    ++context_.stats.sequence_waits;
    slot = IndexList::next(context_.exchanges.links(), slot);
  }
  return Resend::only_sequences;
}

bool IoEngine::fresh_frame(Instant now, DeviceId id, TxFrame& out) {
  Queues& own = queues(id);
  for (int turn = 0; turn < 2; ++turn) {
    const bool reads = std::exchange(own.reads_next, !own.reads_next);
    if (fresh_frame_of(now, id, reads ? own.sending_reads : own.sending_changes, out)) {
      return true;
    }
  }
  return false;
}

bool IoEngine::fresh_frame_of(Instant now, DeviceId id, IndexList& sending, TxFrame& out) {
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
  const Path& way = device(id).paths().at(*path);
  if (!has_sequence_for(requests_.at(sending.front()).op, id, way)) {
    ++context_.stats.sequence_waits;
    return false;
  }
  const std::optional<std::uint32_t> slot = new_exchange(now);
  if (!slot) {
    return false;
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
  }
  ++exchange.transmissions;
  ++path.in_flight;
  path.window.on_sent(path.in_flight);
  ++path.frames_sent;
  ++context_.stats.frames_sent;
  if (exchange.transmissions > 1) {
    ++path.retransmissions;
    ++context_.stats.retransmissions;
    requests_.for_each_part(exchange, [this](const FramePart& part) {
      ++requests_.at(part.request).completion.retransmissions;
    });
  }
  arm_timer(slot);
}

void IoEngine::arm_timer(std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const RttEstimator& rtt = device(exchange.device).paths().at(exchange.path).rtt;
  const std::uint32_t doublings = exchange.transmissions - 1;
  Duration wait = std::max(rtt.rto(), rtt.doubled(doublings));
  if (!moves_data(exchange.op)) {
    const CoreOptions& options = context_.options;
    wait = options.slow_retransmit_max;
    if (doublings < 16) {
      wait = std::min(wait, options.slow_retransmit * (std::int64_t{1} << doublings));
    }
  }
  context_.exchanges.timers().set(slot, exchange.sent + wait);
}

}  // namespace aoe::initiator
