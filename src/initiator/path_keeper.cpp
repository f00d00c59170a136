// Offers, identity, states.
#include "initiator/path_keeper.h"

#include "protocol/aoe_ata.h"
#include "protocol/ata_registers.h"

namespace aoe::initiator {
namespace {

// How long a live path is believed before a config answer makes us identify it again.
constexpr Duration kIdentityFresh = Duration::seconds(1);

}  // namespace

// --- ports and offers ---

void PathKeeper::limit(DeviceId id, std::uint32_t path_index) {
  Path& path = path_at(id, path_index);
  device(id).limit_path(path, *context_.ports[path.port.value], context_.pool.frame_bytes());
}

void PathKeeper::on_port(Instant now, PortId port, PortChange change) {
  for (std::uint32_t i = 0; i < context_.devices.size(); ++i) {
    if (!context_.devices[i]) {
      continue;
    }
    const DeviceId id{static_cast<std::uint16_t>(i)};
    PathSet& paths = device(id).paths();
    for (std::uint32_t index = 0; index < paths.size(); ++index) {
      Path& path = paths.at(index);
      if (path.port != port) {
        continue;
      }
      limit(id, index);
      if (!context_.ports[port.value]->link_up) {
        went(now, id, index, PathState::down);
      } else if (change == PortChange::came_up) {
        // Answers to what was sent before go to nobody. Who is there is asked anew.
        device(id).flow().flight.forget_silences();
        path.window.reset();
        went(now, id, index, PathState::probing);
        look_again(now, id, index);
      } else {
        ask_size(now, id, index);
      }
    }
    refresh(now, id);
    // Also while it is up: the link may be a further way to it, and not every target advertises
    // itself.
    if (change == PortChange::came_up) {
      device(id).query().restart(now, QuerySchedule::First::spread);
    }
  }
}

void PathKeeper::on_offer(Instant now, DeviceId id, const TargetTable::Answer& from,
                          const TargetLimits& limits) {
  PathSet& paths = device(id).paths();
  std::optional<std::uint32_t> index = paths.find(from.port, from.mac);
  if (!index) {
    index = add_path(id, from);
    if (!index) {
      ++context_.stats.paths_refused;
      return;
    }
  }
  if (!device(id).allows(from.mac)) {
    quarantine(now, id, *index, QuarantineReason::pin);
    return;
  }
  Path& path = paths.at(*index);
  path.target = limits;
  path.answered = now;
  limit(id, *index);
  if (path.state == PathState::down) {
    // A frame came in, so the port hears; its link event is on the way.
    path.state = PathState::probing;
  }
  if (!path.carries_data() || now - path.identified >= kIdentityFresh) {
    look_again(now, id, *index);
  }
  ask_size(now, id, *index);
  refresh(now, id);
}

std::optional<std::uint32_t> PathKeeper::add_path(DeviceId id, const TargetTable::Answer& from) {
  PathSet& paths = device(id).paths();
  if (const auto index = paths.add(from.port, from.mac, context_.options.rtt)) {
    return index;
  }
  const std::optional<std::uint32_t> unused = paths.find_unused();
  if (unused) {
    prober_.stop_all(id, *unused);
    paths.replace(*unused, from.port, from.mac, context_.options.rtt);
  }
  return unused;
}

// --- answers ---

void PathKeeper::on_answer(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                           ConstByteSpan frame) {
  switch (context_.exchanges.at(slot).question) {
    case PathQuestion::identity:
      on_identify(now, slot, header, frame);
      break;
    case PathQuestion::hello:
      on_hello(now, slot, header, frame);
      break;
    case PathQuestion::size:
      on_size_answer(now, slot, header, frame);
      break;
    case PathQuestion::control:
      on_control_answer(now, slot, header, frame);
      break;
  }
}

void PathKeeper::on_expiry(Instant now, std::uint32_t slot) {
  ++context_.stats.expiries;
  switch (context_.exchanges.at(slot).question) {
    case PathQuestion::identity:
      on_identity_silence(now, slot);
      break;
    case PathQuestion::hello:
      on_hello_silence(now, slot);
      break;
    case PathQuestion::size:
      on_size_silence(now, slot);
      break;
    case PathQuestion::control:
      prober_.repeat(slot);
      break;
  }
}

void PathKeeper::on_identify(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                             ConstByteSpan frame) {
  if (header.is_error) {
    prober_.ask_again(now, slot);
    return;
  }
  const auto ata = protocol::parse_ata(frame);
  if (!ata) {
    ++context_.stats.malformed;
    return;
  }
  const protocol::AtaOutcome outcome{ata->argument.command_status, ata->argument.feature_error};
  if (outcome.is_failure()) {
    prober_.ask_again(now, slot);
    return;
  }
  if (ata->data.size() < protocol::kIdentifyBytes) {
    ++context_.stats.short_data;
    return;
  }
  const auto identify = protocol::parse_identify(ata->data.first(protocol::kIdentifyBytes));
  if (identify.checksum == protocol::IdentifyChecksum::invalid) {
    ++context_.stats.malformed;
    return;
  }
  ++context_.stats.answers;
  const Exchange exchange = context_.exchanges.at(slot);
  Path& path = path_at(exchange.device, exchange.path);
  if (exchange.transmissions == 1 && !exchange.refused) {
    path.network.sample(now - exchange.sent);
  }
  prober_.stop(exchange.device, exchange.path, PathQuestion::identity);
  on_identity(now, exchange.device, exchange.path, identify.model);
}

// --- identity ---

void PathKeeper::on_identity(Instant now, DeviceId id, std::uint32_t path_index,
                             const protocol::IdentifyModel& model) {
  Device& own = device(id);
  Path& path = path_at(id, path_index);
  path.answered = now;
  path.losses_in_row = 0;
  path.wants_identity = false;
  if (!own.allows(model)) {
    quarantine(now, id, path_index, QuarantineReason::pin);
    return;
  }
  Device::Standing standing = Device::Standing::newcomer;
  if (path.is_serving()) {
    standing = Device::Standing::serving;
  } else if (own.paths().any_live()) {
    standing = Device::Standing::newcomer_while_others_serve;
  }
  const std::uint64_t sectors_before = own.sectors();
  const IdentityVerdict verdict = own.judge(model, standing);
  if (verdict == IdentityVerdict::foreign) {
    quarantine(now, id, path_index, QuarantineReason::identity);
    return;
  }
  path.is_identified = true;
  path.identified = now;
  if (verdict == IdentityVerdict::resized) {
    resized(now, id, path_index, sectors_before);
  }
  if (context_.options.extension == CoreOptions::Extension::off) {
    settle_plain(now, id, path_index);
    return;
  }
  // A plain target is asked each time: it may have been replaced by a better one.
  if (path.peer != Peer::session) {
    prober_.ask(now, id, path_index, PathQuestion::hello);
  }
  admit(now, id, path_index);
}

void PathKeeper::resized(Instant now, DeviceId id, std::uint32_t path_index,
                         std::uint64_t sectors_before) {
  Device& own = device(id);
  const Path& path = path_at(id, path_index);
  const bool shrank = own.sectors() < sectors_before;
  context_.events.emit({.kind = shrank ? EventKind::device_shrunk : EventKind::device_resized,
                        .address = own.address(),
                        .device = id,
                        .port = path.port,
                        .mac = path.mac,
                        .sectors = own.sectors(),
                        .sectors_before = sectors_before});
  if (shrank) {
    io_.on_shrink(now, id);
  }
  // The other paths must agree, or they lead elsewhere.
  for (std::uint32_t other = 0; other < own.paths().size(); ++other) {
    if (other != path_index && path_at(id, other).is_serving()) {
      look_again(now, id, other);
    }
  }
}

void PathKeeper::look_again(Instant now, DeviceId id, std::uint32_t path_index) {
  prober_.ask(now, id, path_index, PathQuestion::identity);
}

void PathKeeper::ask_what_is_open(Instant now, DeviceId id, std::uint32_t path_index) {
  const Path& path = path_at(id, path_index);
  if (!path.is_serving() && path.state != PathState::probing) {
    return;
  }
  if (!path.is_identified || path.state == PathState::suspect) {
    look_again(now, id, path_index);
  }
  if (path.peer == Peer::unknown && (path.is_serving() || path.is_identified)) {
    prober_.ask(now, id, path_index, PathQuestion::hello);
  }
}

// --- states ---

bool PathKeeper::may_have_many(DeviceId id) {
  return device(id).settings().instances == DeviceSettings::Instances::many &&
         !device(id).identity()->write_cache_enabled;
}

void PathKeeper::admit(Instant now, DeviceId id, std::uint32_t path_index) {
  const Path& path = path_at(id, path_index);
  if (!path.is_identified || path.peer == Peer::unknown) {
    return;
  }
  if (!path.is_serving() && !may_have_many(id) && device(id).other_instance_serves(path_index)) {
    quarantine(now, id, path_index, QuarantineReason::instance);
    // Unless it is the target that was there before, restarted, of which the others do not know.
    for (std::uint32_t other = 0; other < device(id).paths().size(); ++other) {
      if (path_at(id, other).is_serving()) {
        prober_.ask(now, id, other, PathQuestion::hello);
      }
    }
    return;
  }
  // Before anything is sent there: a flush must know.
  if (path.peer == Peer::session &&
      device(id).cache().on_epoch(device(id).sessions().at(path.session).cache_epoch)) {
    ++context_.stats.caches_lost;
    emit(EventKind::cache_lost, id, path);
  }
  if (path.state != PathState::live) {
    come_alive_unless_held(now, id, path_index);
  }
  io_.on_change(id);
  ask_size(now, id, path_index);
}

void PathKeeper::come_alive_unless_held(Instant now, DeviceId id, std::uint32_t path_index) {
  Path& path = path_at(id, path_index);
  if (now >= path.damper.until() || !device(id).paths().any_live()) {
    came_alive(now, id, path_index);
  } else if (!path.is_held) {
    path.is_held = true;
    ++context_.stats.path_holds;
  }
}

void PathKeeper::release_held(Instant now, DeviceId id) {
  for (std::uint32_t i = 0; i < device(id).paths().size(); ++i) {
    const Path& path = path_at(id, i);
    if (path.is_held && (path.damper.until() <= now || !device(id).paths().any_live())) {
      came_alive(now, id, i);
    }
  }
}

void PathKeeper::came_alive(Instant now, DeviceId id, std::uint32_t path_index) {
  Path& path = path_at(id, path_index);
  path.state = PathState::live;
  path.is_held = false;
  path.damper.on_up(now);
  path.quarantine = QuarantineReason::none;
  path.losses_in_row = 0;
  // What was sent while nobody answered waits for long timers.
  io_.on_path_back(id, path_index);
  emit(EventKind::path_up, id, path);
  refresh(now, id);
}

void PathKeeper::went(Instant now, DeviceId id, std::uint32_t path_index, PathState state) {
  Path& path = path_at(id, path_index);
  if (path.state == state) {
    return;
  }
  const bool served = path.state == PathState::live;
  path.state = state;
  if (!path.is_serving()) {
    io_.on_path_lost(id, path_index);
    prober_.stop_all(id, path_index);
    path.is_identified = false;
    path.peer = Peer::unknown;
  }
  path.is_held = false;
  if (served) {
    path.damper.on_down(now);
    emit(EventKind::path_down, id, path);
  }
  release_held(now, id);
  refresh(now, id);
}

void PathKeeper::quarantine(Instant now, DeviceId id, std::uint32_t path_index,
                            QuarantineReason reason) {
  Path& path = path_at(id, path_index);
  const bool is_new = path.state != PathState::quarantined || path.quarantine != reason;
  path.quarantine = reason;
  went(now, id, path_index, PathState::quarantined);
  prober_.stop_all(id, path_index);
  path.is_identified = false;
  path.peer = Peer::unknown;
  if (is_new) {
    ++context_.stats.quarantines;
    context_.events.emit({.kind = EventKind::path_quarantined,
                          .address = device(id).address(),
                          .device = id,
                          .port = path.port,
                          .mac = path.mac,
                          .reason = reason});
  }
}

void PathKeeper::refresh(Instant now, DeviceId id) {
  Device& own = device(id);
  io_.on_change(id);
  if (!own.refresh_up()) {
    return;
  }
  context_.events.emit({.kind = own.is_up() ? EventKind::device_up : EventKind::device_down,
                        .address = own.address(),
                        .device = id,
                        .sectors = own.sectors()});
  // While it is up it is still asked for: further paths and another size show by that.
  if (own.is_up()) {
    own.loss().on_up();
    return;
  }
  own.loss().on_down(now);
  own.query().restart(now, QuerySchedule::First::spread);
  // What was not wanted beside another target may be all that is left.
  for (std::uint32_t i = 0; i < own.paths().size(); ++i) {
    const Path& path = path_at(id, i);
    if (path.state == PathState::quarantined && path.quarantine == QuarantineReason::instance &&
        context_.ports[path.port.value]->link_up) {
      look_again(now, id, i);
    }
  }
}

void PathKeeper::emit(EventKind kind, DeviceId id, const Path& path) {
  context_.events.emit({.kind = kind,
                        .address = device(id).address(),
                        .device = id,
                        .port = path.port,
                        .mac = path.mac});
}

// --- data ---

void PathKeeper::after_data_answer(Instant now, DeviceId id, std::uint32_t path_index) {
  Path& path = path_at(id, path_index);
  if (path.state == PathState::suspect) {
    come_alive_unless_held(now, id, path_index);
  }
  if (path.wants_identity) {
    look_again(now, id, path_index);
  }
  ask_size(now, id, path_index);
}

void PathKeeper::on_doubts(Instant now) {
  while (const std::optional<DevicePath> at = io_.next_doubtful_path()) {
    const Path& path = path_at(at->device, at->path);
    if (!path.is_serving()) {
      continue;
    }
    ask_size(now, at->device, at->path);
    if (path.wants_identity) {
      look_again(now, at->device, at->path);
    }
  }
}

void PathKeeper::on_identity_silence(Instant now, std::uint32_t slot) {
  const Exchange& exchange = context_.exchanges.at(slot);
  const Path& path = path_at(exchange.device, exchange.path);
  prober_.repeat(slot);
  // A disk may be slow, but nothing is read from it for this question.
  if (path.state == PathState::live && path.losses_in_row >= context_.options.suspect_after &&
      path.answered < exchange.first_sent) {
    ++context_.stats.paths_suspected;
    went(now, exchange.device, exchange.path, PathState::suspect);
  }
}

// --- time ---

void PathKeeper::on_time(Instant now) {
  const bool asks_again = prober_.take_retry(now);
  for (std::uint32_t i = 0; i < context_.devices.size(); ++i) {
    if (!context_.devices[i]) {
      continue;
    }
    const DeviceId id{static_cast<std::uint16_t>(i)};
    release_held(now, id);
    for (std::uint32_t path = 0; path < device(id).paths().size(); ++path) {
      if (asks_again) {
        ask_what_is_open(now, id, path);
      }
      ask_size(now, id, path);
    }
    DeviceLoss& loss = device(id).loss();
    if (loss.advance(now)) {
      const bool lost = loss.stage() == DeviceLoss::Stage::lost;
      context_.events.emit({.kind = lost ? EventKind::device_lost : EventKind::device_fast_fail,
                            .address = device(id).address(),
                            .device = id});
      io_.on_no_path(now, id);
    }
  }
}

std::optional<Instant> PathKeeper::next_time() const {
  std::optional<Instant> next;
  const auto take = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) {
      next = other;
    }
  };
  take(prober_.next_retry());
  for (const std::optional<Device>& own : context_.devices) {
    if (!own) {
      continue;
    }
    take(own->loss().next_time());
    for (std::uint32_t i = 0; i < own->paths().size(); ++i) {
      const Path& path = own->paths().at(i);
      if (path.is_held) {
        take(path.damper.until());
      }
      if (path.carries_data() && !path.is_asking(PathQuestion::size)) {
        take(path.payload.next_time());
      }
    }
  }
  return next;
}

void PathKeeper::on_settings(Instant now, DeviceId id) {
  for (std::uint32_t index = 0; index < device(id).paths().size(); ++index) {
    limit(id, index);
    const bool serial_fits = !device(id).identity() || device(id).allows(*device(id).identity());
    if (!device(id).allows(path_at(id, index).mac) || !serial_fits) {
      quarantine(now, id, index, QuarantineReason::pin);
    } else {
      ask_size(now, id, index);
    }
  }
  io_.on_change(id);
  device(id).query().restart(now, QuerySchedule::First::at_once);
}

void PathKeeper::forget(DeviceId id) {
  for (std::uint32_t path = 0; path < device(id).paths().size(); ++path) {
    prober_.stop_all(id, path);
  }
}

}  // namespace aoe::initiator
