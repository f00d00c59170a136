#include "initiator/initiator_core.h"

#include "base/check.h"
#include "initiator/frame_builder.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/ata_registers.h"

#include <algorithm>
#include <bit>

namespace aoe::initiator {
namespace {

using protocol::Command;

// How long a live path is believed before a config answer makes us identify it again.
constexpr Duration kIdentityFresh = Duration::seconds(1);

TagTable::Options tag_options(const CoreOptions& options, Prng& random) {
  const CoreLimits& limits = options.limits;
  // Room for every data frame, two more a device while one is cut, every probe and command.
  const std::uint32_t wanted = limits.frames_max + 2 * limits.devices_max + limits.commands_max +
                               limits.devices_max * limits.paths_max;
  return {.slots = std::bit_ceil(wanted),
          .start = static_cast<std::uint32_t>(random.next()),
          .rest = options.frame_life_max};
}

DeviceId device_id(std::uint32_t index) {
  return DeviceId{static_cast<std::uint16_t>(index)};
}

bool is_config_read(const protocol::ConfigFrame& config) {
  return config.command == static_cast<std::uint8_t>(protocol::ConfigCommand::read);
}

bool is_possible_target(DeviceAddress address) {
  return address.shelf != protocol::kAllShelves && address.slot != protocol::kAllSlots &&
         address.shelf != protocol::kUnsetShelf;
}

}  // namespace

InitiatorCore::InitiatorCore(const CoreOptions& options, BufferPool& pool)
    : options_(options),
      pool_(pool),
      random_(options.seed),
      ports_(options.limits.ports_max),
      devices_(options.limits.devices_max),
      exchanges_(tag_options(options, random_)),
      discovery_(options),
      prober_({options_, pool_, ports_, devices_, exchanges_, stats_}),
      io_({options_, pool_, ports_, devices_, exchanges_, stats_}),
      commands_({options_, pool_, ports_, devices_, exchanges_, stats_}),
      events_(std::max<std::uint32_t>(options.limits.events_max, 1)) {
  AOE_CHECK(options.limits.ports_max <= 32 && options.limits.paths_max <= 32,
            "ports and paths are kept in 32-bit masks");
}

// --- ports ---

std::uint32_t InitiatorCore::ports_up() const {
  std::uint32_t mask = 0;
  for (std::uint32_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i] && ports_[i]->link_up) {
      mask |= 1U << i;
    }
  }
  return mask;
}

void InitiatorCore::handle_port(Instant now, PortId port, const PortInfo& info) {
  if (port.value >= ports_.size() || ports_[port.value] == info) {
    return;
  }
  const PortInfo before = ports_[port.value].value_or(PortInfo{});
  ports_[port.value] = info;
  const bool came_up = info.link_up && (!before.link_up || before.mac != info.mac);
  if (came_up) {
    discovery_.on_link_up(now);
  }
  for (std::uint32_t i = 0; i < devices_.size(); ++i) {
    const DeviceId id = device_id(i);
    if (!is_open(id)) {
      continue;
    }
    PathSet& paths = devices_[i]->paths();
    for (std::uint32_t index = 0; index < paths.size(); ++index) {
      Path& path = paths.at(index);
      if (path.port != port) {
        continue;
      }
      limit_path(*devices_[i], path);
      if (!info.link_up) {
        path_went(now, id, index, PathState::down);
      } else if (came_up) {
        // Answers to what was sent before go to nobody. Who is there is asked anew.
        devices_[i]->flow().flight.forget_silences();
        path.window.reset();
        path_went(now, id, index, PathState::probing);
        prober_.start(now, id, index);
      }
    }
    refresh_device(now, id);
    io_.on_change(id);
    if (came_up && !devices_[i]->is_up()) {
      devices_[i]->query().restart(now);
    }
  }
}

void InitiatorCore::limit_path(Device& device, Path& path) {
  const std::size_t frame_sectors =
      pool_.frame_bytes() < protocol::kAtaHeaderBytes
          ? 0
          : (pool_.frame_bytes() - protocol::kAtaHeaderBytes) / kSectorBytes;
  device.limit_path(path, *ports_[path.port.value], static_cast<std::uint32_t>(frame_sectors));
}

// --- frames ---

void InitiatorCore::handle_frame(Instant now, PortId port, PacketBuffer frame) {
  ++stats_.frames_received;
  const PacketBuffer& received = frame;
  const ConstByteSpan bytes = received.bytes();
  const auto header = protocol::parse_header(bytes);
  if (!header || port.value >= ports_.size() || !ports_[port.value]) {
    ++stats_.malformed;
    return;
  }
  if (!header->is_response) {
    ++stats_.not_a_response;
    return;
  }
  if (header->source.is_group() || header->source.is_zero() ||
      !is_possible_target(header->address)) {
    ++stats_.bad_source;
    return;
  }
  const bool is_config = header->command == static_cast<std::uint8_t>(Command::config);
  if (is_config && !header->is_error) {
    on_config(now, port, *header, bytes);
  }
  if (const std::optional<std::uint32_t> slot = exchanges_.find(header->tag)) {
    on_exchange_answer(now, *slot, port, *header, bytes);
  } else if (!is_config) {
    on_stray_answer(port, *header);
  }
}

void InitiatorCore::on_config(Instant now, PortId port, const protocol::FrameHeader& header,
                              ConstByteSpan frame) {
  const auto config = protocol::parse_config(frame);
  if (!config) {
    ++stats_.malformed;
    return;
  }
  if (!is_config_read(*config)) {
    return;
  }
  ++stats_.advertisements;
  const TargetTable::Answer from{header.address, port, header.source};
  const TargetTable::Change change = discovery_.targets().note(now, from, *config);
  if (change != TargetTable::Change::none) {
    emit({.kind = change == TargetTable::Change::found ? EventKind::target_found
                                                       : EventKind::target_changed,
          .address = header.address,
          .port = port,
          .mac = header.source});
  }
  if (const std::optional<DeviceId> id = find_device(header.address)) {
    on_path_offer(now, *id, from, {config->buffer_count, config->sector_count});
  }
}

void InitiatorCore::on_path_offer(Instant now, DeviceId id, const TargetTable::Answer& from,
                                  const TargetLimits& limits) {
  Device& device = *devices_[id.value];
  PathSet& paths = device.paths();
  std::optional<std::uint32_t> index = paths.find(from.port, from.mac);
  if (!index) {
    index = add_path(id, from);
    if (!index) {
      ++stats_.paths_refused;
      return;
    }
  }
  Path& path = paths.at(*index);
  path.target = limits;
  path.answered = now;
  limit_path(device, path);
  if (path.state == PathState::down) {
    // A frame came in, so the port hears; its link event is on the way.
    path.state = PathState::probing;
  }
  const bool fresh = path.state == PathState::live && now - path.identified < kIdentityFresh;
  if (!fresh) {
    prober_.start(now, id, *index);
  }
  refresh_device(now, id);
  io_.on_change(id);
}

std::optional<std::uint32_t> InitiatorCore::add_path(DeviceId id, const TargetTable::Answer& from) {
  PathSet& paths = devices_[id.value]->paths();
  if (const auto index = paths.add(from.port, from.mac, options_.rtt)) {
    return index;
  }
  const std::optional<std::uint32_t> unused = paths.find_unused();
  if (unused) {
    prober_.stop(id, *unused);
    paths.replace(*unused, from.port, from.mac, options_.rtt);
  }
  return unused;
}

void InitiatorCore::on_exchange_answer(Instant now, std::uint32_t slot, PortId port,
                                       const protocol::FrameHeader& header, ConstByteSpan frame) {
  const Exchange& exchange = exchanges_.at(slot);
  if (exchange.kind == ExchangeKind::command) {
    commands_.on_answer(now, slot, port, header, frame);
    return;
  }
  const DeviceId id = exchange.device;
  PathSet& paths = devices_[id.value]->paths();
  if (header.address != devices_[id.value]->address()) {
    ++stats_.wrong_address;
    return;
  }
  if (header.command != static_cast<std::uint8_t>(Command::ata)) {
    ++stats_.wrong_command;
    return;
  }
  const std::optional<std::uint32_t> path = paths.find(port, header.source);
  if (!path || (exchange.paths_used >> *path & 1U) == 0) {
    ++stats_.wrong_path;
    return;
  }
  if (exchange.kind == ExchangeKind::probe) {
    on_probe_answer(now, slot, *path, header, frame);
    return;
  }
  io_.on_answer(now, slot, *path, header, frame);
  if (paths.at(*path).state == PathState::suspect) {
    path_came_alive(now, id, *path);
  }
  settle_doubts(now);
}

void InitiatorCore::on_stray_answer(PortId port, const protocol::FrameHeader& header) {
  ++stats_.unknown_tag;
  const std::optional<DeviceId> id = find_device(header.address);
  if (!id || header.command != static_cast<std::uint8_t>(Command::ata)) {
    return;
  }
  if (const auto path = devices_[id->value]->paths().find(port, header.source)) {
    io_.on_late_answer(*id, header.tag, *path);
  }
}

// --- identity ---

void InitiatorCore::on_probe_answer(Instant now, std::uint32_t slot, std::uint32_t path_index,
                                    const protocol::FrameHeader& header, ConstByteSpan frame) {
  if (header.is_error) {
    prober_.ask_again(now, slot);
    return;
  }
  const auto ata = protocol::parse_ata(frame);
  if (!ata) {
    ++stats_.malformed;
    return;
  }
  const protocol::AtaOutcome outcome{ata->argument.command_status, ata->argument.feature_error};
  if (outcome.is_failure()) {
    prober_.ask_again(now, slot);
    return;
  }
  if (ata->data.size() < protocol::kIdentifyBytes) {
    ++stats_.short_data;
    return;
  }
  const auto identify = protocol::parse_identify(ata->data.first(protocol::kIdentifyBytes));
  if (identify.checksum == protocol::IdentifyChecksum::invalid) {
    ++stats_.malformed;
    return;
  }
  ++stats_.answers;
  const Exchange& exchange = exchanges_.at(slot);
  const DeviceId id = exchange.device;
  Path& path = devices_[id.value]->paths().at(path_index);
  if (exchange.transmissions == 1 && !exchange.refused) {
    path.network.sample(now - exchange.sent);
  }
  prober_.stop(id, path_index);
  on_identity(now, id, path_index, identify.model);
}

void InitiatorCore::on_identity(Instant now, DeviceId id, std::uint32_t path_index,
                                const protocol::IdentifyModel& model) {
  Device& device = *devices_[id.value];
  Path& path = device.paths().at(path_index);
  Device::Standing standing = Device::Standing::newcomer;
  if (path.carries_data()) {
    standing = Device::Standing::serving;
  } else if (device.paths().any_live()) {
    standing = Device::Standing::newcomer_while_others_serve;
  }
  const std::uint64_t sectors_before = device.sectors();
  const IdentityVerdict verdict = device.judge(model, standing);
  if (verdict == IdentityVerdict::foreign) {
    ++stats_.identity_conflicts;
    if (path.state != PathState::quarantined) {
      path_went(now, id, path_index, PathState::quarantined);
      emit_path(EventKind::identity_conflict, id, path);
    }
    refresh_device(now, id);
    return;
  }
  path.identified = now;
  path.answered = now;
  path.losses_in_row = 0;
  if (verdict == IdentityVerdict::resized) {
    emit({.kind = EventKind::device_resized,
          .address = device.address(),
          .device = id,
          .port = path.port,
          .mac = path.mac,
          .sectors = device.sectors(),
          .sectors_before = sectors_before});
    // The other paths must agree, or they lead elsewhere.
    for (std::uint32_t other = 0; other < device.paths().size(); ++other) {
      if (other != path_index && device.paths().at(other).carries_data()) {
        prober_.start(now, id, other);
      }
    }
  }
  if (path.state != PathState::live) {
    path_came_alive(now, id, path_index);
  }
}

void InitiatorCore::path_came_alive(Instant now, DeviceId id, std::uint32_t path_index) {
  Path& path = devices_[id.value]->paths().at(path_index);
  path.state = PathState::live;
  path.losses_in_row = 0;
  // What was sent while nobody answered waits for long timers.
  io_.on_path_back(id, path_index);
  emit_path(EventKind::path_up, id, path);
  refresh_device(now, id);
}

void InitiatorCore::path_went(Instant now, DeviceId id, std::uint32_t path_index, PathState state) {
  Path& path = devices_[id.value]->paths().at(path_index);
  if (path.state == state) {
    return;
  }
  const bool served = path.state == PathState::live;
  const bool serves = state == PathState::suspect;
  path.state = state;
  if (!serves) {
    io_.on_path_lost(id, path_index);
    prober_.stop(id, path_index);
  }
  if (served) {
    emit_path(EventKind::path_down, id, path);
  }
  refresh_device(now, id);
}

void InitiatorCore::refresh_device(Instant now, DeviceId id) {
  Device& device = *devices_[id.value];
  if (!device.refresh_up()) {
    return;
  }
  emit({.kind = device.is_up() ? EventKind::device_up : EventKind::device_down,
        .address = device.address(),
        .device = id,
        .sectors = device.sectors()});
  // While it is up it is still asked for, at the pace of wildcard discovery: further paths and
  // another size show by that.
  if (device.is_up()) {
    device.query().set_max(options_.wildcard_interval_max);
  } else {
    device.query().set_max(options_.query_interval_max);
    device.query().restart(now);
  }
}

// --- time ---

void InitiatorCore::on_expiry(Instant now, std::uint32_t slot) {
  const Exchange& exchange = exchanges_.at(slot);
  switch (exchange.kind) {
    case ExchangeKind::command:
      commands_.on_expiry(now, slot);
      return;
    case ExchangeKind::probe:
      ++stats_.expiries;
      prober_.on_expiry(slot);
      return;
    case ExchangeKind::io:
      break;
    case ExchangeKind::none:
      return;
  }
  const DevicePath at{.device = exchange.device, .path = exchange.path};
  const Instant first_sent = exchange.first_sent;
  io_.on_expiry(slot);
  if (devices_[at.device.value]->paths().at(at.path).answered < first_sent) {
    on_doubtful_path(now, at);
  }
}

void InitiatorCore::on_doubtful_path(Instant now, const DevicePath& at) {
  const Path& path = devices_[at.device.value]->paths().at(at.path);
  if (path.state != PathState::live) {
    return;
  }
  if (path.losses_in_row >= options_.suspect_after) {
    path_went(now, at.device, at.path, PathState::suspect);
  }
  // Is the path gone, or only too narrow, or the disk slow? A small question tells.
  prober_.start(now, at.device, at.path);
}

void InitiatorCore::settle_doubts(Instant now) {
  while (const std::optional<DevicePath> path = io_.next_doubtful_path()) {
    on_doubtful_path(now, *path);
  }
}

void InitiatorCore::handle_timeout(Instant now) {
  while (const std::optional<std::uint32_t> slot = exchanges_.timers().pop_due(now)) {
    on_expiry(now, *slot);
  }
  io_.on_time(now);
  settle_doubts(now);
  discovery_.on_time(now, ports_up(), random_);
  for (std::optional<Device>& device : devices_) {
    if (device && device->query().take_due(now, random_)) {
      discovery_.ask(device->address(), ports_up());
    }
  }
}

std::optional<Instant> InitiatorCore::poll_timeout() const {
  std::optional<Instant> next = exchanges_.timers().earliest();
  const auto take = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) {
      next = other;
    }
  };
  take(io_.next_time());
  take(discovery_.next_time());
  for (const std::optional<Device>& device : devices_) {
    if (device) {
      take(device->query().next());
    }
  }
  return next;
}

// --- requests ---

void InitiatorCore::discover(DeviceAddress address) {
  discovery_.ask(address, ports_up());
}

std::optional<DeviceId> InitiatorCore::find_device(DeviceAddress address) const {
  for (std::uint32_t i = 0; i < devices_.size(); ++i) {
    if (devices_[i] && devices_[i]->address() == address) {
      return device_id(i);
    }
  }
  return std::nullopt;
}

const Device* InitiatorCore::device(DeviceId id) const {
  return is_open(id) ? &*devices_[id.value] : nullptr;
}

Result<DeviceId, SubmitError> InitiatorCore::open_device(Instant now, DeviceAddress address,
                                                         const DeviceSettings& settings) {
  if (!is_possible_target(address) || find_device(address)) {
    return aoe::fail(SubmitError::bad_request);
  }
  for (std::uint32_t i = 0; i < devices_.size(); ++i) {
    if (!devices_[i]) {
      devices_[i].emplace(address, settings, options_);
      devices_[i]->query().restart(now);
      return device_id(i);
    }
  }
  return aoe::fail(SubmitError::busy);
}

void InitiatorCore::close_device(Instant now, DeviceId id) {
  if (!is_open(id)) {
    return;
  }
  io_.cancel(now, id);
  for (std::uint32_t path = 0; path < devices_[id.value]->paths().size(); ++path) {
    prober_.stop(id, path);
  }
  devices_[id.value].reset();
}

Result<void, SubmitError> InitiatorCore::submit(Instant now, DeviceId id,
                                                const IoRequest& request) {
  if (!is_open(id)) {
    return aoe::fail(SubmitError::unknown_device);
  }
  return io_.submit(now, id, request);
}

Result<void, SubmitError> InitiatorCore::submit_command(Instant now,
                                                        const CommandRequest& request) {
  return commands_.submit(now, request);
}

// --- outputs ---

bool InitiatorCore::next_query_frame(TxFrame& out) {
  if (!discovery_.has_query() || pool_.available() == 0) {
    return false;
  }
  const Discovery::Query query = discovery_.take_query(random_);
  out.port = query.port;
  out.frame = start_frame(pool_, protocol::kConfigHeaderBytes,
                          {.destination = MacAddress::broadcast(),
                           .source = ports_[query.port.value]->mac,
                           .address = query.address,
                           .command = static_cast<std::uint8_t>(Command::config),
                           .tag = query.tag});
  static_cast<void>(protocol::build_config(out.frame.bytes(), {}));
  ++stats_.frames_sent;
  return true;
}

std::size_t InitiatorCore::poll_transmit(Instant now, std::span<TxFrame> out) {
  std::size_t count = 0;
  while (count < out.size() &&
         (next_query_frame(out[count]) || commands_.next_frame(now, out[count]) ||
          prober_.next_frame(now, out[count]) || io_.next_frame(now, out[count]))) {
    ++count;
  }
  return count;
}

std::size_t InitiatorCore::poll_completions(std::span<IoCompletion> out) {
  return io_.poll_completions(out);
}

std::size_t InitiatorCore::poll_commands(std::span<CommandCompletion> out) {
  return commands_.poll_completions(out);
}

void InitiatorCore::emit(const Event& event) {
  if (events_.full()) {
    events_lost_ = true;
    return;
  }
  events_.push(event);
}

void InitiatorCore::emit_path(EventKind kind, DeviceId id, const Path& path) {
  emit({.kind = kind,
        .address = devices_[id.value]->address(),
        .device = id,
        .port = path.port,
        .mac = path.mac});
}

std::size_t InitiatorCore::poll_events(std::span<Event> out) {
  std::size_t count = 0;
  while (count < out.size() && !events_.empty()) {
    out[count++] = events_.pop();
  }
  if (events_lost_ && count < out.size()) {
    events_lost_ = false;
    out[count++] = {.kind = EventKind::events_lost};
  }
  return count;
}

}  // namespace aoe::initiator
