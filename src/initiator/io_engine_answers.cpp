// What came back.
#include "initiator/io_engine.h"
#include "protocol/aoe_ata.h"

namespace aoe::initiator {
namespace {

using protocol::AoeError;
using protocol::AtaOutcome;

// So often a size has to pass after a refusal before the refusal is taken for something else.
constexpr std::uint8_t kSizePassesEnough = 3;

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

// The sector the target names, where that lies in the frame; else the frame's first.
Lba error_lba(const protocol::AtaArgument& ata, const Exchange& exchange) {
  const Lba named = ata.is_extended() ? ata.lba48() : ata.lba28();
  const bool inside = named >= exchange.lba && named.value < exchange.lba.value + exchange.sectors;
  return inside ? named : exchange.lba;
}

}  // namespace

bool IoEngine::on_answer(Instant now, std::uint32_t slot, std::uint32_t path,
                         const protocol::FrameHeader& header, ConstByteSpan frame) {
  Exchange& exchange = context_.exchanges.at(slot);
  const std::optional<ConstByteSpan> opened = opened_answer(now, exchange, path, frame);
  if (!opened) {
    return false;
  }
  if (header.is_error) {
    note_path_answer(now, exchange, path);
    on_aoe_error(now, slot, path, header.error);
    return true;
  }
  const auto ata = protocol::parse_ata(*opened);
  if (!ata) {
    ++context_.stats.malformed;
    return false;
  }
  const AtaOutcome outcome{ata->argument.command_status, ata->argument.feature_error};
  const auto bytes = exchange.sectors * kSectorBytes;
  if (!outcome.is_failure() && exchange.op == FrameOp::read && ata->data.size() < bytes) {
    ++context_.stats.short_data;
    return false;
  }
  note_path_answer(now, exchange, path);
  if (outcome.is_failure()) {
    on_ata_error(now, slot, path, ata->argument);
    return true;
  }
  if (exchange.op == FrameOp::read) {
    scatter(exchange, ata->data.first(bytes));
  }
  const Exchange done = exchange;
  end_exchange(slot, Ending::answered);
  requests_.for_each_part(done, [&](const FramePart& part) {
    requests_.at(part.request).answered_sectors += part.sectors;
    finish_if_done(now, part.request);
  });
  return true;
}

void IoEngine::on_aoe_error(Instant now, std::uint32_t slot, std::uint32_t path,
                            std::uint8_t error) {
  if (error == static_cast<std::uint8_t>(AoeError::device_unavailable)) {
    // It may be back before the deadline. Ask again at the pace of a lost frame.
    ++context_.stats.device_unavailable;
    ask_later(now, slot);
    return;
  }
  if (error == static_cast<std::uint8_t>(AoeError::bad_argument) && doubts_size(now, slot, path)) {
    return;
  }
  on_final_error(now, slot,
                 {.status = IoStatus::rejected,
                  .error_lba = context_.exchanges.at(slot).lba,
                  .aoe_error = error});
}

void IoEngine::on_ata_error(Instant now, std::uint32_t slot, std::uint32_t path,
                            const protocol::AtaArgument& reply) {
  const AtaOutcome outcome{reply.command_status, reply.feature_error};
  if ((outcome.error & protocol::kErrorAborted) != 0 && doubts_size(now, slot, path)) {
    return;
  }
  const Exchange& exchange = context_.exchanges.at(slot);
  if ((outcome.error & protocol::kErrorIdNotFound) != 0) {
    // It lies inside the disk as it was: that may have shrunk.
    device(exchange.device).paths().at(path).wants_identity = true;
  }
  on_final_error(
      now, slot,
      {.status = status_of(outcome), .error_lba = error_lba(reply, exchange), .outcome = outcome});
}

void IoEngine::note_path_answer(Instant now, Exchange& exchange, std::uint32_t path_index) {
  Path& path = device(exchange.device).paths().at(path_index);
  exchange.paths_answered |= 1U << path_index;
  ++context_.stats.answers;
  ++path.frames_answered;
  path.answered = now;
  if (moves_data(exchange.op)) {
    path.payload.on_data(now, static_cast<std::uint32_t>(exchange.sectors));
  }
  // A retransmission looks like the first transmission, so its answer measures nothing (Karn), and
  // the disk's time for a flush or trim is not the network's.
  const bool measures = exchange.transmissions == 1 && !exchange.refused && moves_data(exchange.op);
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
  if (exchange.op != FrameOp::flush && requests_.is_shared(exchange)) {
    ask_apart(now, slot);
    return;
  }
  const Exchange failed = exchange;
  end_exchange(slot, Ending::answered);
  requests_.for_each_part(failed,
                          [&](const FramePart& part) { fail_request(now, part.request, how); });
}

bool IoEngine::doubts_size(Instant now, std::uint32_t slot, std::uint32_t path_index) {
  // A target whose own MTU went down refuses what it took before. So it is asked for a read of this
  // size first: when that is answered, the refusal meant something else. Answers from before the
  // refusal say nothing: their target had the larger MTU still. Some of them come late, and an MTU
  // may go up and down again, so one such answer is not enough.
  Exchange& exchange = context_.exchanges.at(slot);
  const std::uint32_t carried = carried_sectors(slot);
  PayloadLimit& payload = device(exchange.device).paths().at(path_index).payload;
  const bool has_passed = exchange.size_refused_at != Instant{} &&
                          payload.passed_since(exchange.size_refused_at, carried);
  if (has_passed) {
    ++exchange.size_passes;
  }
  if (carried <= PayloadLimit::kEverywhere || exchange.size_passes >= kSizePassesEnough) {
    return false;
  }
  if (exchange.size_refused_at == Instant{} || has_passed) {
    exchange.size_refused_at = now;
  }
  ++context_.stats.size_refusals;
  payload.doubt(carried);
  ask_later(now, slot);
  return true;
}

void IoEngine::ask_apart(Instant now, std::uint32_t slot) {
  // One of the requests is at fault, and the answer need not say which.
  std::uint64_t first = 0;
  const Exchange& exchange = context_.exchanges.at(slot);
  requests_.for_each_part(exchange, [&first](const FramePart& part) {
    if (part.before_sectors == 0) {
      first = part.sectors;
    }
  });
  if (!cut(now, slot, first)) {
    ask_later(now, slot);
  }
}

void IoEngine::ask_later(Instant now, std::uint32_t slot) {
  Exchange& exchange = context_.exchanges.at(slot);
  exchange.refused = true;
  leave_flight(exchange);
  if (!exchange.queued) {
    exchange.sent = now;
    arm_timer(slot);
  }
}

void IoEngine::fail_request(Instant now, std::uint32_t owner, const IoCompletion& how) {
  IoCompletion& completion = requests_.at(owner).completion;
  // The answers come in any order; the error that is reported is the first one in the request.
  if (completion.status == IoStatus::ok || how.error_lba < completion.error_lba) {
    completion.status = how.status;
    completion.error_lba = how.error_lba;
    completion.outcome = how.outcome;
    completion.aoe_error = how.aoe_error;
  }
  // What is in flight is waited for: it will be answered, and must not land after the completion.
  if (requests_.at(owner).state == RequestState::sending) {
    stop_sending(owner);
  }
  finish_if_done(now, owner);
}

void IoEngine::on_late_answer(DeviceId id, Tag tag, std::uint32_t path) {
  if (fence_.on_late_answer(device(id).address(), tag, path)) {
    start_waiting(id);
  }
}

}  // namespace aoe::initiator
