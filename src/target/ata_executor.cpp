#include "target/ata_executor.h"

#include "base/check.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_smart.h"
#include "protocol/ata_trim.h"
#include "target/access_list.h"
#include "target/store_outcome.h"

#include <algorithm>
#include <utility>

namespace aoe::target {
namespace {

using protocol::kAtaHeaderBytes;

constexpr std::uint32_t kVerifySectors = 128;  // read at a time by READ VERIFY
constexpr std::uint8_t kPageSectors = 8;
constexpr unsigned kGenerationShift = 16;
constexpr std::uint32_t kSlotMask = 0xFFFF;
// An export may hold this many times its advertised buffers, because several initiators may each
// use what was advertised; beyond that frames are dropped, as the protocol foresees.
constexpr std::uint32_t kOverbooking = 4;
constexpr std::uint32_t kPerExportMax = 1024;
// How long a request may wait for those before it.
constexpr Duration kQueueTime = Duration::milliseconds(500);
constexpr std::size_t kLightReplies = 64;  // buffers that are left for answers without data

bool is_store_action(AtaAction action) {
  switch (action) {
    case AtaAction::read:
    case AtaAction::write:
    case AtaAction::verify:
    case AtaAction::flush:
    case AtaAction::trim:
    case AtaAction::write_cache_off:
      return true;
    case AtaAction::reply:
    case AtaAction::bad_argument:
    case AtaAction::identify:
    case AtaAction::smart_data:
      return false;
  }
  return false;
}

bool needs_healthy_store(AtaAction action) {
  return changes_data(action) || action == AtaAction::flush || action == AtaAction::write_cache_off;
}

// aoeping sends every SMART sub-command in a frame with room for a sector and ignores an answer
// without one, be it a status or an error (aoeping.c, smart(); tests/interop/aoetools.bats). Zeros
// there hurt nobody else, and the answer is no longer than the question.
bool has_room_for_a_smart_sector(const protocol::AtaFrame& ata) {
  return ata.data.size() >= kSectorBytes &&
         protocol::find_opcode(ata.argument.command_status).kind == protocol::AtaKind::smart;
}

// The registers of an error at `first_bad`, in the width of the command that was sent.
void point_at(AtaPlan& plan, Lba first_bad, std::uint32_t sectors_left) {
  plan.reply.sector_count = static_cast<std::uint8_t>(std::min<std::uint32_t>(sectors_left, 255));
  if (plan.reply.is_extended()) {
    plan.reply.set_lba48(first_bad);
  } else {
    plan.reply.set_lba28(first_bad);
  }
}

}  // namespace

std::uint8_t advertised_sectors(std::size_t mtu_bytes) {
  const std::uint8_t sectors = protocol::ata_sectors_advertised(mtu_bytes);
  return sectors < kPageSectors ? sectors
                                : static_cast<std::uint8_t>(sectors / kPageSectors * kPageSectors);
}

std::uint32_t requests_per_export_max(std::uint32_t buffer_count) {
  return std::min(buffer_count * kOverbooking, kPerExportMax);
}

LifeCounters life_counters(const Export& subject, Instant now) {
  // Errors are counted in place; what the data path counts is added when somebody asks.
  LifeCounters life = subject.persistent.life;
  life.powered_on_seconds = subject.life_at_start.powered_on_seconds +
                            static_cast<std::uint64_t>((now - subject.started).ns) / 1'000'000'000;
  life.sectors_read = subject.life_at_start.sectors_read + subject.stats.sectors_read;
  life.sectors_written = subject.life_at_start.sectors_written + subject.stats.sectors_written;
  life.crc_errors = subject.life_at_start.crc_errors + subject.stats.seal.damaged;
  return life;
}

bool is_reserved_against(const Export& subject, const MacAddress& source) {
  const std::vector<MacAddress>& holders = subject.persistent.reservation;
  return !holders.empty() && !contains(holders, source);
}

AtaExecutor::AtaExecutor(CoreParts& parts, Responder& responder, LateWriteFilter& late_writes)
    : parts_(parts),
      responder_(responder),
      late_writes_(late_writes),
      self_tests_(parts),
      ranges_(parts.limits.requests_max),
      service_(parts.limits.requests_max),
      requests_(parts.limits.requests_max),
      free_(parts.limits.requests_max),
      ops_(parts.limits.requests_max),
      verify_scratch_(std::size_t{kVerifySectors} * kSectorBytes) {
  for (std::size_t i = requests_.size(); i > 0; --i) {
    requests_[i - 1].slot = static_cast<std::uint16_t>(i - 1);
    free_.push(requests_[i - 1].slot);
  }
  runnable_.reserve(requests_.size());
}

AtaContext AtaExecutor::context_of(const Export& subject, const Arrival& arrival) const {
  const std::size_t mtu_bytes = parts_.replies.port(arrival.port).mtu_bytes;
  return {
      .sector_count = subject.settings.sector_count,
      .frame_sectors = arrival.context.is_sealed() ? protocol::ata_sectors_sealed(mtu_bytes)
                                                   : protocol::ata_sectors_exact(mtu_bytes),
      .mode = subject.settings.mode,
      .write_cache_enabled = subject.ata.write_cache_enabled,
      .can_trim = subject.settings.can_discard,
      .smart_enabled = subject.ata.smart_enabled,
  };
}

void AtaExecutor::handle_command(Arrival& arrival, PacketBuffer&& frame, Export& subject) {
  const auto ata = protocol::parse_ata(arrival.bytes);
  late_writes_.look_at(arrival, ata ? ata->argument.command_status : std::uint8_t{0});
  if (!ata) {
    refuse(arrival, subject, protocol::AoeError::bad_argument);
    return;
  }
  const bool is_identify =
      protocol::find_opcode(ata->argument.command_status).kind == protocol::AtaKind::identify;
  // IDENTIFY passes a reservation, as with vblade: everybody may see what is there.
  if (!is_identify && is_reserved_against(subject, arrival.header.source)) {
    refuse(arrival, subject, protocol::AoeError::target_reserved);
    return;
  }
  if (subject.state == ExportState::offline) {
    refuse(arrival, subject, protocol::AoeError::device_unavailable);
    return;
  }
  AtaPlan plan = plan_ata(*ata, context_of(subject, arrival), subject.ata);
  if (subject.health == ExportHealth::failed && needs_healthy_store(plan.action)) {
    plan.action = AtaAction::reply;
    plan.outcome = protocol::kAtaDeviceFault;
  }
  if (is_store_action(plan.action)) {
    // Room first: what finds none must leave no trace of having been executed.
    if (admit(arrival, subject)) {
      if (changes_data(plan.action) && !late_writes_.may_execute(arrival, subject, plan)) {
        return;
      }
      start_request(arrival, std::move(frame), subject, plan);
    } else {
      ++subject.stats.dropped;
    }
    return;
  }
  answer_at_once(arrival, *ata, subject, plan);
}

void AtaExecutor::refuse(const Arrival& arrival, Export& subject, protocol::AoeError error) {
  ++subject.stats.aoe_errors;
  responder_.send_error(arrival.now, arrival.requester(), subject.settings.address, error);
}

bool AtaExecutor::admit(const Arrival& arrival, Export& subject) {
  if (subject.health == ExportHealth::stalled) {
    ++parts_.stats.drops.stalled;
    return false;
  }
  // Half of the room is first come, first served. Of the rest nobody gets more than an equal share
  // between those that have requests in flight.
  const std::size_t room = requests_.size();
  // What a slow store cannot end soon is better kept by those who wait for it.
  const std::uint32_t limit = subject.service.rate.served_within(
      kQueueTime, requests_per_export_max(subject.settings.buffer_count));
  bool has_room = !free_.empty() && subject.stats.in_flight < limit;
  if (has_room && subject.stats.in_flight >= limit / 2 && subject.service.flows > 1) {
    const ServiceQueue::Share share =
        service_.share_of(owner_of(subject, arrival.header.source), limit);
    has_room = share.outstanding < share.allowed;
  }
  if (has_room && arrival.initiator != InitiatorTable::kNone && free_.size() < room / 2) {
    const std::uint32_t share =
        static_cast<std::uint32_t>(room) / std::max(1U, parts_.initiators.active_count());
    has_room = parts_.initiators.at(arrival.initiator).in_flight < std::max(1U, share);
  }
  if (!has_room) {
    ++parts_.stats.drops.queue_full;
    if (arrival.initiator != InitiatorTable::kNone) {
      ++parts_.initiators.at(arrival.initiator).dropped;
    }
  }
  return has_room;
}

void AtaExecutor::answer_at_once(const Arrival& arrival, const protocol::AtaFrame& ata,
                                 Export& subject, const AtaPlan& planned) {
  if (planned.action == AtaAction::bad_argument) {
    refuse(arrival, subject, protocol::AoeError::bad_argument);
    return;
  }
  if (!parts_.replies.spend_token(arrival.now)) {
    return;
  }
  const Requester& to = arrival.requester();
  const bool wants_smart_sector = !to.context.is_sealed() && has_room_for_a_smart_sector(ata);
  const bool may_have_data = planned.action == AtaAction::identify ||
                             planned.action == AtaAction::smart_data || wants_smart_sector;
  PacketBuffer reply = responder_.allocate(to, may_have_data ? kSectorBytes : 0);
  if (!reply) {
    return;
  }
  AtaPlan plan = planned;
  std::size_t data_bytes = 0;
  if (may_have_data) {
    const ByteSpan sector = reply.bytes().subspan(kAtaHeaderBytes, kSectorBytes);
    if (plan.action == AtaAction::identify) {
      fill_identify(subject, arrival.port, sector);
      data_bytes = kSectorBytes;
    } else if (plan.action == AtaAction::smart_data) {
      if (fill_smart(arrival.now, subject, plan, sector)) {
        data_bytes = std::size_t{plan.sectors} * kSectorBytes;
      } else {
        plan.outcome = protocol::kAtaAborted;
      }
    }
  }
  if (wants_smart_sector) {
    data_bytes = kSectorBytes;
  }
  ++subject.stats.others;
  subject.stats.ata_errors += plan.outcome.is_failure() ? 1U : 0U;
  send_registers(to, std::move(reply), subject, plan, data_bytes);
}

AtaExecutor::Request& AtaExecutor::take_slot(Export& subject, std::uint16_t initiator) {
  Request& request = requests_[free_.pop()];
  request.in_use = true;
  request.is_executing = false;
  request.is_barrier = false;
  request.is_self_test = false;
  request.is_forgotten = false;
  request.is_flushing = false;
  request.is_frame_kept = false;
  request.has_turn = false;
  request.holds_range = false;
  ++request.generation;
  request.initiator = initiator;
  request.subject = &subject;
  request.progress = 0;
  ++in_flight_;
  ++subject.stats.in_flight;
  parts_.initiators.began(initiator);
  return request;
}

void AtaExecutor::start_request(const Arrival& arrival, PacketBuffer&& frame, Export& subject,
                                const AtaPlan& plan) {
  const std::size_t data_bytes =
      plan.action == AtaAction::read ? std::size_t{plan.sectors} * kSectorBytes : 0;
  const Requester& from = arrival.requester();
  PacketBuffer reply = responder_.allocate_unwritten(from, data_bytes);
  if (!reply) {
    ++subject.stats.dropped;
    return;
  }
  Request& request = take_slot(subject, arrival.initiator);
  request.source = arrival.header.source;
  request.from = from;
  request.plan = plan;
  // Only what carries data to the store needs its frame any longer.
  if (changes_data(plan.action)) {
    request.frame = std::move(frame);
  }
  request.reply = std::move(reply);
  responder_.begin(request.from, request.slot);
  subject.stats.in_flight_max = std::max(subject.stats.in_flight_max, subject.stats.in_flight);
  enter(arrival.now, request);
  if (service_.is_anybody_waiting()) {
    serve_waiting(arrival.now);
  }
}

ServiceQueue::Owner AtaExecutor::owner_of(Export& subject, const MacAddress& initiator) {
  return {.export_id = subject.id,
          .settings = &subject.settings.service,
          .state = &subject.service,
          .initiator = initiator,
          .window_max = requests_per_export_max(subject.settings.buffer_count)};
}

void AtaExecutor::take_turn(Instant now, Request& request) {
  if (request.is_self_test) {
    execute(now, request);  // it waits for quiet times anyway
    return;
  }
  const AtaAction action = request.plan.action;
  const bool has_data = action == AtaAction::read || action == AtaAction::write;
  request.has_turn = true;
  if (service_.begin(now, request.slot, owner_of(*request.subject, request.source),
                     has_data ? std::uint64_t{request.plan.sectors} * kSectorBytes : 0)) {
    execute(now, request);
  } else {
    keep_frame(request);
  }
}

void AtaExecutor::serve_waiting(Instant now) {
  while (const auto slot = service_.next(now)) {
    execute(now, requests_[*slot]);
  }
}

void AtaExecutor::enter(Instant now, Request& request) {
  if (const auto range = locked_range(request)) {
    request.holds_range = true;
    const RangeUse use = changes_data(request.plan.action) ? RangeUse::exclusive : RangeUse::shared;
    if (!ranges_.add(request.slot, *range, use)) {
      ++request.subject->stats.waits;
      keep_frame(request);  // nobody knows how long it waits
      return;
    }
  }
  take_turn(now, request);
}

void AtaExecutor::start_self_test_reads(Instant now) {
  while (const auto read = self_tests_.poll(now)) {
    // Half of the room is for those who wait for answers.
    if (free_.size() <= requests_.size() / 2 || read->subject->health == ExportHealth::stalled) {
      self_tests_.postpone(now, *read->subject);
    } else {
      start_self_test_read(now, *read);
    }
  }
}

void AtaExecutor::start_self_test_read(Instant now, const SelfTests::Read& read) {
  Request& request = take_slot(*read.subject, InitiatorTable::kNone);
  request.is_self_test = true;
  request.source = {};
  request.from = {};
  request.plan = {};
  request.plan.action = AtaAction::verify;
  request.plan.lba = read.lba;
  request.plan.sectors = read.sectors;
  request.plan.reply.flags = protocol::kAtaFlagExtended;
  enter(now, request);
}

void AtaExecutor::end_self_test_read(Instant now, Request& request, const AtaPlan& plan) {
  Export& subject = *request.subject;
  release(now, request);
  self_tests_.on_read(now, subject,
                      {.lba = plan.lba,
                       .sectors = plan.sectors,
                       .is_ok = !plan.outcome.is_failure(),
                       .bad = plan.reply.lba48()});
}

std::optional<SectorRange> AtaExecutor::locked_range(const Request& request) const {
  const std::uint32_t space = request.subject->id.value;
  switch (request.plan.action) {
    case AtaAction::read:
    case AtaAction::write:
    case AtaAction::verify:
      return SectorRange{space, request.plan.lba.value,
                         request.plan.lba.value + request.plan.sectors};
    case AtaAction::trim: {
      const protocol::TrimRanges ranges(request.frame.bytes().subspan(
          kAtaHeaderBytes, std::size_t{request.plan.sectors} * kSectorBytes));
      std::uint64_t begin = kLbaLimit;
      std::uint64_t end = 0;
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (ranges[i].sector_count != 0) {
          begin = std::min(begin, ranges[i].first.value);
          end = std::max(end, ranges[i].first.value + ranges[i].sector_count);
        }
      }
      // A trim that names nothing locks nothing in particular, but something: one sector.
      return begin < end ? SectorRange{space, begin, end} : SectorRange{space, 0, 1};
    }
    case AtaAction::write_cache_off:
      // After its answer the host counts on every write that was answered before it, so it waits
      // for those that are under way, and later ones wait for it.
      return SectorRange{space, 0, kLbaLimit};
    case AtaAction::flush:
    case AtaAction::reply:
    case AtaAction::bad_argument:
    case AtaAction::identify:
    case AtaAction::smart_data:
      // A flush covers what was answered before it arrived; it waits for nothing.
      return std::nullopt;
  }
  return std::nullopt;
}

void AtaExecutor::execute(Instant now, Request& request) {
  Export& subject = *request.subject;
  request.is_executing = true;
  request.started = now;
  // The request may have waited: somebody else may hold the disk now, and a write of the old holder
  // that lands afterwards would make the takeover a lie.
  if (!request.is_self_test && is_reserved_against(subject, request.source)) {
    finish_with_error(now, request, protocol::AoeError::target_reserved);
    return;
  }
  // What failed or shrank while the request waited counts as well.
  if (subject.health == ExportHealth::failed && needs_healthy_store(request.plan.action)) {
    request.plan.outcome = protocol::kAtaDeviceFault;
    finish(now, request, request.plan);
    return;
  }
  if (!fits_disk(request)) {
    refuse_range(now, request);
    return;
  }
  request.disk_sectors = subject.settings.sector_count;
  if (next_scan_ == Instant{}) {
    next_scan_ = now + std::min(kScanPeriod, parts_.limits.backend_deadline);
  }
  if (!emit_next(request)) {
    finish(now, request, request.plan);
  }
}

bool AtaExecutor::fits_disk(const Request& request) {
  const std::uint64_t sector_count = request.subject->settings.sector_count;
  switch (request.plan.action) {
    case AtaAction::read:
    case AtaAction::write:
    case AtaAction::verify:
      return request.plan.lba.value + request.plan.sectors <= sector_count;
    case AtaAction::trim:
      return protocol::TrimRanges(
                 request.frame.bytes().subspan(kAtaHeaderBytes,
                                               std::size_t{request.plan.sectors} * kSectorBytes))
          .all_within(sector_count);
    case AtaAction::flush:
    case AtaAction::write_cache_off:
    case AtaAction::reply:
    case AtaAction::bad_argument:
    case AtaAction::identify:
    case AtaAction::smart_data:
      return true;
  }
  return true;
}

void AtaExecutor::refuse_range(Instant now, Request& request) {
  AtaPlan& plan = request.plan;
  plan.outcome = protocol::kAtaIdNotFound;
  if (plan.action != AtaAction::trim) {
    const std::uint64_t end = plan.lba.value + plan.sectors;
    const std::uint64_t first_bad =
        std::max(plan.lba.value, request.subject->settings.sector_count);
    point_at(plan, Lba{first_bad}, static_cast<std::uint32_t>(end - first_bad));
  }
  finish(now, request, plan);
}

bool AtaExecutor::emit_next(Request& request) {
  const AtaPlan& plan = request.plan;
  ExportStoreOp next;
  StoreOp& op = next.op;
  op.durability = plan.is_stable ? Durability::stable : Durability::visible;
  op.offset_bytes = plan.lba.value * kSectorBytes;
  op.length_bytes = std::uint64_t{plan.sectors} * kSectorBytes;
  switch (plan.action) {
    case AtaAction::read:
      op.kind = StoreOpKind::read;
      op.data = request.reply.bytes().subspan(kAtaHeaderBytes, op.length_bytes);
      break;
    case AtaAction::write:
      op.kind = StoreOpKind::write;
      op.data = request.frame.bytes().subspan(kAtaHeaderBytes, op.length_bytes);
      break;
    case AtaAction::verify: {
      const std::uint32_t sectors = std::min(kVerifySectors, plan.sectors - request.progress);
      if (sectors == 0) {
        return false;
      }
      op.kind = StoreOpKind::read;
      op.offset_bytes += std::uint64_t{request.progress} * kSectorBytes;
      op.length_bytes = std::uint64_t{sectors} * kSectorBytes;
      op.data = ByteSpan(verify_scratch_).first(op.length_bytes);
      request.progress += sectors;
      break;
    }
    case AtaAction::trim:
      return emit_next_trim(request);
    case AtaAction::flush:
    case AtaAction::write_cache_off:
      op.kind = StoreOpKind::flush;
      op.offset_bytes = 0;
      op.length_bytes = 0;
      break;
    case AtaAction::reply:
    case AtaAction::bad_argument:
    case AtaAction::identify:
    case AtaAction::smart_data:
      AOE_CHECK(false, "only store actions are executed");
  }
  emit(request, next);
  return true;
}

bool AtaExecutor::emit_next_trim(Request& request) {
  const protocol::TrimRanges ranges(request.frame.bytes().subspan(
      kAtaHeaderBytes, std::size_t{request.plan.sectors} * kSectorBytes));
  ExportStoreOp next;
  StoreOp& op = next.op;
  while (request.progress < ranges.size() && ranges[request.progress].sector_count == 0) {
    ++request.progress;
  }
  if (request.progress == ranges.size()) {
    if (!request.plan.is_stable || request.is_flushing) {
      return false;
    }
    // One flush for all ranges instead of one each.
    request.is_flushing = true;
    op.kind = StoreOpKind::flush;
    emit(request, next);
    return true;
  }
  std::uint64_t begin = ranges[request.progress].first.value;
  std::uint64_t end = begin;
  // Neighbours that continue each other (a long range takes several entries) become one operation.
  while (request.progress < ranges.size() && ranges[request.progress].first.value == end) {
    end += ranges[request.progress++].sector_count;
  }
  op.kind = StoreOpKind::discard;
  op.offset_bytes = begin * kSectorBytes;
  op.length_bytes = (end - begin) * kSectorBytes;
  emit(request, next);
  return true;
}

void AtaExecutor::emit(const Request& request, ExportStoreOp& next) {
  next.export_id = request.subject->id;
  next.op.tag = StoreTag{std::uint32_t{request.generation} << kGenerationShift | request.slot};
  next.op.initiator = request.source;
  ops_.push(next);
}

void AtaExecutor::answer_to(std::uint16_t slot, const Requester& copy) {
  Request& request = requests_[slot];
  AOE_CHECK(request.in_use && request.from.context.is_begun, "only what runs has copies");
  request.from = copy;
  request.from.context.is_begun = true;
}

ByteSpan AtaExecutor::keep_data(StoreTag tag) {
  Request* request = running(tag);
  AOE_CHECK(request != nullptr, "an operation that was just handed out");
  keep_frame(*request);
  return request->frame.bytes().subspan(kAtaHeaderBytes,
                                        std::size_t{request->plan.sectors} * kSectorBytes);
}

void AtaExecutor::keep_frame(Request& request) {
  if (request.is_frame_kept || !request.frame) {
    return;
  }
  const std::size_t bytes =
      std::min(kAtaHeaderBytes + std::size_t{request.plan.sectors} * kSectorBytes,
               request.frame.bytes().size());
  // Every request that may still come gets its answer's buffer first.
  PacketBuffer copy = parts_.replies.allocate_spare(free_.size() + kLightReplies);
  if (!copy || copy.capacity() < bytes) {
    return;
  }
  copy.resize(bytes);
  copy_bytes(copy.bytes(), request.frame.bytes().first(bytes));
  request.frame = std::move(copy);
  request.is_frame_kept = true;
}

AtaExecutor::Request* AtaExecutor::running(StoreTag tag) {
  const std::size_t slot = tag.value & kSlotMask;
  if (slot >= requests_.size()) {
    return nullptr;
  }
  Request& request = requests_[slot];
  const bool is_current =
      request.in_use && request.is_executing && request.generation == tag.value >> kGenerationShift;
  return is_current ? &request : nullptr;
}

Export* AtaExecutor::handle_store_done(Instant now, const StoreCompletion& done) {
  Request* request = running(done.tag);
  if (request == nullptr) {
    return nullptr;
  }
  Export* const subject = request->subject;
  complete(now, *request, done);
  if (service_.is_anybody_waiting()) {
    serve_waiting(now);
  }
  return subject;
}

bool AtaExecutor::has_overdue(Instant now, const Request& ended) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const Request& request) {
    return request.in_use && request.is_executing && request.subject == ended.subject &&
           &request != &ended && now >= request.started + parts_.limits.backend_deadline;
  });
}

void AtaExecutor::complete(Instant now, Request& request, const StoreCompletion& done) {
  Export& subject = *request.subject;
  if (subject.health == ExportHealth::stalled && !has_overdue(now, request)) {
    subject.health = ExportHealth::ok;
    parts_.report(EventKind::backend_recovered, subject);
  }
  if (done.status == StoreErrc::ok) {
    // After a failed sync the kernel calls everything stable, whatever has become of it.
    if (subject.health == ExportHealth::failed && needs_healthy_store(request.plan.action)) {
      request.plan.outcome = protocol::kAtaDeviceFault;
      finish(now, request, request.plan);
      return;
    }
    const bool has_more =
        request.plan.action == AtaAction::verify || request.plan.action == AtaAction::trim;
    if (has_more && subject.settings.sector_count < request.disk_sectors && !fits_disk(request)) {
      refuse_range(now, request);
      return;
    }
    request.started = now;
    if (!has_more || !emit_next(request)) {
      finish(now, request, request.plan);
    }
    return;
  }
  note_store_error(now, request, done);
  AtaPlan plan = request.plan;
  const bool is_read = plan.action == AtaAction::read || plan.action == AtaAction::verify;
  plan.outcome = store_outcome(
      done.status, is_read ? TransferDirection::from_store : TransferDirection::to_store);
  if (is_read || plan.action == AtaAction::write) {
    const std::uint64_t last = plan.lba.value + plan.sectors - 1;
    const std::uint64_t bad =
        std::clamp(done.error_offset_bytes / kSectorBytes, plan.lba.value, last);
    point_at(plan, Lba{bad}, static_cast<std::uint32_t>(last - bad + 1));
  }
  finish(now, request, plan);
}

}  // namespace aoe::target
