#include "initiator/initiator_core.h"

#include "base/check.h"
#include "initiator/frame_builder.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_session.h"

#include <algorithm>
#include <bit>

namespace aoe::initiator {
namespace {

using protocol::Command;

TagTable::Options tag_options(const CoreOptions& options, Prng& random) {
  const CoreLimits& limits = options.limits;
  // Room for every data frame, two more a device while one is cut, every question and command.
  const std::uint32_t wanted = limits.frames_max + 2 * limits.devices_max + limits.commands_max +
                               3 * limits.devices_max * limits.paths_max;
  const std::uint32_t slots = std::bit_ceil(wanted);
  const auto chance = static_cast<std::uint32_t>(random.next());
  // The first tag is that of slot 0 in its generation 1.
  return {.slots = slots,
          .start = options.first_tag ? options.first_tag->value - slots : chance,
          .rest = options.frame_life_max,
          .generation_bits = options.tag_generation_bits};
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
      events_(options.limits.events_max),
      discovery_(options),
      context_{options_, pool_,  ports_,     devices_,      exchanges_,
               events_,  stats_, frame_log_, random_.next()},
      prober_(context_),
      io_(context_),
      paths_(context_, prober_, io_),
      commands_(context_) {
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
  paths_.on_port(now, port,
                 came_up ? PathKeeper::PortChange::came_up : PathKeeper::PortChange::properties);
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
    on_stray_answer(now, port, *header);
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
    events_.emit({.kind = change == TargetTable::Change::found ? EventKind::target_found
                                                               : EventKind::target_changed,
                  .address = header.address,
                  .port = port,
                  .mac = header.source});
  }
  if (const std::optional<DeviceId> id = find_device(header.address)) {
    paths_.on_offer(now, *id, from, {config->buffer_count, config->sector_count});
  }
}

void InitiatorCore::on_exchange_answer(Instant now, std::uint32_t slot, PortId port,
                                       const protocol::FrameHeader& header, ConstByteSpan frame) {
  const Exchange exchange = exchanges_.at(slot);
  if (exchange.kind == ExchangeKind::command) {
    commands_.on_answer(now, slot, port, header, frame);
    return;
  }
  const DeviceId id = exchange.device;
  const PathSet& paths = devices_[id.value]->paths();
  if (header.address != devices_[id.value]->address()) {
    ++stats_.wrong_address;
    return;
  }
  const std::optional<std::uint32_t> path = paths.find(port, header.source);
  if (!path || (exchange.paths_used >> *path & 1U) == 0) {
    ++stats_.wrong_path;
    return;
  }
  const bool is_hello = header.command == protocol::kHelloCommand;
  if (is_hello && exchange.session_id != 0 && !header.is_error) {
    paths_.on_renew(now, slot, *path, frame);
    return;
  }
  const bool asked_hello =
      exchange.kind == ExchangeKind::probe && exchange.question == PathQuestion::hello;
  if (asked_hello ? !is_hello : header.command != static_cast<std::uint8_t>(Command::ata)) {
    ++stats_.wrong_command;
    return;
  }
  if (exchange.kind == ExchangeKind::probe) {
    paths_.on_answer(now, slot, header, frame);
    return;
  }
  if (io_.on_answer(now, slot, *path, header, frame)) {
    paths_.after_data_answer(now, id, *path);
  }
  paths_.on_doubts(now);
}

void InitiatorCore::on_stray_answer(Instant now, PortId port, const protocol::FrameHeader& header) {
  ++stats_.unknown_tag;
  frame_log_.note({.kind = FrameNote::Kind::unexpected_answer,
                   .at = now,
                   .address = header.address,
                   .tag = header.tag,
                   .source = header.source,
                   .destination = header.destination});
  const std::optional<DeviceId> id = find_device(header.address);
  if (!id || header.command != static_cast<std::uint8_t>(Command::ata)) {
    return;
  }
  if (const auto path = devices_[id->value]->paths().find(port, header.source)) {
    io_.on_late_answer(now, *id, header.tag, *path);
  }
}

// --- time ---

void InitiatorCore::on_expiry(Instant now, std::uint32_t slot) {
  switch (exchanges_.at(slot).kind) {
    case ExchangeKind::command:
      commands_.on_expiry(now, slot);
      break;
    case ExchangeKind::probe:
      paths_.on_expiry(now, slot);
      break;
    case ExchangeKind::io:
      io_.on_expiry(slot);
      break;
    case ExchangeKind::none:
      break;
  }
}

void InitiatorCore::handle_timeout(Instant now) {
  while (const std::optional<std::uint32_t> slot = exchanges_.timers().pop_due(now)) {
    on_expiry(now, *slot);
  }
  paths_.on_time(now);
  io_.on_time(now);
  paths_.on_doubts(now);
  paths_.on_time(now);
  discovery_.on_time(now, ports_up(), random_);
  for (std::optional<Device>& device : devices_) {
    if (device && device->query().take_due(now, random_) &&
        !(device->is_up() && discovery_.is_wildcard_on())) {
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
  take(paths_.next_time());
  take(discovery_.next_time());
  for (const std::optional<Device>& device : devices_) {
    if (device) {
      take(device->query().next());
    }
  }
  return next;
}

CoreUse InitiatorCore::table_use() const {
  CoreUse use{.requests = io_.requests(),
              .frames = io_.frames(),
              .commands = commands_.in_use(),
              .targets = targets().size(),
              .events = events_.size(),
              .fences = io_.fence().size(),
              .queries = discovery_.waiting_queries()};
  for (const std::optional<Device>& device : devices_) {
    use.devices += device ? 1U : 0U;
    use.paths = std::max<std::size_t>(use.paths, device ? device->paths().size() : 0);
  }
  return use;
}

// --- requests ---

void InitiatorCore::discover(DeviceAddress address, std::optional<PortId> only) {
  discovery_.ask(address, only ? ports_up() & 1U << only->value : ports_up());
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
      devices_[i].emplace(address, settings, options_, first_sequence_);
      devices_[i]->query().restart(now, QuerySchedule::First::at_once);
      return device_id(i);
    }
  }
  return aoe::fail(SubmitError::busy);
}

void InitiatorCore::expect_disk(DeviceId id, const protocol::IdentifyModel& disk) {
  if (is_open(id)) {
    devices_[id.value]->expect(disk);
  }
}

void InitiatorCore::close_device(Instant now, DeviceId id) {
  if (!is_open(id)) {
    return;
  }
  io_.cancel(now, id);
  paths_.forget(id);
  const std::uint32_t next = devices_[id.value]->sessions().next_sequence();
  if (protocol::sequence_before(first_sequence_, next)) {
    first_sequence_ = next;
  }
  devices_[id.value].reset();
}

void InitiatorCore::change_settings(Instant now, DeviceId id, const DeviceSettings& settings) {
  if (is_open(id)) {
    devices_[id.value]->change_settings(settings);
    paths_.on_settings(now, id);
  }
}

void InitiatorCore::drain_device(DeviceId id) {
  if (!is_open(id) || devices_[id.value]->is_closing()) {
    return;
  }
  devices_[id.value]->start_closing();
  if (io_.is_idle(id)) {
    events_.emit({.kind = EventKind::device_drained,
                  .address = devices_[id.value]->address(),
                  .device = id});
  }
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

bool InitiatorCore::next_query_frame(Instant now, TxFrame& out) {
  if (!discovery_.has_query(now) || pool_.available() == 0) {
    return false;
  }
  const Discovery::Query query = discovery_.take_query(now, random_);
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
         (next_query_frame(now, out[count]) || commands_.next_frame(now, out[count]) ||
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

std::size_t InitiatorCore::poll_frame_notes(std::span<FrameNote> out) {
  return frame_log_.poll(out);
}

std::size_t InitiatorCore::poll_events(std::span<Event> out) {
  return events_.poll(out);
}

}  // namespace aoe::initiator
