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
  const DeviceId id = context_.exchanges.at(slot).device;
  const bool taken = take_answer(now, slot, path, header, frame);
  // It may have overtaken others.
  examine(now, id);
  return taken;
}

bool IoEngine::take_answer(Instant now, std::uint32_t slot, std::uint32_t path,
                           const protocol::FrameHeader& header, ConstByteSpan frame) {
  Exchange& exchange = context_.exchanges.at(slot);
  const std::optional<ConstByteSpan> opened = opened_answer(now, exchange, path, frame);
  if (!opened) {
    return false;
  }
  if (header.is_error) {
    note_path_answer(now, slot, path);
    ++device(exchange.device).paths().at(path).aoe_errors;
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
    ++device(exchange.device).paths().at(path).truncated;
    return false;
  }
  note_path_answer(now, slot, path);
  if ((outcome.status & protocol::kStatusCorrected) != 0) {
    ++device(exchange.device).paths().at(path).corrected;
  }
  if (outcome.is_failure()) {
    ++device(exchange.device).paths().at(path).ata_errors;
    on_ata_error(now, slot, path, ata->argument);
    return true;
  }
  if (exchange.op == FrameOp::read) {
    scatter(exchange, ata->data.first(bytes));
  }
  const Exchange done = exchange;
  end_exchange(slot, Ending::answered);
  Device& from = device(done.device);
  if (changes_data(done.op) && done.op != FrameOp::write_fua &&
      from.identity()->write_cache_enabled) {
    from.cache().on_change(done.cache_epoch);
  }
  requests_.for_each_part(done, [&](const FramePart& part) {
    Request& request = requests_.at(part.request);
    request.answered_sectors += part.sectors;
    if (done.op == FrameOp::flush && !from.cache().on_flushed(request.flush_start)) {
      request.completion.status = IoStatus::cache_lost;
    }
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

void IoEngine::note_path_answer(Instant now, std::uint32_t slot, std::uint32_t path_index) {
  Exchange& exchange = context_.exchanges.at(slot);
  Device& owner = device(exchange.device);
  Path& path = owner.paths().at(path_index);
  exchange.paths_answered |= 1U << path_index;
  ++context_.stats.answers;
  ++path.frames_answered;
  path.answered = now;
  path.losses_in_row = 0;
  owner.flow().flight.on_progress(now);
  if (moves_data(exchange.op)) {
    path.payload.on_data(now, static_cast<std::uint32_t>(exchange.sectors));
  }
  // A retransmission looks like the first transmission, so its answer measures nothing (Karn), and
  // the disk's time for a flush or trim is not the network's.
  const bool measures = exchange.transmissions == 1 && exchange.in_flight && !exchange.refused &&
                        moves_data(exchange.op);
  if (exchange.transmissions > 1 || !exchange.in_flight) {
    note_copies(now, exchange, path_index);
  }
  if (measures) {
    owner.flow().flight.on_answer(now, exchange, flow_.timing(owner, path));
  }
  if (exchange.in_flight && exchange.path == path_index) {
    flow_.on_answer(now, owner, path, exchange.op,
                    measures ? std::optional(now - exchange.sent) : std::nullopt);
  }
}

void IoEngine::note_copies(Instant now, const Exchange& exchange, std::uint32_t path_index) {
  if (!moves_data(exchange.op) || exchange.refused) {
    return;
  }
  Device& owner = device(exchange.device);
  const Path& way = owner.paths().at(path_index);
  // The last copy is not out, went another way, or can't be back yet: this answers an earlier one.
  const bool earlier = !exchange.in_flight || exchange.path != path_index ||
                       now - exchange.sent < owner.flow().timer(way.rtt).min_rtt() / 2;
  if (!earlier) {
    // Of three copies it is not known which one this answers.
    if (exchange.transmissions == 2) {
      log_.note({.tag = exchange.tag,
                 .device = exchange.device,
                 .path = path_index,
                 .age = now - exchange.first_sent,
                 .apart = exchange.sent - exchange.first_sent,
                 .answered = now});
    }
    return;
  }
  if (exchange.transmissions > 1) {
    ++context_.stats.spurious_retransmissions;
  }
  on_false_alarm(owner, path_index, now - exchange.sent);
}

void IoEngine::on_false_alarm(Device& owner, std::uint32_t path_index, Duration age) {
  Path& path = owner.paths().at(path_index);
  owner.flow().flight.on_false_alarm(age, flow_.timing(owner, path));
  flow_.on_false_alarm(owner, path, age);
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
  leave_flight(slot);
  if (!exchange.queued) {
    const Device& owner = device(exchange.device);
    const RttEstimator& rtt = owner.flow().timer(owner.paths().at(exchange.path).rtt);
    context_.exchanges.timers().set(slot, now + rtt.doubled(exchange.transmissions - 1));
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

void IoEngine::on_late_answer(Instant now, DeviceId id, Tag tag, std::uint32_t path) {
  if (const std::optional<RetransmissionLog::Entry> entry = log_.take(now, id, tag)) {
    ++context_.stats.spurious_retransmissions;
    on_false_alarm(device(id), entry->path, entry->age);
  }
  if (fence_.on_late_answer(device(id).address(), tag, path)) {
    start_waiting(id);
  }
}

}  // namespace aoe::initiator
