#include "target/target_core.h"

#include "base/check.h"
#include "protocol/ata_command.h"
#include "target/access_list.h"

#include <algorithm>
#include <utility>

namespace aoe::target {
namespace {

using protocol::AoeError;
using protocol::Command;
using protocol::FrameHeader;

auto stale(const char* what) {
  return fail_with(Errc::not_found, 0, std::string(what) + ": there is no such export");
}

constexpr const char* kFirmwareRevision = "0.1.0";
constexpr std::uint32_t kWaitMaxMs = 1000;

bool is_identify(const protocol::AtaFrame& ata) {
  return protocol::find_opcode(ata.argument.command_status).kind == protocol::AtaKind::identify;
}

// A target that stood still (stopped, swapped out, without a processor) finds what was sent
// meanwhile. Initiators have sent it again since, the Linux driver with a new tag for each copy: it
// takes an answer to an older one for nothing but the sign of a slow network. One answer that is a
// minute late raises its timeout to a minute, several to four, and as long it sends nothing
// (calc_rttavg() in aoecmd.c; tests/interop/guest_long.bats). So they are as good as lost, and the
// newest copy is answered. Our own initiator knows by the sequence what is answered.
bool has_waited_too_long(const Arrival& arrival, const PacketBuffer& frame) {
  return frame.waited_ms() >= kWaitMaxMs && !arrival.context.is_sealed();
}

// The texts of IDENTIFY.
void set_texts(Export& subject) {
  const ExportSettings& settings = subject.settings;
  subject.serial = settings.serial.empty() ? default_serial(subject.persistent) : settings.serial;
  subject.identify.serial = subject.serial;
  subject.identify.model = settings.model;
  subject.identify.firmware = kFirmwareRevision;
}

Result<void> check_settings(const ExportSettings& settings) {
  const DeviceAddress address = settings.address;
  AOE_TRY(check_address(address));
  if (settings.sector_count == 0 || settings.sector_count >= kLbaLimit) {
    return fail_with(Errc::invalid_argument, 0,
                     to_string(address) + ": export: " + std::to_string(settings.sector_count) +
                         " sectors cannot be exported (1 to 2^48 - 1)");
  }
  if (settings.buffer_count < 2) {
    return fail_with(Errc::invalid_argument, 0,
                     to_string(address) + ": export: " + std::to_string(settings.buffer_count) +
                         " buffers are too few (at least 2: the Linux driver stalls on 1)");
  }
  return {};
}

}  // namespace

Result<void> check_address(DeviceAddress address) {
  if (address.shelf == protocol::kAllShelves || address.slot == protocol::kAllSlots ||
      address.shelf == protocol::kUnsetShelf) {
    return fail_with(Errc::invalid_argument, 0,
                     to_string(address) +
                         ": export: shelf 65535 and slot 255 are wildcards and initiators refuse "
                         "shelf 4095 (use shelf 0-65534, slot 0-254)");
  }
  return {};
}

TargetCore::TargetCore(const TargetLimits& limits, BufferPool& pool, Prng prng)
    : parts_(limits, pool, prng),
      responder_(parts_),
      late_writes_(parts_),
      executor_(parts_, responder_, late_writes_),
      sessions_(parts_, responder_, executor_),
      keeper_(parts_, executor_),
      announcer_(parts_, keeper_, executor_) {}

Result<ExportId> TargetCore::add_export(Instant now, const ExportSettings& settings,
                                        PersistentState state) {
  AOE_TRY(check_settings(settings));
  AOE_TRY_ASSIGN(Export * added, parts_.exports.add(settings));
  const bool is_new = state.identity == 0;
  while (state.identity == 0) {
    state.identity = parts_.prng.next();
  }
  ++state.life.starts;
  added->persistent = std::move(state);
  added->life_at_start = added->persistent.life;
  SelfTests::note_begin(*added);
  added->started = now;
  added->hold_plain_writes_until = now + settings.hold_plain_writes;
  set_texts(*added);
  added->ata.write_cache_enabled = settings.mode == WriteMode::write_back;
  announcer_.begin_probe(now, *added);
  if (is_new) {
    keeper_.save_soon(*added);
  }
  return added->id;
}

Result<void> TargetCore::remove_export(Instant now, ExportId id) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr || subject->state == ExportState::removing) {
    return stale("unexport");
  }
  executor_.self_tests().interrupt(now, *subject);
  subject->state = ExportState::removing;
  announcer_.forget(*subject);
  keeper_.forget(*subject);
  subject->is_change_pending = false;
  ++removing_count_;
  finish_removals();
  return {};
}

void TargetCore::finish_removals() {
  if (removing_count_ == 0) {
    return;
  }
  for (std::size_t i = 0; i < parts_.exports.all().size();) {
    Export* subject = parts_.exports.all()[i];
    if (subject->state == ExportState::removing && subject->stats.in_flight == 0) {
      parts_.report(EventKind::export_removed, *subject);
      parts_.sessions.remove_all_of(subject->id);
      parts_.exports.remove(*subject);
      --removing_count_;
    } else {
      ++i;
    }
  }
}

Result<void> TargetCore::set_online(Instant now, ExportId id, Online online) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr || subject->state == ExportState::removing) {
    return stale("online");
  }
  subject->settings.starts_online = online == Online::yes;
  if (online == Online::no && subject->state == ExportState::online) {
    executor_.self_tests().interrupt(now, *subject);
    save_self_tests(now);
    subject->state = ExportState::offline;
  } else if (online == Online::yes && subject->state == ExportState::offline) {
    announcer_.begin_probe(now, *subject);
  }
  return {};
}

Result<Handover> TargetCore::hand_over(Instant now, ExportId id) {
  const Export* subject = parts_.exports.find(id);
  if (subject == nullptr) {
    return stale("hand over");
  }
  if (subject->stats.in_flight != 0) {
    return fail_with(Errc::busy, 0,
                     to_string(subject->settings.address) + ": hand over: " +
                         std::to_string(subject->stats.in_flight) + " requests are in flight");
  }
  Handover handover;
  handover.is_online = subject->settings.starts_online;
  handover.is_write_cache_off =
      subject->settings.mode == WriteMode::write_back && !subject->ata.write_cache_enabled;
  sessions_.hand_over(*subject, handover);
  late_writes_.hand_over(now, *subject, handover);
  return handover;
}

Result<void> TargetCore::take_over(Instant now, ExportId id, const Handover& handover) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr) {
    return stale("take over");
  }
  sessions_.take_over(now, *subject, handover);
  late_writes_.take_over(now, *subject, handover);
  subject->settings.starts_online = handover.is_online;
  subject->ata.write_cache_enabled =
      subject->ata.write_cache_enabled && !handover.is_write_cache_off;
  announcer_.skip_probe(*subject);
  return {};
}

Result<void> TargetCore::clear_failure(ExportId id) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr) {
    return stale("online");
  }
  if (subject->health == ExportHealth::failed) {
    subject->health = ExportHealth::ok;
  }
  return {};
}

Result<void> TargetCore::resize(ExportId id, std::uint64_t sector_count) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr) {
    return stale("resize");
  }
  ExportSettings settings = subject->settings;
  settings.sector_count = sector_count;
  AOE_TRY(check_settings(settings));
  if (sector_count == subject->settings.sector_count) {
    return {};
  }
  subject->settings.sector_count = sector_count;
  parts_.report(EventKind::size_changed, *subject, sector_count);
  announcer_.advertise(*subject, ~0U);
  return {};
}

Result<void> TargetCore::save_state(Instant now, ExportId id) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr || subject->state == ExportState::removing) {
    return stale("state");
  }
  if (!keeper_.save_now(now, *subject)) {
    return fail_with(Errc::busy, 0,
                     to_string(subject->settings.address) +
                         ": state: another change is being written (try again)");
  }
  return {};
}

Result<void> TargetCore::update_settings(ExportId id, const ExportSettings& settings) {
  Export* subject = parts_.exports.find(id);
  if (subject == nullptr || subject->state == ExportState::removing) {
    return stale("reload");
  }
  AOE_TRY(check_settings(settings));
  ExportSettings& now = subject->settings;
  now.buffer_count = settings.buffer_count;
  now.allow_policy = settings.allow_policy;
  now.allow = settings.allow;
  now.remote_admin = settings.remote_admin;
  now.admins = settings.admins;
  now.model = settings.model;
  now.serial = settings.serial;
  now.has_duplicate_memory = settings.has_duplicate_memory;  // of sessions that begin from now on
  now.has_stale_write_guard = settings.has_stale_write_guard;
  now.service = settings.service;  // weights of those that compete now count when they pause
  set_texts(*subject);
  now.port_mask = settings.port_mask;
  announcer_.advertise(*subject, ~0U);
  return {};
}

void TargetCore::handle_port(Instant /*now*/, PortId port, const PortInfo& info) {
  AOE_CHECK(port.value < parts_.limits.ports_max && port.value < parts_.replies.port_count(),
            "ports are numbered within the limits");
  const PortInfo before = parts_.replies.port(port);
  parts_.replies.set_port(port, info);
  if (info.link_up && info != before) {
    announcer_.advertise_all_on(port);
  }
}

void TargetCore::handle_frame(Instant now, PortId port, PacketBuffer frame) {
  ++parts_.stats.frames;
  const auto header = protocol::parse_header(std::as_const(frame).bytes());
  if (!header) {
    if (header.error() == protocol::WireError::not_aoe) {
      ++parts_.stats.drops.not_aoe;
    } else {
      ++parts_.stats.drops.runt;
    }
    return;
  }
  if (!is_acceptable(port, *header)) {
    return;
  }
  if (header->is_response) {
    // Never answered, or two targets could answer each other for ever; but somebody who answers for
    // an address of ours is worth knowing.
    ++parts_.stats.drops.response;
    if (header->command == static_cast<std::uint8_t>(Command::config) && !header->is_error) {
      announcer_.handle_foreign_config(now, port, *header);
    }
    return;
  }
  Arrival arrival;
  arrival.now = now;
  arrival.port = port;
  arrival.header = *header;
  arrival.bytes = std::as_const(frame).bytes();
  handle_request(arrival, std::move(frame));
  finish_removals();
}

bool TargetCore::is_acceptable(PortId port, const FrameHeader& header) {
  DropCounters& drops = parts_.stats.drops;
  if (header.source.is_group() || header.source.is_zero() ||
      parts_.replies.is_own_mac(header.source)) {
    ++drops.bad_source;
    return false;
  }
  // An interface in promiscuous mode (a bridge port, a capture) shows us other stations' frames.
  if (!header.destination.is_group() && header.destination != parts_.replies.port(port).mac) {
    ++drops.not_for_us;
    return false;
  }
  if (!parts_.replies.port(port).link_up) {
    ++drops.link_down;
    return false;
  }
  return true;
}

void TargetCore::handle_request(Arrival& arrival, PacketBuffer&& frame) {
  const DeviceAddress wanted = arrival.header.address;
  if (wanted.shelf == protocol::kAllShelves || wanted.slot == protocol::kAllSlots) {
    handle_wildcard(arrival, std::move(frame));
    return;
  }
  Export* subject = parts_.exports.find(wanted);
  if (subject == nullptr || !subject->is_served_on(arrival.port) ||
      (subject->state != ExportState::online && subject->state != ExportState::offline)) {
    ++parts_.stats.drops.unknown_address;
    return;
  }
  dispatch(arrival, std::move(frame), *subject);
}

void TargetCore::expect(const PacketBuffer& frame, Expected when) const {
  if (!parts_.exports.exceeds_cache()) {
    return;
  }
  const auto header = protocol::parse_header(frame.bytes());
  if (!header) {
    return;
  }
  if (when == Expected::later) {
    parts_.exports.prefetch_way(header->address);
  } else {
    parts_.exports.prefetch(header->address);
  }
}

void TargetCore::handle_wildcard(const Arrival& arrival, PacketBuffer frame) {
  // vblade executes wildcard writes. Only what discovers may be addressed to everybody: config
  // queries that change nothing, and IDENTIFY, which is how WinAoE searches.
  const auto command = static_cast<Command>(arrival.header.command);
  if (arrival.header.version > protocol::kVersion) {
    ++parts_.stats.drops.bad_wildcard;
    return;
  }
  if (command == Command::config) {
    const auto config = protocol::parse_config(arrival.bytes);
    if (config &&
        config->command <= static_cast<std::uint8_t>(protocol::ConfigCommand::prefix_test)) {
      announcer_.handle_wildcard_query(arrival, std::move(frame));
      return;
    }
  } else if (command == Command::ata) {
    const auto ata = protocol::parse_ata(arrival.bytes);
    if (ata && !ata->argument.has_write_flag() && is_identify(*ata)) {
      announcer_.handle_wildcard_query(arrival, std::move(frame));
      return;
    }
  }
  ++parts_.stats.drops.bad_wildcard;
}

void TargetCore::dispatch(Arrival& arrival, PacketBuffer&& frame, Export& subject) {
  const FrameHeader& header = arrival.header;
  if (!may_use(subject.settings, subject.persistent.mask, header.source)) {
    ++parts_.stats.drops.access_denied;
    return;
  }
  // Version 0 is what old Linux drivers send, and vblade in its advertisements.
  if (header.version > protocol::kVersion) {
    ++subject.stats.aoe_errors;
    parts_.replies.send_error(arrival.now, arrival.port, header, subject.settings.address,
                              AoeError::unsupported_version);
    return;
  }
  arrival.initiator = parts_.initiators.touch(header.source, arrival.now);
  if (header.command != static_cast<std::uint8_t>(Command::ata) &&
      sessions_.drop_changed_command(arrival, subject)) {
    return;
  }
  switch (static_cast<Command>(header.command)) {
    case Command::ata:
      dispatch_ata(arrival, std::move(frame), subject);
      return;
    case Command::config:
      keeper_.handle_config(arrival, subject);
      return;
    case Command::mac_mask:
      keeper_.handle_mask(arrival, subject);
      return;
    case Command::reserve:
      keeper_.handle_reserve(arrival, subject);
      return;
    case Command::keyed_reserve:
      break;
  }
  if (header.command == protocol::kHelloCommand) {
    sessions_.handle_hello(arrival, subject);
    return;
  }
  ++subject.stats.aoe_errors;
  parts_.replies.send_error(arrival.now, arrival.port, header, subject.settings.address,
                            AoeError::unknown_command);
}

void TargetCore::dispatch_ata(Arrival& arrival, PacketBuffer&& frame, Export& subject) {
  // A write that every station hears is nobody's intention.
  if (arrival.header.destination.is_group()) {
    const auto ata = protocol::parse_ata(arrival.bytes);
    if (!ata || !is_identify(*ata)) {
      ++parts_.stats.drops.bad_wildcard;
      return;
    }
  }
  if (sessions_.open_seal(arrival, subject)) {
    if (has_waited_too_long(arrival, frame)) {
      ++parts_.stats.drops.waited;
      return;
    }
    executor_.handle_command(arrival, std::move(frame), subject);
    save_self_tests(arrival.now);
  }
}

void TargetCore::handle_standstill() {
  parts_.stats.drops.waited += parts_.replies.drop_ata_answers();
  executor_.forget_plain_requesters();
}

void TargetCore::handle_store_done(Instant now, const StoreCompletion& done) {
  Export* subject = executor_.handle_store_done(now, done);
  if (subject == nullptr) {
    return;
  }
  keeper_.handle_writes_finished(now, *subject);
  finish_removals();
  save_self_tests(now);
}

void TargetCore::handle_state_saved(Instant now, ExportId id, std::uint64_t generation,
                                    StateKeeper::Saved saved) {
  if (Export* subject = parts_.exports.find(id); subject != nullptr) {
    keeper_.handle_state_saved(now, *subject, generation, saved);
  }
  save_self_tests(now);
}

void TargetCore::save_self_tests(Instant now) {
  if (!executor_.self_tests().changed().empty()) {
    save_changed_self_tests(now);
  }
}

void TargetCore::save_changed_self_tests(Instant now) {
  std::vector<ExportId>& changed = executor_.self_tests().changed();
  // What another change is in the way of is looked at again when that is on disk.
  changed.erase(std::remove_if(changed.begin(), changed.end(),
                               [&](ExportId id) {
                                 Export* subject = parts_.exports.find(id);
                                 return subject == nullptr || keeper_.save_now(now, *subject);
                               }),
                changed.end());
}

void TargetCore::handle_timeout(Instant now) {
  announcer_.handle_timeout(now);
  executor_.handle_timeout(now);
  save_self_tests(now);
}

std::size_t TargetCore::poll_store_ops(std::span<ExportStoreOp> out) {
  return executor_.poll_store_ops(out);
}

std::optional<StateSave> TargetCore::poll_state_save() {
  return keeper_.poll_state_save();
}

std::size_t TargetCore::poll_transmit(std::span<TxFrame> out) {
  return parts_.replies.poll(out);
}

std::size_t TargetCore::poll_events(std::span<TargetEvent> out) {
  return parts_.events.poll(out);
}

std::optional<Instant> TargetCore::poll_timeout() const {
  const auto announce = announcer_.poll_timeout();
  const auto execute = executor_.poll_timeout();
  if (announce && execute) {
    return std::min(*announce, *execute);
  }
  return announce ? announce : execute;
}

TargetStats TargetCore::stats() const {
  TargetStats stats = parts_.stats;
  stats.events_lost = parts_.events.lost();
  return stats;
}

TargetUse TargetCore::table_use() const {
  const std::span<const Initiator> known = initiators();
  const std::span<const Session> granted = sessions();
  return {
      .requests = executor_.in_flight(),
      .initiators = static_cast<std::size_t>(std::count_if(
          known.begin(), known.end(), [](const Initiator& entry) { return entry.in_use; })),
      .changes = keeper_.changes(),
      .discoveries = announcer_.discoveries(),
      .sessions = static_cast<std::size_t>(std::count_if(
          granted.begin(), granted.end(), [](const Session& session) { return session.id != 0; })),
      .exports = exports().size(),
      .write_stamps = late_writes_.stamps()};
}

const Export* TargetCore::find(ExportId id) {
  return parts_.exports.find(id);
}

const Export* TargetCore::find(DeviceAddress address) {
  return parts_.exports.find(address);
}

}  // namespace aoe::target
