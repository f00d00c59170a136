// Admission and endings.
#include "initiator/io_engine.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

// The most that a target can make us wait by what it says of the network.
constexpr Duration kFrameLifeBelieved = Duration::seconds(60);

}  // namespace

IoEngine::IoEngine(const CoreContext& context)
    : context_(context),
      requests_(context.options.limits.requests_max),
      fence_(context.options.limits.fences_max),
      flow_(context),
      flight_timers_(context.options.limits.devices_max),
      pauses_(context.options.limits.devices_max),
      queues_(context.options.limits.devices_max),
      place_links_(context.options.limits.devices_max),
      doubt_links_(std::size_t{context.options.limits.devices_max} *
                   context.options.limits.paths_max) {}

// --- admission ---

std::optional<SubmitError> IoEngine::check(const Device& device, const IoRequest& io) const {
  if (!device.identity()) {
    return SubmitError::not_ready;
  }
  if (device.is_closing()) {
    return SubmitError::closing;
  }
  if (device.loss().refuses()) {
    return SubmitError::no_path;
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
  request.op = frame_op(io, *target.identity());
  request.flush_after = needs_flush(io, *target.identity());
  request.submitted = now;
  request.completion = {.cookie = io.cookie, .device = id, .op = io.op, .sectors = io.sectors};

  Queues& own = queues(id);
  own.order.push_back(requests_.order_links(), *slot);
  own.changes += changes_data(request.op) ? 1U : 0U;
  // A disk without a volatile cache and without the command has nothing to flush.
  request.flush_sent = request.op == FrameOp::flush && !target.identity()->has_flush &&
                       !target.identity()->write_cache_enabled;
  set_deadline(now, *slot);
  if (must_wait(*slot)) {
    ++context_.stats.overlap_waits;
    ++own.waiting;
  } else if (is_fenced(*slot)) {
    ++context_.stats.fence_waits;
    ++own.waiting;
  } else {
    send(*slot);
  }
  return {};
}

void IoEngine::set_deadline(Instant now, std::uint32_t id) {
  const Request& request = requests_.at(id);
  Duration timeout = request.io.timeout;
  if (timeout == Duration{}) {
    timeout = device(request.device).settings().deadline;
    if (timeout != Duration{} && request.io.op == IoOp::flush) {
      timeout = std::max(timeout, context_.options.flush_timeout_min);
    }
  }
  if (timeout != Duration{}) {
    requests_.deadlines().set(id, now + timeout);
  }
}

bool IoEngine::must_wait(std::uint32_t id) {
  const Request& request = requests_.at(id);
  const Queues& own = queues(request.device);
  // Reads among reads wait for nothing, and a flush waits for changes alone.
  return (own.changes != 0 || changes_data(request.op)) && requests_.must_wait(own.order, id);
}

bool IoEngine::is_fenced(std::uint32_t id) {
  const Request& request = requests_.at(id);
  return changes_data(request.op) &&
         fence_.blocks(device(request.device).address(), request.range());
}

bool IoEngine::try_start(std::uint32_t id) {
  if (must_wait(id) || is_fenced(id)) {
    return false;
  }
  send(id);
  return true;
}

void IoEngine::send(std::uint32_t id) {
  Request& request = requests_.at(id);
  request.state = RequestState::sending;
  if (request.op == FrameOp::flush) {
    request.flush_start = device(request.device).cache().flush_starts();
  }
  queues(request.device).sending(request.op).push_back(requests_.sending_links(), id);
  wake(request.device);
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

// --- endings ---

void IoEngine::raise_fence(const Exchange& exchange, Ending ending) {
  if (!changes_data(exchange.op) || exchange.transmissions == 0) {
    return;
  }
  const bool remembered = exchange.sequence != 0 && !exchange.is_mixed;
  if (remembered && ending == Ending::answered) {
    // The target answers further copies from its memory. (What was given up is not so safe: a
    // later write may go to another instance, which knows nothing of that sequence.)
    return;
  }
  const std::uint32_t open_paths = exchange.paths_used & ~exchange.paths_answered;
  if (open_paths == 0 && exchange.paths_reused == 0) {
    return;  // every copy is known to have arrived
  }
  const WriteFence::Copies copies{
      .tag = exchange.tag,
      .open_paths = open_paths,
      .can_settle = exchange.paths_reused == 0 && exchange.session_id == 0 && !exchange.is_mixed,
      .gone = exchange.sent + frame_life(exchange)};
  ++context_.stats.fences_raised;
  if (!fence_.raise(device(exchange.device).address(), changed_range(exchange), copies)) {
    ++context_.stats.fence_overflows;
  }
}

SectorRange IoEngine::changed_range(const Exchange& exchange) const {
  // The parts of a trim lie anywhere: what is between them is fenced with them.
  std::uint64_t begin = kLbaLimit;
  std::uint64_t end = 0;
  requests_.for_each_part(exchange, [&](const FramePart& part) {
    const std::uint64_t first = requests_.at(part.request).io.lba.value + part.offset_sectors;
    begin = std::min(begin, first);
    end = std::max(end, first + part.sectors);
  });
  return {Lba{begin}, end - begin};
}

Duration IoEngine::frame_life(const Exchange& exchange) {
  const Duration own = context_.options.frame_life_max;
  if (exchange.session == kNoIndex) {
    return own;
  }
  const Duration peer = device(exchange.device).sessions().at(exchange.session).frame_life;
  return std::max(own, std::min(peer, kFrameLifeBelieved));
}

void IoEngine::end_exchange(std::uint32_t slot, Ending ending) {
  Exchange& exchange = context_.exchanges.at(slot);
  leave_flight(slot);
  if (exchange.queued) {
    exchange.queued = false;
    queues(exchange.device).resend.remove(context_.exchanges.links(), slot);
  }
  raise_fence(exchange, ending);
  leave_session(exchange);
  requests_.for_each_part(
      exchange, [this](const FramePart& part) { --requests_.at(part.request).exchanges; });
  const DeviceId id = exchange.device;
  context_.exchanges.release(slot);
  --frames_;
  // There may be room for another frame, or a sequence for one.
  wake(id);
  wake_starved();
}

void IoEngine::stop_sending(std::uint32_t id) {
  Request& request = requests_.at(id);
  request.state = RequestState::sent;
  queues(request.device).sending(request.op).remove(requests_.sending_links(), id);
}

void IoEngine::finish_if_done(Instant now, std::uint32_t id) {
  Request& request = requests_.at(id);
  if (request.exchanges != 0 || request.state != RequestState::sent) {
    return;
  }
  if (request.flush_after && !request.has_failed()) {
    request.flush_after = false;
    queues(request.device).changes -= changes_data(request.op) ? 1U : 0U;
    request.op = FrameOp::flush;
    send(id);
    return;
  }
  end_request(now, id);
}

void IoEngine::end_request(Instant now, std::uint32_t id) {
  Request& request = requests_.at(id);
  request.completion.latency = now - request.submitted;
  Queues& own = queues(request.device);
  own.order.remove(requests_.order_links(), id);
  own.changes -= changes_data(request.op) ? 1U : 0U;
  requests_.deadlines().clear(id);
  requests_.complete(id);
  start_waiting(request.device);
  if (device(request.device).is_closing() && own.order.empty()) {
    context_.events.emit({.kind = EventKind::device_drained,
                          .address = device(request.device).address(),
                          .device = request.device});
  }
}

bool IoEngine::end_now(Instant now, std::uint32_t id, IoStatus status) {
  Request& request = requests_.at(id);
  const std::optional<FrameNote> note =
      status == IoStatus::timed_out ? note_of_sent_frame(now, id) : std::nullopt;
  if (!leave_exchanges(now, id)) {
    return false;
  }
  if (note) {
    context_.frame_log.note(*note);
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
  return true;
}

void IoEngine::on_time(Instant now) {
  while (const std::optional<std::uint32_t> device = flight_timers_.pop_due(now)) {
    examine(now, DeviceId{static_cast<std::uint16_t>(*device)});
  }
  while (const std::optional<std::uint32_t> id = requests_.deadlines().pop_due(now)) {
    if (!end_now(now, *id, IoStatus::timed_out)) {
      requests_.deadlines().set(*id, now + kTagRetry);
    }
  }
  if (tags_retry_ != Instant{} && tags_retry_ <= now) {
    tags_retry_ = {};
    wake_starved();
  }
  while (const std::optional<std::uint32_t> device = pauses_.pop_due(now)) {
    wake(DeviceId{static_cast<std::uint16_t>(*device)});
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
  take(flight_timers_.earliest());
  take(pauses_.earliest());
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
  end_requests(now, id, IoStatus::cancelled);
  fence_.forget_paths(device(id).address());
  log_.forget(id);
  move_to(id, Queues::Place::none);
  if (device(id).flow().shelf != kNoIndex) {
    // It may have been its turn.
    wake_waiter(flow_.shelf(device(id)));
  }
  wake_starved();
  flow_.close(device(id));
  pauses_.clear(id.value);
  flight_timers_.clear(id.value);
  for (std::uint32_t i = 0; i < context_.options.limits.paths_max; ++i) {
    const std::uint32_t path = id.value * context_.options.limits.paths_max + i;
    if (doubt_links_[path].linked) {
      doubtful_.remove(doubt_links_, path);
    }
  }
}

void IoEngine::end_requests(Instant now, DeviceId id, IoStatus status) {
  // Nobody is left whose frames would be cut.
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    const Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.device == id) {
      end_exchange(slot, Ending::given_up);
    }
  }
  while (!queues(id).order.empty()) {
    const bool ended = end_now(now, queues(id).order.front(), status);
    AOE_CHECK(ended, "a request without frames ends");
  }
}

template <class Doomed>
void IoEngine::end_where(Instant now, DeviceId id, IoStatus status, Doomed is_doomed) {
  // Ending one may start others, but takes none from the list.
  for (std::uint32_t request = queues(id).order.front(); request != kNoIndex;) {
    const std::uint32_t next = IndexList::next(requests_.order_links(), request);
    if (is_doomed(requests_.at(request)) && !end_now(now, request, status)) {
      requests_.deadlines().set(request, now + kTagRetry);
    }
    request = next;
  }
}

void IoEngine::on_shrink(Instant now, DeviceId id) {
  const std::uint64_t sectors = device(id).sectors();
  end_where(now, id, IoStatus::out_of_range, [sectors](const Request& request) {
    return request.io.lba.value + request.io.sectors > sectors;
  });
}

void IoEngine::on_no_path(Instant now, DeviceId id) {
  const bool lost = device(id).loss().stage() == DeviceLoss::Stage::lost;
  const std::uint32_t before = queues(id).order.size();
  if (lost) {
    end_requests(now, id, IoStatus::no_path);
  } else {
    // What is in the network may have been executed: its answer may still come.
    end_where(now, id, IoStatus::no_path,
              [](const Request& request) { return request.exchanges == 0; });
  }
  context_.stats.requests_failed_fast += before - queues(id).order.size();
}

}  // namespace aoe::initiator
