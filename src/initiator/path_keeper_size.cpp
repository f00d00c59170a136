// Which sizes of frames pass a path.
#include "initiator/path_keeper.h"
#include "initiator/sealing.h"
#include "protocol/aoe_ata.h"
#include "protocol/ata_registers.h"

namespace aoe::initiator {
namespace {

// So many questions of a size may be lost by chance.
constexpr std::uint32_t kSizeTries = 3;

}  // namespace

void PathKeeper::ask_size(Instant now, DeviceId id, std::uint32_t path_index) {
  Path& path = path_at(id, path_index);
  const std::uint32_t wanted = path.payload.wanted(now);
  if (wanted == 0 || !path.carries_data() || path.is_asking(PathQuestion::size)) {
    return;
  }
  if (wanted > device(id).sectors()) {
    // No frame is ever larger than the disk.
    static_cast<void>(path.payload.on_passed(now, wanted));
    return;
  }
  prober_.ask(now, id, path_index, PathQuestion::size, wanted);
  if (!path.is_asking(PathQuestion::size)) {
    path.payload.postpone(now);
  }
}

std::optional<ConstByteSpan> PathKeeper::opened_answer(const Exchange& exchange,
                                                       ConstByteSpan frame) {
  if (exchange.session_id == 0) {
    return frame;
  }
  const Path& path = path_at(exchange.device, exchange.path);
  const bool has_crc = device(exchange.device).sessions().at(path.session).has_crc;
  const SealVerdict verdict =
      judge_seal(frame, {.session_id = exchange.session_id, .has_crc = has_crc});
  if (verdict != SealVerdict::good) {
    ++(verdict == SealVerdict::damaged ? context_.stats.frames_damaged : context_.stats.wrong_seal);
    return std::nullopt;
  }
  return protocol::without_seal(frame);
}

void PathKeeper::on_size_answer(Instant now, std::uint32_t slot,
                                const protocol::FrameHeader& header, ConstByteSpan frame) {
  const Exchange exchange = context_.exchanges.at(slot);
  Path& path = path_at(exchange.device, exchange.path);
  const std::optional<ConstByteSpan> opened = opened_answer(exchange, frame);
  if (!opened) {
    return;
  }
  if (header.is_error) {
    if (header.error == static_cast<std::uint8_t>(protocol::AoeError::bad_argument)) {
      size_refused(now, slot);
    } else {
      prober_.ask_again(now, slot);
    }
    return;
  }
  const auto ata = protocol::parse_ata(*opened);
  if (!ata) {
    ++context_.stats.malformed;
    return;
  }
  const protocol::AtaOutcome outcome{ata->argument.command_status, ata->argument.feature_error};
  if (outcome.is_failure() && (outcome.error & protocol::kErrorAborted) != 0) {
    size_refused(now, slot);
    return;
  }
  // An unreadable sector is an answer to the large question all the same.
  if (!outcome.is_failure() && ata->data.size() < exchange.sectors * kSectorBytes) {
    ++context_.stats.short_data;
    return;
  }
  ++context_.stats.answers;
  path.answered = now;
  const auto asked = static_cast<std::uint32_t>(exchange.sectors);
  const std::uint32_t before = path.payload.sectors();
  stop_asking_size(exchange);
  if (path.payload.on_passed(now, asked)) {
    ++context_.stats.payload_steps_up;
    if (path.was_narrow && path.payload.sectors() == path.payload.allowed()) {
      path.was_narrow = false;
      emit_payload(EventKind::payload_raised, exchange.device, path, before);
    }
  }
  ask_size(now, exchange.device, exchange.path);
}

void PathKeeper::on_control_answer(Instant now, std::uint32_t slot,
                                   const protocol::FrameHeader& header, ConstByteSpan frame) {
  const Exchange exchange = context_.exchanges.at(slot);
  const std::optional<ConstByteSpan> opened = opened_answer(exchange, frame);
  if (!opened) {
    return;
  }
  if (header.is_error) {
    prober_.ask_again(now, slot);
    return;
  }
  if (!protocol::parse_ata(*opened)) {
    ++context_.stats.malformed;
    return;
  }
  // Whatever became of the read: the disk has come to it.
  ++context_.stats.answers;
  Path& path = path_at(exchange.device, exchange.path);
  path.answered = now;
  path.control_asked = exchange.first_sent;
  prober_.stop(exchange.device, exchange.path, PathQuestion::control);
}

void PathKeeper::on_size_silence(Instant now, std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const DeviceId id = exchange.device;
  if (exchange.transmissions >= kSizeTries) {
    // A disk that takes its time is as silent as a black hole, and IDENTIFY is answered without
    // asking the disk. Only a small read tells them apart: when one that was sent later than all
    // those tries comes back, the size is what stopped them.
    if (path_at(id, exchange.path).control_asked > exchange.first_sent) {
      size_vanished(now, slot);
      return;
    }
    prober_.ask(now, id, exchange.path, PathQuestion::control, 1);
  }
  // Whether anything at all is answered is for the identity to tell.
  look_again(now, id, exchange.path);
  prober_.repeat(slot);
}

void PathKeeper::stop_asking_size(const Exchange& exchange) {
  prober_.stop(exchange.device, exchange.path, PathQuestion::size);
  prober_.stop(exchange.device, exchange.path, PathQuestion::control);
}

void PathKeeper::size_refused(Instant now, std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  path_at(exchange.device, exchange.path).answered = now;
  // Its limits have changed: they stand in its config answer.
  device(exchange.device).query().restart(now, QuerySchedule::First::at_once);
  size_vanished(now, slot);
}

void PathKeeper::size_vanished(Instant now, std::uint32_t slot) {
  const Exchange exchange = context_.exchanges.at(slot);
  const DeviceId id = exchange.device;
  Path& path = path_at(id, exchange.path);
  stop_asking_size(exchange);
  const auto asked = static_cast<std::uint32_t>(exchange.sectors);
  if (path.payload.on_vanished(now, asked)) {
    ++context_.stats.payload_steps_down;
    // The losses are explained: no congestion, no dead path.
    device(id).flow().flight.forget_silences();
    path.losses_in_row = 0;
    io_.on_payload_lowered(id, exchange.path);
  }
  if (!path.was_narrow) {
    path.was_narrow = true;
    emit_payload(EventKind::payload_lowered, id, path, asked);
  }
  ask_size(now, id, exchange.path);
}

void PathKeeper::emit_payload(EventKind kind, DeviceId id, const Path& path,
                              std::uint32_t sectors_before) {
  context_.events.emit({.kind = kind,
                        .address = device(id).address(),
                        .device = id,
                        .port = path.port,
                        .mac = path.mac,
                        .sectors = path.payload.sectors(),
                        .sectors_before = sectors_before});
}

}  // namespace aoe::initiator
