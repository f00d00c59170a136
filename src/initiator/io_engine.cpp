#include "initiator/io_engine.h"

#include "initiator/frame_builder.h"
#include "protocol/aoe_ata.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

using protocol::AoeError;
using protocol::AtaOutcome;

// How often a frame of the full payload is sent before its size is suspected. Other answers must
// have come over the path meanwhile, but none to a frame of that size.
constexpr std::uint32_t kTriesPerSize = 3;

// How soon to look again when every tag rests.
constexpr Duration kTagRetry = Duration::milliseconds(10);

IoStatus status_of(const AtaOutcome& outcome) {
  if ((outcome.status & protocol::kStatusDeviceFault) != 0) {
    return IoStatus::device_fault;
  }
  if ((outcome.error & protocol::kErrorUncorrectable) != 0) {
    return IoStatus::media_error;
  }
  if ((outcome.error & protocol::kErrorIdNotFound) != 0) {
    return IoStatus::out_of_range;
  }
  return (outcome.error & protocol::kErrorAborted) != 0 ? IoStatus::aborted
                                                        : IoStatus::device_fault;
}

// The sector the target names, where that lies in the piece; else the piece's first.
Lba error_lba(const protocol::AtaArgument& ata, const Exchange& exchange) {
  const Lba named = ata.is_extended() ? ata.lba48() : ata.lba28();
  const bool inside = named >= exchange.lba && named.value < exchange.lba.value + exchange.sectors;
  return inside ? named : exchange.lba;
}

}  // namespace

IoEngine::IoEngine(const CoreContext& context)
    : context_(context),
      requests_(context.options.limits.requests_max),
      fence_(context.options.limits.fences_max),
      queues_(context.options.limits.devices_max),
      busy_links_(context.options.limits.devices_max) {}

// --- admission ---

std::optional<SubmitError> IoEngine::check(const Device& device, const IoRequest& io) const {
  if (!device.identity()) {
    return SubmitError::not_ready;
  }
  const bool is_flush = io.op == IoOp::flush;
  const bool reads = io.op == IoOp::read;
  const bool writes = io.op == IoOp::write;
  const std::uint64_t bytes =
      io.sectors < kLbaLimit ? io.sectors * kSectorBytes : ~std::uint64_t{0};
  if ((io.sectors == 0) != is_flush || (reads ? bytes : 0) != io.read_into.size() ||
      (writes ? bytes : 0) != io.write_from.size()) {
    return SubmitError::bad_request;
  }
  if (!reads && !is_flush && device.settings().access == DeviceSettings::Access::read_only) {
    return SubmitError::read_only;
  }
  if (io.op == IoOp::trim && !device.identity()->has_trim) {
    return SubmitError::unsupported;
  }
  if (!is_flush &&
      (io.sectors > device.sectors() || io.lba.value > device.sectors() - io.sectors)) {
    return SubmitError::out_of_range;
  }
  return std::nullopt;
}

Result<void, SubmitError> IoEngine::submit(Instant now, DeviceId id, const IoRequest& io) {
  Device& target = device(id);
  if (const std::optional<SubmitError> error = check(target, io)) {
    return aoe::fail(*error);
  }
  const std::optional<std::uint32_t> slot = requests_.acquire();
  if (!slot) {
    return aoe::fail(SubmitError::busy);
  }
  Request& request = requests_.at(*slot);
  request.device = id;
  request.io = io;
  request.op = frame_op(io.op, *target.identity());
  request.submitted = now;
  request.completion = {.cookie = io.cookie, .device = id, .op = io.op, .sectors = io.sectors};

  Queues& own = queues(id);
  own.order.push_back(requests_.order_links(), *slot);
  // A disk without a volatile cache and without the command has nothing to flush.
  request.flush_sent = request.op == FrameOp::flush && !target.identity()->has_flush &&
                       !target.identity()->write_cache_enabled;
  Duration timeout = io.timeout;
  if (timeout == Duration{}) {
    timeout = target.settings().timeout;
    if (request.op == FrameOp::flush) {
      timeout = std::max(timeout, context_.options.flush_timeout_min);
    }
  }
  requests_.deadlines().set(*slot, now + timeout);
  if (requests_.must_wait(own.order, *slot)) {
    ++context_.stats.overlap_waits;
    ++own.waiting;
  } else if (!try_start(*slot)) {
    ++context_.stats.fence_waits;
    ++own.waiting;
  }
  return {};
}

bool IoEngine::try_start(std::uint32_t id) {
  Request& request = requests_.at(id);
  Queues& own = queues(request.device);
  if (requests_.must_wait(own.order, id) ||
      (changes_data(request.op) &&
       fence_.blocks(device(request.device).address(), request.range()))) {
    return false;
  }
  request.state = RequestState::sending;
  own.sending.push_back(requests_.sending_links(), id);
  make_busy(request.device);
  return true;
}

void IoEngine::start_waiting(DeviceId id) {
  Queues& own = queues(id);
  for (std::uint32_t request = own.order.front(); own.waiting > 0 && request != kNoIndex;
       request = IndexList::next(requests_.order_links(), request)) {
    if (requests_.at(request).state == RequestState::waiting && try_start(request)) {
      --own.waiting;
    }
  }
}

void IoEngine::make_busy(DeviceId id) {
  Queues& own = queues(id);
  if (!own.listed) {
    own.listed = true;
    busy_.push_back(busy_links_, id.value);
  }
}

// --- transmission ---

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

// --- answers ---

void IoEngine::on_answer(Instant now, std::uint32_t slot, std::uint32_t path,
                         const protocol::FrameHeader& header, ConstByteSpan frame) {
  Exchange& exchange = context_.exchanges.at(slot);
  if (header.is_error) {
    note_path_answer(now, exchange, path);
    if (header.error == static_cast<std::uint8_t>(AoeError::device_unavailable)) {
      // It may be back before the deadline. Ask again at the pace of a lost frame.
      ++context_.stats.device_unavailable;
      exchange.refused = true;
      ++exchange.answers;
      leave_flight(exchange);
      if (!exchange.queued) {
        exchange.sent = now;
        arm_timer(slot);
      }
      return;
    }
    on_final_error(
        now, slot,
        {.status = IoStatus::rejected, .error_lba = exchange.lba, .aoe_error = header.error});
    return;
  }
  const auto ata = protocol::parse_ata(frame);
  if (!ata) {
    ++context_.stats.malformed;
    return;
  }
  const AtaOutcome outcome{ata->argument.command_status, ata->argument.feature_error};
  Request& request = requests_.at(exchange.owner);
  const auto bytes = exchange.sectors * kSectorBytes;
  if (!outcome.is_failure() && request.op == FrameOp::read && ata->data.size() < bytes) {
    ++context_.stats.short_data;
    return;
  }
  note_path_answer(now, exchange, path);
  if (outcome.is_failure()) {
    on_final_error(now, slot,
                   {.status = status_of(outcome),
                    .error_lba = error_lba(ata->argument, exchange),
                    .outcome = outcome});
    return;
  }
  if (request.op == FrameOp::read) {
    const auto offset = exchange.offset_sectors * kSectorBytes;
    copy_bytes(request.io.read_into.subspan(offset, bytes), ata->data.first(bytes));
  }
  request.answered_sectors += exchange.sectors;
  const std::uint32_t owner = exchange.owner;
  ++exchange.answers;
  end_exchange(slot);
  finish_if_done(now, owner);
}

void IoEngine::note_path_answer(Instant now, const Exchange& exchange, std::uint32_t path_index) {
  Path& path = device(exchange.device).paths().at(path_index);
  ++context_.stats.answers;
  ++path.frames_answered;
  path.answered = now;
  if (moves_data(requests_.at(exchange.owner).op)) {
    if (exchange.sectors >= path.payload.sectors()) {
      path.full_frame_answered = now;
    }
    path.payload.on_answer(now, exchange.sectors);
  }
  // A retransmission looks like the first transmission, so its answer measures nothing (Karn), and
  // the disk's time for a flush or trim is not the network's.
  const bool measures = exchange.transmissions == 1 && !exchange.refused &&
                        moves_data(requests_.at(exchange.owner).op);
  if (measures) {
    path.rtt.sample(now - exchange.sent);
    path.round_trips.add(now - exchange.sent);
  }
  if (exchange.in_flight && exchange.path == path_index) {
    path.window.on_answer();
  }
}

void IoEngine::on_final_error(Instant now, std::uint32_t slot, const IoCompletion& how) {
  Exchange& exchange = context_.exchanges.at(slot);
  const std::uint32_t owner = exchange.owner;
  IoCompletion& completion = requests_.at(owner).completion;
  // The answers come in any order; the error that is reported is the first one in the request.
  if (completion.status == IoStatus::ok || how.error_lba < completion.error_lba) {
    completion.status = how.status;
    completion.error_lba = how.error_lba;
    completion.outcome = how.outcome;
    completion.aoe_error = how.aoe_error;
  }
  ++exchange.answers;
  end_exchange(slot);
  // What is in flight is waited for: it will be answered, and must not land after the completion.
  if (requests_.at(owner).state == RequestState::sending) {
    stop_sending(owner);
  }
  finish_if_done(now, owner);
}

void IoEngine::on_late_answer(DeviceId id, Tag tag) {
  if (fence_.on_late_answer(device(id).address(), tag)) {
    start_waiting(id);
  }
}

// --- loss ---

void IoEngine::on_expiry(Instant now, std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  if (exchange.in_flight) {
    Path& path = device(exchange.device).paths().at(exchange.path);
    ++path.expiries;
    ++context_.stats.expiries;
    // A slow flush is no sign of congestion.
    if (moves_data(requests_.at(exchange.owner).op) && path.window.on_loss(exchange.sent, now)) {
      path.rtt.back_off();
      ++path.expiries_in_row;
      ++context_.stats.window_cuts;
    }
    if (vanishes_for_its_size(exchange, path) && path.payload.step_down(now)) {
      ++context_.stats.payload_steps_down;
      // The losses are explained: no congestion, no dead path.
      path.rtt.forget_back_off();
      path.expiries_in_row = 0;
    }
    leave_flight(exchange);
  }
  queue_resend(slot);
}

bool IoEngine::vanishes_for_its_size(const Exchange& exchange, const Path& path) {
  return moves_data(requests_.at(exchange.owner).op) &&
         exchange.sectors >= path.payload.sectors() && exchange.transmissions >= kTriesPerSize &&
         path.answered > exchange.first_sent && path.full_frame_answered < exchange.first_sent;
}

void IoEngine::on_path_lost(DeviceId id, std::uint32_t path) {
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.device == id && exchange.path == path &&
        exchange.in_flight) {
      leave_flight(exchange);
      queue_resend(slot);
    }
  }
}

void IoEngine::leave_flight(Exchange& exchange) {
  if (exchange.in_flight) {
    exchange.in_flight = false;
    --device(exchange.device).paths().at(exchange.path).in_flight;
  }
}

void IoEngine::queue_resend(std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  context_.exchanges.timers().clear(slot);
  exchange.queued = true;
  queues(exchange.device).resend.push_back(context_.exchanges.links(), slot);
  make_busy(exchange.device);
}

// --- endings ---

void IoEngine::raise_fence(const Exchange& exchange) {
  if (!changes_data(requests_.at(exchange.owner).op) ||
      exchange.transmissions <= exchange.answers) {
    return;
  }
  ++context_.stats.fences_raised;
  const bool fits =
      fence_.raise(device(exchange.device).address(), {exchange.lba, exchange.sectors},
                   {.tag = exchange.tag,
                    .unanswered = exchange.transmissions - exchange.answers,
                    .gone = exchange.sent + context_.options.frame_life_max});
  if (!fits) {
    ++context_.stats.fence_overflows;
  }
}

void IoEngine::end_exchange(std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  leave_flight(exchange);
  if (exchange.queued) {
    exchange.queued = false;
    queues(exchange.device).resend.remove(context_.exchanges.links(), slot);
  }
  raise_fence(exchange);
  --requests_.at(exchange.owner).exchanges;
  context_.exchanges.release(slot);
  --frames_;
}

void IoEngine::stop_sending(std::uint32_t id) {
  Request& request = requests_.at(id);
  request.state = RequestState::sent;
  queues(request.device).sending.remove(requests_.sending_links(), id);
}

void IoEngine::finish_if_done(Instant now, std::uint32_t id) {
  const Request& request = requests_.at(id);
  if (request.exchanges == 0 && request.state == RequestState::sent) {
    end_request(now, id);
  }
}

void IoEngine::end_request(Instant now, std::uint32_t id) {
  Request& request = requests_.at(id);
  request.completion.latency = now - request.submitted;
  queues(request.device).order.remove(requests_.order_links(), id);
  requests_.deadlines().clear(id);
  requests_.complete(id);
  start_waiting(request.device);
}

void IoEngine::end_now(Instant now, std::uint32_t id, IoStatus status) {
  Request& request = requests_.at(id);
  for (std::uint32_t slot = 0; request.exchanges > 0 && slot < context_.exchanges.slots(); ++slot) {
    const Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.owner == id) {
      end_exchange(slot);
    }
  }
  if (request.state == RequestState::sending) {
    stop_sending(id);
  } else if (request.state == RequestState::waiting) {
    --queues(request.device).waiting;
  }
  if (!request.has_failed()) {
    request.completion.status = status;
    request.completion.error_lba = request.io.lba;
  }
  end_request(now, id);
}

void IoEngine::on_time(Instant now) {
  while (const std::optional<std::uint32_t> id = requests_.deadlines().pop_due(now)) {
    end_now(now, *id, IoStatus::timed_out);
  }
  if (tags_retry_ <= now) {
    tags_retry_ = {};
  }
  if (fence_.expire(now)) {
    for (std::uint32_t index = 0; index < queues_.size(); ++index) {
      if (queues_[index].waiting > 0) {
        start_waiting(DeviceId{static_cast<std::uint16_t>(index)});
      }
    }
  }
}

std::optional<Instant> IoEngine::next_time() const {
  std::optional<Instant> next = requests_.deadlines().earliest();
  const auto take = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) {
      next = other;
    }
  };
  take(fence_.next_expiry());
  if (tags_retry_ != Instant{}) {
    take(tags_retry_);
  }
  return next;
}

std::size_t IoEngine::poll_completions(std::span<IoCompletion> out) {
  std::size_t count = 0;
  while (count < out.size()) {
    const std::optional<std::uint32_t> id = requests_.pop_completed();
    if (!id) {
      break;
    }
    out[count++] = requests_.at(*id).completion;
    requests_.release(*id);
  }
  return count;
}

void IoEngine::cancel(Instant now, DeviceId id) {
  while (!queues(id).order.empty()) {
    end_now(now, queues(id).order.front(), IoStatus::cancelled);
  }
}

}  // namespace aoe::initiator
