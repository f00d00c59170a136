// What did not come back: expiries and lost paths.
#include "initiator/io_engine.h"

namespace aoe::initiator {

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
    leave_flight(exchange);
  }
  queue_resend(slot);
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

void IoEngine::on_payload_lowered(DeviceId id, std::uint32_t path_index) {
  const std::uint32_t payload = device(id).paths().at(path_index).payload.sectors();
  for (std::uint32_t slot = 0; slot < context_.exchanges.slots(); ++slot) {
    Exchange& exchange = context_.exchanges.at(slot);
    if (exchange.kind == ExchangeKind::io && exchange.device == id && exchange.path == path_index &&
        exchange.in_flight && carried_sectors(slot) > payload) {
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
