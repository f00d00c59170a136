#include "target/state_keeper.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "target/access_list.h"

#include <algorithm>

namespace aoe::target {
namespace {

using protocol::AoeError;
using protocol::ConfigCommand;
using protocol::FrameHeader;
using protocol::MaskCommand;
using protocol::MaskError;
using protocol::ReserveCommand;

// Shown by initiators as v0010: major 0, minor 1, patch 0, four bits each but the first.
constexpr std::uint16_t kFirmwareVersion = 0x0010;

ChangeHistory::Key key_of(const Arrival& arrival, const Export& subject) {
  return {.export_id = subject.id,
          .source = arrival.header.source,
          .tag = arrival.header.tag,
          .command = arrival.header.command,
          .content_crc = crc32c(arrival.bytes.subspan(protocol::kHeaderBytes))};
}

// Whether the list of a request, which may name an address twice, is `current`.
bool is_list(const protocol::ReserveFrame& reserve, std::span<const MacAddress> current) {
  std::size_t found = 0;
  for (std::uint8_t i = 0; i < reserve.mac_count; ++i) {
    const MacAddress mac = reserve.address(i);
    if (contains(current.first(found), mac)) {
      continue;
    }
    if (found == current.size() || current[found] != mac) {
      return false;
    }
    ++found;
  }
  return found == current.size();
}

bool is_prefix(ConstByteSpan prefix, ConstByteSpan text) {
  return prefix.size() <= text.size() && equal_bytes(prefix, text.first(prefix.size()));
}

}  // namespace

StateKeeper::StateKeeper(CoreParts& parts, AtaExecutor& executor)
    : parts_(parts),
      executor_(executor),
      history_(parts.limits.changes_max, parts.limits.frame_life),
      changes_(parts.limits.changes_max) {
  to_save_.reserve(parts.limits.exports_max);
  // An edit is tried out on a copy: a bad one must not make us allocate.
  for (Change& change : changes_) {
    change.next.config_string.reserve(protocol::kConfigStringBytesMax);
    change.next.mask.reserve(protocol::kMacListCountMax);
    change.next.reservation.reserve(protocol::kMacListCountMax);
  }
}

void StateKeeper::handle_config(const Arrival& arrival, Export& subject) {
  const auto config = protocol::parse_config(arrival.bytes);
  if (!config) {
    send_bad_argument(arrival, subject);
    return;
  }
  const ConstByteSpan current = subject.persistent.config_string;
  const auto command = static_cast<ConfigCommand>(config->command);
  switch (command) {
    case ConfigCommand::read:
      send_config(arrival, subject, config->command, AoeError::none);
      return;
    case ConfigCommand::test:
    case ConfigCommand::prefix_test: {
      const bool matches = command == ConfigCommand::test ? equal_bytes(config->string, current)
                                                          : is_prefix(config->string, current);
      if (matches) {
        send_config(arrival, subject, config->command, AoeError::none);
      } else {
        ++parts_.stats.drops.config_mismatch;
      }
      return;
    }
    case ConfigCommand::set:
    case ConfigCommand::force_set: {
      // Setting what is set succeeds: a retransmitted "set" must not fail because the first copy of
      // it succeeded (vblade and ggaoed agree).
      const bool is_same = equal_bytes(config->string, current);
      if (!is_same && command == ConfigCommand::set && !current.empty()) {
        send_config(arrival, subject, config->command, AoeError::config_string_present);
        return;
      }
      if (!may_administrate(subject.settings, arrival.header.source)) {
        refuse_admin(arrival, subject);
        send_config(arrival, subject, config->command, AoeError::config_string_present);
        return;
      }
      if (is_same) {
        send_config(arrival, subject, config->command, AoeError::none);
        return;
      }
      // What no answer could carry would make the export invisible.
      if (protocol::kConfigHeaderBytes + config->string.size() >
          smallest_mtu(subject) + protocol::kEthernetHeaderBytes) {
        send_bad_argument(arrival, subject);
        return;
      }
      if (Change* change = begin(subject, Kind::config); change != nullptr) {
        change->next.config_string.assign(config->string.begin(), config->string.end());
        queue_change(arrival, subject, *change, config->command);
      }
      return;
    }
  }
  // vblade shows the current string with this error, and so do we.
  send_config(arrival, subject, config->command, AoeError::bad_argument);
}

void StateKeeper::handle_mask(const Arrival& arrival, Export& subject) {
  const auto mask = protocol::parse_mask(arrival.bytes);
  if (!mask || mask->command > static_cast<std::uint8_t>(MaskCommand::edit)) {
    send_bad_argument(arrival, subject);
    return;
  }
  protocol::MaskReply reply{.command = static_cast<MaskCommand>(mask->command),
                            .error = MaskError::none,
                            .failed_index = 0,
                            .list = subject.persistent.mask};
  if (reply.command == MaskCommand::read) {
    send_mask(arrival.now, arrival.port, arrival.header, subject, reply);
    return;
  }
  if (!may_administrate(subject.settings, arrival.header.source)) {
    refuse_admin(arrival, subject);
    reply.error = MaskError::unspecified;
    send_mask(arrival.now, arrival.port, arrival.header, subject, reply);
    return;
  }
  Change* change = begin(subject, Kind::mask);
  if (change == nullptr) {
    return;
  }
  change->mask_edit = edit_mask(*mask, mask_entries_max(smallest_mtu(subject)), change->next.mask);
  if (change->next.mask == subject.persistent.mask) {
    reply.error = change->mask_edit.error;
    reply.failed_index = change->mask_edit.failed_index;
    change->kind = Kind::none;
    send_mask(arrival.now, arrival.port, arrival.header, subject, reply);
    return;
  }
  queue_change(arrival, subject, *change, mask->command);
}

void StateKeeper::handle_reserve(const Arrival& arrival, Export& subject) {
  const auto reserve = protocol::parse_reserve(arrival.bytes);
  if (!reserve || reserve->command > static_cast<std::uint8_t>(ReserveCommand::force_set) ||
      reserve->mac_count > reservation_entries_max(smallest_mtu(subject))) {
    send_bad_argument(arrival, subject);
    return;
  }
  // While the writes from before the last change finish, whoever is told of it would count on their
  // end: nobody is, not even by the answer to a copy of the change. They ask again.
  if (const Change* change = subject.is_change_pending ? find(subject) : nullptr;
      change != nullptr && change->phase == Phase::draining) {
    ++parts_.stats.drops.change_pending;
    return;
  }
  const auto command = static_cast<ReserveCommand>(reserve->command);
  if (command == ReserveCommand::read) {
    send_reserve(arrival.now, arrival.port, arrival.header, subject, reserve->command,
                 AoeError::none);
    return;
  }
  if (!may_administrate(subject.settings, arrival.header.source)) {
    refuse_admin(arrival, subject);
    send_reserve(arrival.now, arrival.port, arrival.header, subject, reserve->command,
                 AoeError::target_reserved);
    return;
  }
  // What is so already needs no right to make it so: the answer to the first copy may be lost, and
  // whoever hands a disk over does not hold it any more.
  if (is_list(*reserve, subject.persistent.reservation)) {
    send_reserve(arrival.now, arrival.port, arrival.header, subject, reserve->command,
                 AoeError::none);
    return;
  }
  if (command == ReserveCommand::set && is_reserved_against(subject, arrival.header.source)) {
    send_reserve(arrival.now, arrival.port, arrival.header, subject, reserve->command,
                 AoeError::target_reserved);
    return;
  }
  Change* change = begin(subject, Kind::reservation);
  if (change == nullptr) {
    return;
  }
  change->next.reservation.clear();
  for (std::uint8_t i = 0; i < reserve->mac_count; ++i) {
    const MacAddress mac = reserve->address(i);
    if (!contains(change->next.reservation, mac)) {
      change->next.reservation.push_back(mac);
    }
  }
  queue_change(arrival, subject, *change, reserve->command);
}

StateKeeper::Change* StateKeeper::begin(const Export& subject, Kind kind) {
  const auto free = std::find_if(changes_.begin(), changes_.end(),
                                 [](const Change& c) { return c.kind == Kind::none; });
  if (subject.is_change_pending || free == changes_.end()) {
    parts_.stats.drops.change_pending += kind == Kind::counters ? 0U : 1U;
    return nullptr;
  }
  free->kind = kind;
  free->phase = Phase::to_save;
  free->export_id = subject.id;
  free->next = subject.persistent;
  free->mask_edit = {};
  return &*free;
}

bool StateKeeper::is_late_copy(Instant now, const ChangeHistory::Key& key) {
  if (history_.contains(now, key)) {
    ++parts_.stats.drops.late_change;
    return true;
  }
  if (!history_.has_room(now)) {
    ++parts_.stats.drops.change_pending;
    return true;
  }
  return false;
}

void StateKeeper::queue_change(const Arrival& arrival, Export& subject, Change& change,
                               std::uint8_t command) {
  if (change.kind != Kind::counters) {
    change.key = key_of(arrival, subject);
    if (is_late_copy(arrival.now, change.key)) {
      change.kind = Kind::none;
      return;
    }
  }
  change.port = arrival.port;
  change.header = arrival.header;
  change.command = command;
  change.next.generation = subject.persistent.generation + 1;
  change.next.life = life_counters(subject, arrival.now);
  subject.is_change_pending = true;
  ++unsaved_;
}

bool StateKeeper::save_now(Instant now, Export& subject) {
  Change* change = begin(subject, Kind::counters);
  if (change == nullptr) {
    return false;
  }
  Arrival nobody;
  nobody.now = now;
  queue_change(nobody, subject, *change, 0);
  return true;
}

void StateKeeper::begin_due_saves() {
  while (!to_save_.empty()) {
    Export* subject = parts_.exports.find(to_save_.back());
    AOE_CHECK(subject != nullptr, "removed exports are forgotten");
    // A change by wire that came first takes the identity along.
    if (!subject->is_change_pending && !save_now(subject->started, *subject)) {
      return;
    }
    to_save_.pop_back();
  }
}

std::size_t StateKeeper::changes() const {
  return static_cast<std::size_t>(std::count_if(
      changes_.begin(), changes_.end(), [](const Change& c) { return c.kind != Kind::none; }));
}

StateKeeper::Change* StateKeeper::find(const Export& subject) {
  const auto found = std::find_if(changes_.begin(), changes_.end(), [&subject](const Change& c) {
    return c.kind != Kind::none && c.export_id == subject.id;
  });
  return found == changes_.end() ? nullptr : &*found;
}

std::optional<StateSave> StateKeeper::poll_state_save() {
  begin_due_saves();
  if (unsaved_ == 0) {
    return std::nullopt;  // so it is in nearly every turn
  }
  for (Change& change : changes_) {
    if (change.kind == Kind::none || change.phase != Phase::to_save) {
      continue;
    }
    const Export* subject = parts_.exports.find(change.export_id);
    AOE_CHECK(subject != nullptr, "changes of a removed export are forgotten");
    change.phase = Phase::saving;
    --unsaved_;
    return StateSave{.export_id = change.export_id,
                     .address = subject->settings.address,
                     .generation = change.next.generation,
                     .bytes = encode_state(subject->settings.address, change.next)};
  }
  return std::nullopt;
}

void StateKeeper::handle_state_saved(Instant now, Export& subject, std::uint64_t generation,
                                     Saved saved) {
  Change* change = find(subject);
  if (change == nullptr || change->phase != Phase::saving ||
      change->next.generation != generation) {
    return;
  }
  if (saved == Saved::yes) {
    commit(now, subject, *change);
    return;
  }
  parts_.report(EventKind::state_save_failed, subject);
  refuse(now, subject, *change);
  change->kind = Kind::none;
  subject.is_change_pending = false;
}

void StateKeeper::commit(Instant now, Export& subject, Change& change) {
  // The life counters went on while the state was being written.
  change.next.life = subject.persistent.life;
  // So may self-tests have.
  change.next.self_tests = subject.persistent.self_tests;
  subject.persistent = change.next;
  const MacAddress& source = change.header.source;
  if (change.kind != Kind::counters) {
    history_.add(now, change.key);
  }
  switch (change.kind) {
    case Kind::none:
    case Kind::counters:
      break;
    case Kind::config: {
      parts_.report(EventKind::config_changed, subject, change.next.config_string.size(), source);
      Arrival arrival;
      arrival.now = now;
      arrival.port = change.port;
      arrival.header = change.header;
      send_config(arrival, subject, change.command, AoeError::none);
      break;
    }
    case Kind::mask:
      parts_.report(EventKind::mask_changed, subject, change.next.mask.size(), source);
      send_mask(now, change.port, change.header, subject,
                {.command = static_cast<MaskCommand>(change.command),
                 .error = change.mask_edit.error,
                 .failed_index = change.mask_edit.failed_index,
                 .list = subject.persistent.mask});
      break;
    case Kind::reservation:
      parts_.report(EventKind::reservation_changed, subject, change.next.reservation.size(),
                    source);
      executor_.raise_barrier(subject.id);
      change.phase = Phase::draining;
      handle_writes_finished(now, subject);
      return;
  }
  change.kind = Kind::none;
  subject.is_change_pending = false;
}

void StateKeeper::handle_writes_finished(Instant now, Export& subject) {
  Change* change = subject.is_change_pending ? find(subject) : nullptr;
  if (change == nullptr || change->phase != Phase::draining ||
      executor_.writes_before_barrier(subject.id) != 0) {
    return;
  }
  change->kind = Kind::none;
  subject.is_change_pending = false;
  send_reserve(now, change->port, change->header, subject, change->command, AoeError::none);
}

void StateKeeper::forget(const Export& subject) {
  std::erase(to_save_, subject.id);
  if (Change* change = find(subject); change != nullptr) {
    unsaved_ -= change->phase == Phase::to_save ? 1U : 0U;
    change->kind = Kind::none;
  }
}

void StateKeeper::refuse(Instant now, const Export& subject, const Change& change) {
  if (change.kind == Kind::counters) {
    return;
  }
  // The disk under our state is in trouble: the initiator may try again later.
  parts_.replies.send_error(now, change.port, change.header, subject.settings.address,
                            AoeError::device_unavailable);
}

void StateKeeper::refuse_admin(const Arrival& arrival, const Export& subject) {
  parts_.report(EventKind::admin_refused, subject, arrival.header.command, arrival.header.source);
}

void StateKeeper::send_bad_argument(const Arrival& arrival, Export& subject) {
  ++subject.stats.aoe_errors;
  parts_.replies.send_error(arrival.now, arrival.port, arrival.header, subject.settings.address,
                            AoeError::bad_argument);
}

std::size_t StateKeeper::build_config_reply(ByteSpan frame, PortId port, const Export& subject,
                                            std::uint8_t command) const {
  return protocol::build_config(
      frame, {.buffer_count = subject.settings.buffer_count,
              .firmware_version = kFirmwareVersion,
              .sector_count = advertised_sectors(parts_.replies.port(port).mtu_bytes),
              .protocol_version = protocol::kVersion,
              .command = command,
              .string = subject.persistent.config_string});
}

void StateKeeper::send_config(const Arrival& arrival, const Export& subject, std::uint8_t command,
                              AoeError error) {
  if (!parts_.replies.spend_token(arrival.now)) {
    return;
  }
  PacketBuffer frame = parts_.replies.allocate(
      arrival.port, protocol::kConfigHeaderBytes + subject.persistent.config_string.size());
  if (!frame) {
    return;
  }
  FrameHeader header = protocol::reply_header(arrival.header, parts_.replies.port(arrival.port).mac,
                                              subject.settings.address);
  header.is_error = error != AoeError::none;
  header.error = static_cast<std::uint8_t>(error);
  parts_.stats.aoe_errors += header.is_error ? 1U : 0U;
  protocol::build_header(frame.bytes(), header);
  const std::size_t frame_bytes = build_config_reply(frame.bytes(), arrival.port, subject, command);
  parts_.replies.send(arrival.port, std::move(frame), frame_bytes);
}

void StateKeeper::send_mask(Instant now, PortId port, const FrameHeader& request,
                            const Export& subject, const protocol::MaskReply& reply) {
  if (!parts_.replies.spend_token(now)) {
    return;
  }
  PacketBuffer frame = parts_.replies.allocate(
      port, protocol::kMaskHeaderBytes + reply.list.size() * protocol::kMaskDirectiveBytes);
  if (!frame) {
    return;
  }
  protocol::build_header(
      frame.bytes(),
      protocol::reply_header(request, parts_.replies.port(port).mac, subject.settings.address));
  const std::size_t frame_bytes = protocol::build_mask_reply(frame.bytes(), reply);
  parts_.replies.send(port, std::move(frame), frame_bytes);
}

void StateKeeper::send_reserve(Instant now, PortId port, const FrameHeader& request,
                               const Export& subject, std::uint8_t command, AoeError error) {
  if (!parts_.replies.spend_token(now)) {
    return;
  }
  const std::span<const MacAddress> list = subject.persistent.reservation;
  PacketBuffer frame = parts_.replies.allocate(
      port, protocol::kReserveHeaderBytes + list.size() * sizeof(MacAddress));
  if (!frame) {
    return;
  }
  FrameHeader header =
      protocol::reply_header(request, parts_.replies.port(port).mac, subject.settings.address);
  header.is_error = error != AoeError::none;
  header.error = static_cast<std::uint8_t>(error);
  parts_.stats.aoe_errors += header.is_error ? 1U : 0U;
  protocol::build_header(frame.bytes(), header);
  const std::size_t frame_bytes = protocol::build_reserve(frame.bytes(), command, list);
  parts_.replies.send(port, std::move(frame), frame_bytes);
}

std::size_t StateKeeper::smallest_mtu(const Export& subject) const {
  std::size_t smallest = 0;
  for (std::size_t i = 0; i < parts_.replies.port_count(); ++i) {
    const PortId port{static_cast<std::uint8_t>(i)};
    const std::size_t mtu_bytes = parts_.replies.port(port).mtu_bytes;
    if (subject.is_served_on(port) && mtu_bytes != 0) {
      smallest = smallest == 0 ? mtu_bytes : std::min(smallest, mtu_bytes);
    }
  }
  return smallest;
}

}  // namespace aoe::target
