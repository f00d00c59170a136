// The answering half of AtaExecutor: from an outcome to the frame that tells it.
#include "base/check.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_smart.h"
#include "target/ata_executor.h"

#include <algorithm>
#include <utility>

namespace aoe::target {
namespace {

void count(ExportStats& stats, const AtaPlan& plan) {
  if (plan.outcome.is_failure()) {
    ++stats.ata_errors;
    return;
  }
  switch (plan.action) {
    case AtaAction::read:
      ++stats.reads;
      stats.sectors_read += plan.sectors;
      return;
    case AtaAction::write:
      ++stats.writes;
      stats.sectors_written += plan.sectors;
      return;
    case AtaAction::flush:
    case AtaAction::write_cache_off:
      ++stats.flushes;
      return;
    case AtaAction::trim:
      ++stats.trims;
      return;
    case AtaAction::verify:
    case AtaAction::reply:
    case AtaAction::bad_argument:
    case AtaAction::identify:
    case AtaAction::smart_data:
      ++stats.others;
      return;
  }
}

// A guess for those who wait: a quarter of a disk that reads 200 MB/s.
std::uint16_t extended_test_minutes(std::uint64_t sectors) {
  constexpr std::uint64_t kSectorsPerMinute = 50'000'000ULL / kSectorBytes * 60;
  return static_cast<std::uint16_t>(
      std::clamp<std::uint64_t>(sectors / kSectorsPerMinute + 1, 1, 0xFFFF));
}

}  // namespace

void AtaExecutor::finish(Instant now, Request& request, const AtaPlan& plan) {
  if (request.is_self_test) {
    end_self_test_read(now, request, plan);
    return;
  }
  Export& subject = *request.subject;
  count(subject.stats, plan);
  if (request.is_forgotten) {
    release_forgotten(now, request);
    return;
  }
  // No data with an error: an initiator must look at the status first, and some do not.
  const bool has_data = plan.action == AtaAction::read && !plan.outcome.is_failure();
  const std::size_t data_bytes = has_data ? std::size_t{plan.sectors} * kSectorBytes : 0;
  if (!has_data) {
    fill_zero(request.reply.bytes().first(protocol::kFrameBytesMin));
  }
  send_registers(request.from, std::move(request.reply), subject, plan, data_bytes);
  release(now, request);
}

void AtaExecutor::release_forgotten(Instant now, Request& request) {
  ++parts_.stats.drops.waited;
  request.reply.reset();
  release(now, request);
}

void AtaExecutor::forget_plain_requesters() {
  for (Request& request : requests_) {
    request.is_forgotten =
        request.in_use && !request.is_self_test && !request.from.context.is_sealed();
  }
}

void AtaExecutor::finish_with_error(Instant now, Request& request, protocol::AoeError error) {
  if (request.is_forgotten) {
    release_forgotten(now, request);
    return;
  }
  ++request.subject->stats.aoe_errors;
  request.reply.reset();
  responder_.send_error(now, request.from, request.subject->settings.address, error);
  release(now, request);
}

void AtaExecutor::release(Instant now, Request& request) {
  Export& subject = *request.subject;
  if (request.has_turn) {
    service_.ended(now, request.slot);
  }
  request.is_executing = false;
  request.in_use = false;
  parts_.initiators.ended(request.initiator);
  --subject.stats.in_flight;
  --in_flight_;
  const std::size_t first_runnable = runnable_.size();
  if (request.holds_range) {
    ranges_.remove(request.slot, runnable_);
  }
  request.frame.reset();
  request.reply.reset();
  free_.push(request.slot);
  if (first_runnable == 0) {
    // Executing may finish at once and release in turn: one loop at the bottom keeps the stack
    // flat.
    // The list grows while it is walked: no iterator would stay valid.
    // NOLINTNEXTLINE(modernize-loop-convert): see above
    for (std::size_t i = 0; i < runnable_.size(); ++i) {
      take_turn(now, requests_[runnable_[i]]);
    }
    runnable_.clear();
  }
}

void AtaExecutor::send_registers(const Requester& to, PacketBuffer&& reply, const Export& subject,
                                 const AtaPlan& plan, std::size_t data_bytes) {
  protocol::AtaArgument registers = plan.reply;
  registers.command_status = plan.outcome.status;
  registers.feature_error = plan.outcome.error;
  responder_.send_registers(to, std::move(reply), subject.settings.address, registers, data_bytes);
}

void AtaExecutor::fill_identify(Export& subject, PortId port, ByteSpan sector) const {
  const ExportSettings& settings = subject.settings;
  protocol::IdentifyModel& model = subject.identify;
  model.sector_count = settings.sector_count;
  model.world_wide_name = world_wide_name(subject.serial);
  model.physical_sector_bytes = settings.physical_block_bytes;
  // A speed that nobody measured is not claimed: 0 means "not reported" (ATA8-ACS 7.16.7.81).
  model.rotation_rate = settings.is_rotational ? 0 : 1;
  model.has_trim = settings.can_discard && settings.mode != WriteMode::read_only;
  model.trim_reads_zero = settings.discard_reads_zero;
  model.trim_blocks_max = std::min<std::uint16_t>(
      kTrimBlocksMax, advertised_sectors(parts_.replies.port(port).mtu_bytes));
  model.has_write_cache = settings.mode == WriteMode::write_back;
  model.write_cache_enabled = subject.ata.write_cache_enabled;
  model.has_fua = settings.mode != WriteMode::read_only;
  model.has_smart = true;
  model.smart_enabled = subject.ata.smart_enabled;
  model.has_self_test = true;
  model.multiple_sectors_max = kMultipleSectorsMax;
  model.multiple_sectors = subject.ata.multiple_sectors;
  protocol::build_identify(sector, model);
}

bool AtaExecutor::start_offline(Instant now, Export& subject, std::uint8_t what) {
  switch (static_cast<protocol::SmartTestKind>(what)) {
    case protocol::SmartTestKind::short_test:
    case protocol::SmartTestKind::extended_test:
      if (!self_tests_.start(now, subject, static_cast<protocol::SmartTestKind>(what))) {
        return false;
      }
      start_self_test_reads(now);
      return true;
    case protocol::SmartTestKind::abort:
      self_tests_.abort(now, subject);
      return true;
  }
  // What collects data off-line has nothing to collect, and captive tests would hold the answer
  // back for longer than initiators wait.
  return false;
}

bool AtaExecutor::fill_smart(Instant now, Export& subject, AtaPlan& plan, ByteSpan sector) {
  const LifeCounters life = life_counters(subject, now);
  switch (static_cast<protocol::SmartFeature>(plan.smart_feature)) {
    case protocol::SmartFeature::return_status:
      if (subject.health == ExportHealth::failed) {
        plan.reply.lba[1] = protocol::kSmartFailingMid;
        plan.reply.lba[2] = protocol::kSmartFailingHigh;
      }
      return true;
    case protocol::SmartFeature::read_data: {
      protocol::SmartData data;
      data.power_on_hours = life.powered_on_seconds / 3600;
      data.power_cycles = life.starts;
      data.sectors_written = life.sectors_written;
      data.sectors_read = life.sectors_read;
      data.write_errors = life.write_errors;
      data.read_errors = life.read_errors;
      data.crc_errors = life.crc_errors;
      data.self_test_status = self_test_status(subject);
      data.offline_capability = protocol::kSmartOfflineImmediate | protocol::kSmartOfflineSelfTest;
      data.short_test_minutes = 1;
      data.extended_test_minutes = extended_test_minutes(subject.settings.sector_count);
      protocol::build_smart_data(sector, data);
      return true;
    }
    case protocol::SmartFeature::read_thresholds:
      protocol::build_smart_thresholds(sector);
      return true;
    case protocol::SmartFeature::read_log:
      return protocol::build_smart_log(sector, plan.reply.lba[0],
                                       {.error_count = life.read_errors + life.write_errors,
                                        .self_tests = subject.persistent.self_tests}) ==
             protocol::SmartLogResult::built;
    case protocol::SmartFeature::attribute_autosave:
    case protocol::SmartFeature::save_attributes:
    case protocol::SmartFeature::offline_immediate:
      return start_offline(now, subject, plan.reply.lba[0]);
    case protocol::SmartFeature::write_log:
    case protocol::SmartFeature::enable:
    case protocol::SmartFeature::disable:
      break;
  }
  return false;
}

void AtaExecutor::note_store_error(Instant now, Request& request, const StoreCompletion& done) {
  Export& subject = *request.subject;
  ++subject.stats.store_errors;
  const bool is_read =
      request.plan.action == AtaAction::read || request.plan.action == AtaAction::verify;
  if (is_read) {
    ++subject.persistent.life.read_errors;
  } else {
    ++subject.persistent.life.write_errors;
  }
  // What was accepted could not be made stable, and asking the kernel again would only make it say
  // that all is well: fsync reports a lost page once (reliability of fsync, Linux 4.13 and later).
  // Whatever error a flush ends with means the same.
  const bool is_flush = request.is_flushing || request.plan.action == AtaAction::flush ||
                        request.plan.action == AtaAction::write_cache_off;
  const bool is_refusal =
      done.status == StoreErrc::unsupported || done.status == StoreErrc::read_only;
  const bool is_lost = done.status == StoreErrc::sync_failed || (is_flush && !is_refusal);
  if (is_lost && subject.health != ExportHealth::failed) {
    subject.health = ExportHealth::failed;
    parts_.report(EventKind::export_failed, subject);
  }
  ++subject.burst_errors;
  if (subject.burst_begin != Instant{} && now < subject.burst_begin + parts_.limits.error_burst) {
    return;
  }
  TargetEvent event;
  event.kind = EventKind::store_error;
  event.export_id = subject.id;
  event.address = subject.settings.address;
  event.mac = request.source;
  event.store_error = done.status;
  event.lba = Lba{done.error_offset_bytes / kSectorBytes};
  event.value = subject.burst_errors;
  parts_.events.add(event);
  subject.burst_begin = now;
  subject.burst_errors = 0;
}

void AtaExecutor::handle_timeout(Instant now) {
  start_self_test_reads(now);
  scan_for_stalls(now);
  serve_waiting(now);
}

void AtaExecutor::scan_for_stalls(Instant now) {
  if (in_flight_ == 0) {
    next_scan_ = Instant{};
    return;
  }
  if (next_scan_ == Instant{} || now < next_scan_) {
    return;
  }
  // Nobody looked for longer: this process stood still (its machine was suspended, or moved), and
  // the store is not to blame.
  const Duration late = now - next_scan_;
  for (Request& request : requests_) {
    if (!request.in_use || !request.is_executing) {
      continue;
    }
    if (late >= kScanPeriod) {
      request.started = std::min(now, request.started + late);
    }
    if (now < request.started + parts_.limits.backend_deadline) {
      continue;
    }
    if (request.subject->health == ExportHealth::ok) {
      request.subject->health = ExportHealth::stalled;
      parts_.report(EventKind::backend_stalled, *request.subject);
    }
  }
  next_scan_ = now + kScanPeriod;
}

std::optional<Instant> AtaExecutor::poll_timeout() const {
  std::optional<Instant> next = self_tests_.next_time();
  if (const auto wake = service_.poll_timeout(); wake && (!next || *wake < *next)) {
    next = wake;
  }
  if (in_flight_ != 0 && next_scan_ != Instant{} && (!next || next_scan_ < *next)) {
    next = next_scan_;
  }
  return next;
}

void AtaExecutor::raise_barrier(ExportId export_id) {
  for (Request& request : requests_) {
    if (request.in_use && request.is_executing && request.subject->id == export_id &&
        changes_data(request.plan.action)) {
      request.is_barrier = true;
    }
  }
}

std::uint32_t AtaExecutor::writes_before_barrier(ExportId export_id) const {
  return static_cast<std::uint32_t>(
      std::count_if(requests_.begin(), requests_.end(), [export_id](const Request& request) {
        return request.in_use && request.is_barrier && request.subject->id == export_id;
      }));
}

}  // namespace aoe::target
