// What did not come back: expiries and lost paths.
#include "initiator/io_engine.h"

namespace aoe::initiator {
namespace {

// How often a frame of the full payload is sent before its size is suspected. Other answers must
// have come over the path meanwhile, but none to a frame of that size.
constexpr std::uint32_t kTriesPerSize = 3;

}  // namespace

void IoEngine::on_expiry(Instant now, std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  if (exchange.in_flight) {
    Path& path = device(exchange.device).paths().at(exchange.path);
    ++path.expiries;
    ++context_.stats.expiries;
    // A slow flush is no sign of congestion.
    if (moves_data(exchange.op) && path.window.on_loss(exchange.sent, now)) {
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
  return moves_data(exchange.op) && exchange.sectors >= path.payload.sectors() &&
         exchange.transmissions >= kTriesPerSize && path.answered > exchange.first_sent &&
         path.full_frame_answered < exchange.first_sent;
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

}  // namespace aoe::initiator
