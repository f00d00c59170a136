// What did not come back: expiries and lost paths.
#include "initiator/io_engine.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

// How often a frame is sent again as soon as it is lost.
constexpr std::uint32_t kTriesAtOnce = 2;

// How often a frame of the full payload is sent at least before its size is suspected. Other answers
// must have come over the path meanwhile, but none to a frame of that size; and so many losses must
// not be chance.
constexpr std::uint32_t kTriesPerSize = 3;

}  // namespace

void IoEngine::on_expiry(std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  if (exchange.in_flight) {
    // A slow flush is no sign of congestion.
    ++device(exchange.device).paths().at(exchange.path).losses;
    ++context_.stats.expiries;
    leave_flight(slot);
  }
  queue_resend(slot);
}

std::optional<DevicePath> IoEngine::next_doubtful_path() {
  if (doubtful_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t index = doubtful_.pop_front(doubt_links_);
  const std::uint32_t paths_max = context_.options.limits.paths_max;
  return DevicePath{.device = DeviceId{static_cast<std::uint16_t>(index / paths_max)},
                    .path = index % paths_max};
}

void IoEngine::doubt(const DevicePath& at) {
  const std::uint32_t index = at.device.value * context_.options.limits.paths_max + at.path;
  if (!doubt_links_[index].linked) {
    doubtful_.push_back(doubt_links_, index);
  }
}

void IoEngine::examine(Instant now, DeviceId id) {
  Device& owner = device(id);
  Flight& flight = owner.flow().flight;
  while (!flight.empty()) {
    const std::uint32_t slot = flight.oldest();
    const Exchange& oldest = context_.exchanges.at(slot);
    const Flight::Judgement judgement =
        flight.judge(now, oldest, flow_.timing(owner, owner.paths().at(oldest.path)));
    switch (judgement.fate) {
      case Flight::Fate::overtaken:
        ++context_.stats.early_losses;
        lose(now, slot);
        break;
      case Flight::Fate::silent:
        on_silence(now, id);
        break;
      case Flight::Fate::quiet:
        flight.note_quiet();
        wake(id);
        break;
      case Flight::Fate::waits: {
        // A timer that is too early is set anew when it is due: answers need not touch it.
        const std::optional<Instant> armed = flight_timers_.deadline(id.value);
        if (!armed || judgement.until < *armed) {
          flight_timers_.set(id.value, judgement.until);
        }
        return;
      }
    }
  }
}

void IoEngine::on_silence(Instant now, DeviceId id) {
  Flight& flight = device(id).flow().flight;
  doubt({.device = id, .path = context_.exchanges.at(flight.oldest()).path});
  flight.note_silence(now);
  if (flight.silences() == 1) {
    // The disk may be busy with itself, or the last frame was lost. One frame asks.
    ++context_.stats.tail_probes;
    lose(now, flight.oldest());
    return;
  }
  flow_.on_silence(now, device(id));
  while (!flight.empty()) {
    ++context_.stats.expiries;
    lose(now, flight.oldest());
  }
}

void IoEngine::lose(Instant now, std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  Device& owner = device(exchange.device);
  Path& path = owner.paths().at(exchange.path);
  ++path.losses;
  ++path.losses_in_row;
  if (vanishes_for_its_size(exchange, path) && path.payload.step_down(now)) {
    // The loss is explained: no congestion, no dead path.
    ++context_.stats.payload_steps_down;
    path.losses_in_row = 0;
  } else {
    flow_.on_lost(now, owner, path, exchange.sent);
  }
  if (path.losses_in_row >= context_.options.suspect_after &&
      path.is_no_chance(path.losses_in_row)) {
    doubt({.device = exchange.device, .path = exchange.path});
  }
  leave_flight(slot);
  if (exchange.transmissions < kTriesAtOnce) {
    queue_resend(slot);
    return;
  }
  // It was lost before, so the next try waits: something is wrong with this frame.
  const std::uint32_t doublings = std::min(exchange.transmissions - kTriesAtOnce, 16U);
  const Duration pause = path.rtt.has_sample() ? path.rtt.srtt() : owner.flow().patience;
  context_.exchanges.timers().set(
      slot, now + std::min(pause * (std::int64_t{1} << doublings), context_.options.rtt.max));
}

bool IoEngine::vanishes_for_its_size(const Exchange& exchange, const Path& path) {
  if (exchange.sectors < path.payload.sectors() || path.answered <= exchange.first_sent ||
      path.full_frame_answered >= exchange.first_sent) {
    return false;
  }
  return exchange.transmissions >= kTriesPerSize && path.is_no_chance(exchange.transmissions);
}

void IoEngine::on_path_lost(DeviceId id, std::uint32_t path) {
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.device == id && exchange.path == path &&
        exchange.in_flight) {
      leave_flight(slot);
      queue_resend(slot);
    }
  }
  device(id).flow().flight.forget_silences();
  wake(id);
}

void IoEngine::leave_flight(std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  if (!exchange.in_flight) {
    return;
  }
  Device& owner = device(exchange.device);
  Path& path = owner.paths().at(exchange.path);
  exchange.in_flight = false;
  if (exchange.on_flight) {
    owner.flow().flight.remove(context_.exchanges, slot);
  }
  flow_.on_left(owner, path);
  wake(exchange.device);
  wake_waiter(flow_.shelf(owner));
}

void IoEngine::queue_resend(std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  context_.exchanges.timers().clear(slot);
  exchange.queued = true;
  queues(exchange.device).resend.push_back(context_.exchanges.links(), slot);
  wake(exchange.device);
}

}  // namespace aoe::initiator
