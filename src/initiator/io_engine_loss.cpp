// What did not come back: losses, silences and lost paths.
#include "initiator/io_engine.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

// How often a frame that others overtake is sent again as soon as it is lost.
constexpr std::uint32_t kTriesAtOnce = 2;
constexpr Duration kPauseMin = Duration::milliseconds(1);

}  // namespace

void IoEngine::on_expiry(std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  if (exchange.in_flight) {
    // A slow flush is no sign of congestion.
    const DevicePath at{.device = exchange.device, .path = exchange.path};
    Path& path = device(at.device).paths().at(at.path);
    ++path.losses;
    ++context_.stats.expiries;
    if (path.answered < exchange.first_sent) {
      ++path.losses_in_row;
      path.wants_identity = true;
      doubt(at);
    }
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

Flight::Judgement IoEngine::judge_oldest(Instant now, DeviceId id) {
  const Device& owner = device(id);
  const Exchange& oldest = context_.exchanges.at(owner.flow().flight.oldest());
  return owner.flow().flight.judge(now, oldest, flow_.timing(owner, owner.paths().at(oldest.path)));
}

void IoEngine::examine(Instant now, DeviceId id) {
  Flight& flight = device(id).flow().flight;
  while (!flight.empty()) {
    switch (judge_oldest(now, id).fate) {
      case Flight::Fate::overtaken:
        ++context_.stats.early_losses;
        lose_overtaken(now, flight.oldest());
        break;
      case Flight::Fate::silent:
        on_silence(now, id);
        break;
      case Flight::Fate::quiet:
        flight.note_quiet();
        wake(id);
        break;
      case Flight::Fate::waits:
        arm_flight_timer(now, id);
        return;
    }
  }
}

void IoEngine::arm_flight_timer(Instant now, DeviceId id) {
  // A timer that is too early is set anew when it is due: answers need not touch it.
  const Flight::Judgement judgement = judge_oldest(now, id);
  const Instant due = judgement.fate == Flight::Fate::waits ? judgement.until : now;
  const std::optional<Instant> armed = flight_timers_.deadline(id.value);
  if (!armed || due < *armed) {
    flight_timers_.set(id.value, due);
  }
}

void IoEngine::on_silence(Instant now, DeviceId id) {
  Device& owner = device(id);
  Flight& flight = owner.flow().flight;
  flight.note_silence(now);
  if (flight.silences() == 1) {
    // The disk may be busy with itself, or the last frame was lost. One frame asks.
    const DevicePath at{.device = id, .path = context_.exchanges.at(flight.oldest()).path};
    owner.paths().at(at.path).wants_identity = true;
    doubt(at);
    ++context_.stats.tail_probes;
    lose_and_repeat(now, flight.oldest());
    return;
  }
  flow_.on_silence(now, owner);
  while (!flight.empty()) {
    const DevicePath at{.device = id, .path = context_.exchanges.at(flight.oldest()).path};
    owner.paths().at(at.path).wants_identity = true;
    doubt(at);
    ++context_.stats.expiries;
    lose_and_repeat(now, flight.oldest());
  }
}

void IoEngine::lose(Instant now, std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const DevicePath at{.device = exchange.device, .path = exchange.path};
  Device& owner = device(at.device);
  Path& path = owner.paths().at(at.path);
  ++path.losses;
  ++path.losses_in_row;
  flow_.on_lost(now, owner, path, exchange.op, exchange.sent);
  // Was it lost because it is large? A question of that size tells.
  const std::uint32_t carried = carried_sectors(slot);
  if (carried > PayloadLimit::kEverywhere &&
      !path.payload.passed_since(exchange.first_sent, carried)) {
    path.payload.doubt(carried);
    doubt(at);
  }
  if (path.losses_in_row >= context_.options.suspect_after &&
      path.is_no_chance(path.losses_in_row)) {
    path.wants_identity = true;
    doubt(at);
  }
  leave_flight(slot);
}

void IoEngine::lose_and_repeat(Instant now, std::uint32_t slot) {
  lose(now, slot);
  queue_resend(slot);
}

void IoEngine::lose_overtaken(Instant now, std::uint32_t slot) {
  lose(now, slot);
  const Exchange& exchange = context_.exchanges.at(slot);
  if (exchange.transmissions < kTriesAtOnce) {
    queue_resend(slot);
    return;
  }
  // Others are answered and it was lost before: something is wrong with this frame.
  const Path& path = device(exchange.device).paths().at(exchange.path);
  const std::uint32_t doublings = std::min(exchange.transmissions - kTriesAtOnce, 16U);
  const Duration pause = std::max(path.rtt.srtt(), kPauseMin) * (std::int64_t{1} << doublings);
  context_.exchanges.timers().set(slot, now + std::min(pause, context_.options.rtt.max));
}

void IoEngine::on_path_lost(DeviceId id, std::uint32_t path) {
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    const Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.device == id && exchange.path == path &&
        exchange.in_flight) {
      leave_flight(slot);
      queue_resend(slot);
    }
  }
  device(id).flow().flight.forget_silences();
  wake(id);
}

void IoEngine::on_path_back(DeviceId id, std::uint32_t path) {
  on_path_lost(id, path);
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    const Exchange& exchange = context_.exchanges.at(slot);
    const bool waits = !exchange.in_flight && !exchange.queued && !exchange.refused;
    if (exchange.kind == ExchangeKind::io && exchange.device == id && waits) {
      queue_resend(slot);
    }
  }
}

void IoEngine::on_payload_lowered(DeviceId id, std::uint32_t path_index) {
  const std::uint32_t payload = device(id).paths().at(path_index).payload.sectors();
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    const Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.device == id && exchange.path == path_index &&
        exchange.in_flight && carried_sectors(slot) > payload) {
      leave_flight(slot);
      queue_resend(slot);
    }
  }
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
