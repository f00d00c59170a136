#include "sim/swarm/run.h"

#include "base/check.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_session.h"

#include <algorithm>
#include <bit>

namespace aoe::sim {
namespace {

constexpr std::size_t kEthernetHeaderBytes = 14;
constexpr std::uint64_t kChunkSectorsMax = 16;  // of what one workload owns in a row
constexpr std::uint64_t kWays = 8;  // the target's table of initiators comes in sets of so many
// Of all runs seen, none came near.
constexpr std::uint64_t kEventsMin = 20'000'000;
constexpr std::uint64_t kEventsPerOperation = 1'000;
constexpr Duration kSlice = Duration::milliseconds(5);
// When the last fault is gone, everybody whose requests are open sees one complete within this.
constexpr Duration kProgressMax = Duration::seconds(10);
// The Linux driver first waits for its timer, which has no upper limit; that comes on top. A disk
// that it gave up waits for the next discovery, once a minute.
constexpr Duration kLinuxProgressMax = Duration::seconds(60);
constexpr Duration kLinuxReturnMax = Duration::seconds(90);
// Slow disks, and writes that rest behind fences, take their time; that much of it is watched.
constexpr Duration kCalmMax = Duration::seconds(1000);

Fabric::Options fabric_options(const Plan& plan) {
  const std::uint32_t ports =
      plan.initiators * plan.initiator_ports + plan.targets * plan.target_ports + 8;
  return {.world = {.seed = plan.seed,
                    .frames_max = 16'384,
                    .frame_bytes_max = plan.mtu_bytes + kEthernetHeaderBytes},
          .switches = plan.switches,
          .switch_ports = static_cast<std::uint16_t>(ports),
          .link = plan.good};
}

std::string serial_of(std::uint32_t disk) {
  return "disk " + std::to_string(disk);
}

bool speaks_extension(ProtocolMix mix, Prng& prng) {
  const bool tossed = prng.chance(1, 2);
  return mix == ProtocolMix::sealed || (mix != ProtocolMix::plain && tossed);
}

// Frames that carry a checksum of their own: what damages them is found by their receiver.
bool has_own_checksum(ConstByteSpan frame) {
  const auto header = protocol::parse_header(frame);
  if (!header) {
    return false;
  }
  if (header->command == protocol::kHelloCommand) {
    return protocol::parse_hello(frame).has_value();
  }
  if (header->command != static_cast<std::uint8_t>(protocol::Command::ata)) {
    return false;
  }
  const auto seal = protocol::parse_seal(frame);
  return seal && seal->has_crc;
}

}  // namespace

SwarmRun::SwarmRun(const Plan& plan)
    : plan_(plan),
      fabric_(fabric_options(plan_)),
      admin_(fabric_.world()),
      chaos_(fabric_, admin_, plan_, coverage_) {
  build();
}

// --- building ---

void SwarmRun::build() {
  if (plan_.shared_sectors) {
    judges_.share_sectors();
  }
  if (plan_.sabotage == Sabotage::holder_unknown) {
    judges_.hide_addresses();
  }
  fabric_.plug(admin_, stranger_mac(0), plan_.mtu_bytes);
  build_targets();
  build_initiators();
  build_strangers();
}

void SwarmRun::build_strangers() {
  if (plan_.faults.has(Fault::hostile)) {
    hostile_ = std::make_unique<HostileStation>(
        fabric_.world(), HostileStation::Options{.replays = plan_.protocol == ProtocolMix::sealed});
    fabric_.plug(*hostile_, stranger_mac(1), plan_.mtu_bytes);
    for (const auto& host : fabric_.targets()) {
      hostile_->add_victim(host->port_info(PortId{0}).mac);
      for (const TargetHost::Served& served : host->exports()) {
        hostile_->add_address(served.settings.address);
      }
    }
    for (const auto& host : fabric_.initiators()) {
      hostile_->add_victim(host->port_info(PortId{0}).mac);
    }
  }
  if (plan_.faults.has(Fault::rogue)) {
    const TargetHost::Served& victim = fabric_.targets().front()->exports().front();
    rogue_ = std::make_unique<RogueTarget>(
        fabric_.world(),
        RogueTarget::Options{.address = victim.settings.address, .sectors = plan_.disk_sectors});
    fabric_.plug(*rogue_, stranger_mac(2), plan_.mtu_bytes);
  }
}

// Everybody but strangers.
std::vector<MacAddress> SwarmRun::allowed() const {
  std::vector<MacAddress> list{stranger_mac(0)};  // the administrator's
  if (plan_.sabotage == Sabotage::strangers_let_in) {
    list.push_back(stranger_mac(1));
  }
  for (std::uint32_t i = 0; i < plan_.initiators; ++i) {
    for (std::uint32_t port = 0; port < plan_.initiator_ports; ++port) {
      list.push_back(initiator_mac(i, port));
    }
  }
  return list;
}

void SwarmRun::build_targets() {
  Prng prng = fabric_.world().fork(stream(StreamKind::swarm, 0));
  for (std::uint32_t i = 0; i < plan_.targets; ++i) {
    TargetHostOptions options;
    options.limits = plan_.target;
    options.buffers = plan_.target_buffers;
    options.frame_bytes = plan_.mtu_bytes + kEthernetHeaderBytes;
    options.drift_ppm = any_drift(prng);
    TargetHost& host = fabric_.add_target(options, plan_.target_ports, plan_.mtu_bytes);
    for (std::uint32_t place = 0; place < plan_.exports_per_target; ++place) {
      const auto disk_id = static_cast<std::uint32_t>(fabric_.disks().size());
      SimDisk& disk = fabric_.add_disk(plan_.disk);
      target::ExportSettings settings;
      settings.address = {Shelf{static_cast<std::uint16_t>(i)},
                          Slot{static_cast<std::uint8_t>(place)}};
      settings.buffer_count = plan_.advertised_buffers;
      settings.serial = serial_of(disk_id);
      settings.allow_policy = target::AllowPolicy::listed;
      settings.allow = allowed();
      settings.has_duplicate_memory =
          speaks_extension(plan_.protocol, prng) && plan_.sabotage != Sabotage::memory_off;
      settings.has_stale_write_guard = plan_.sabotage != Sabotage::linux_guard_off;
      settings.mode = prng.below(100) < plan_.write_back_percent ? target::WriteMode::write_back
                                                                 : target::WriteMode::write_through;
      fabric_.add_export(host, settings, disk_id, plan_.disk);
      judges_.watch(host, disk, disk_id);
    }
  }
}

std::vector<MacAddress> SwarmRun::macs_of(std::uint32_t target) {
  const TargetHost& host = *fabric_.targets()[target];
  std::vector<MacAddress> macs;
  for (std::size_t port = 0; port < host.port_count(); ++port) {
    macs.push_back(host.port_info(PortId{static_cast<std::uint8_t>(port)}).mac);
  }
  return macs;
}

void SwarmRun::build_initiators() {
  Prng prng = fabric_.world().fork(stream(StreamKind::swarm, 1));
  // Who uses which disk, so that each knows how many owners its sectors have.
  const auto disks = static_cast<std::uint32_t>(fabric_.disks().size());
  const std::uint32_t per_initiator = std::min(plan_.disks_per_initiator, disks);
  std::vector<std::uint32_t> users(disks);
  std::vector<std::vector<WorkloadDisk>> uses(plan_.initiators);
  for (std::uint32_t i = 0; i < plan_.initiators; ++i) {
    const auto first = static_cast<std::uint32_t>(prng.below(disks));
    for (std::uint32_t n = 0; n < per_initiator; ++n) {
      const std::uint32_t disk = (first + n) % disks;
      uses[i].push_back(
          {.address = {Shelf{static_cast<std::uint16_t>(disk / plan_.exports_per_target)},
                       Slot{static_cast<std::uint8_t>(disk % plan_.exports_per_target)}},
           .disk = disk,
           .sectors = plan_.disk_sectors,
           .owner = users[disk]++,
           // Whom else to believe where two say that they are the disk?
           .serial = plan_.faults.has(Fault::rogue) && plan_.sabotage != Sabotage::rogue_trusted
                         ? serial_of(disk)
                         : std::string(),
           .macs = plan_.pins_macs ? macs_of(disk / plan_.exports_per_target)
                                   : std::vector<MacAddress>{},
           .trim_is_sure = plan_.disk.discard_reads_zero});
    }
  }
  const std::uint64_t smallest_area =
      plan_.hot_sectors == 0 ? plan_.disk_sectors : std::min(plan_.hot_sectors, plan_.disk_sectors);
  for (std::uint32_t i = 0; i < plan_.initiators; ++i) {
    const bool is_linux =
        plan_.protocol == ProtocolMix::linux_hosts && (prng.chance(2, 3) || i == 0);
    linux_.push_back(nullptr);
    linux_rto_max_.emplace_back();
    BlockMachine& host = is_linux ? add_linux(prng) : add_initiator(prng);
    WorkloadMix mix = plan_.mix;
    initiator::DeviceSettings settings = plan_.device;
    if (is_linux) {
      mix = {.read = mix.read, .write = mix.write};
    } else if (prng.chance(1, 12)) {
      settings.access = initiator::DeviceSettings::Access::read_only;
      mix = {.read = mix.read, .write = 0, .flush = mix.flush};
    }
    for (WorkloadDisk& use : uses[i]) {
      if (is_linux) {
        linux_uses_.push_back(
            {.machine = i, .target = use.address.shelf.value, .address = use.address});
      }
      use.owners = plan_.shared_sectors ? 1 : users[use.disk];
      use.chunk_sectors =
          std::clamp<std::uint64_t>(smallest_area / use.owners, 1, kChunkSectorsMax);
    }
    workloads_.push_back(std::make_unique<Workload>(
        host, judges_,
        WorkloadOptions{.index = i,
                        .disks = std::move(uses[i]),
                        .device = std::move(settings),
                        .mix = mix,
                        .depth = plan_.depth,
                        .sectors_max = plan_.sectors_max,
                        .hot_sectors = plan_.hot_sectors,
                        .think_max = plan_.think_max,
                        .timeout = plan_.timeout,
                        .promise = plan_.exactly_once ? ExecutionChecker::Promise::exactly_once
                                                      : ExecutionChecker::Promise::at_least_once}));
    workloads_.back()->excuse = [this, i](const WorkloadDisk& disk,
                                          const initiator::IoCompletion& done) {
      return is_excused(i, disk, done);
    };
  }
}

std::int32_t SwarmRun::any_drift(Prng& prng) const {
  return static_cast<std::int32_t>(
             prng.below(static_cast<std::uint64_t>(plan_.drift_ppm_max) * 2 + 1)) -
         plan_.drift_ppm_max;
}

BlockMachine& SwarmRun::add_initiator(Prng& prng) {
  InitiatorHostOptions options;
  options.core = plan_.initiator;
  options.core.extension = speaks_extension(plan_.protocol, prng)
                               ? initiator::CoreOptions::Extension::on
                               : initiator::CoreOptions::Extension::off;
  options.buffers = plan_.initiator_buffers;
  options.frame_bytes = plan_.mtu_bytes + kEthernetHeaderBytes;
  options.drift_ppm = any_drift(prng);
  InitiatorHost& host = fabric_.add_initiator(options, plan_.initiator_ports, plan_.mtu_bytes);
  host.set_tap(&judges_);
  return host;
}

BlockMachine& SwarmRun::add_linux(Prng& prng) {
  constexpr std::array<std::uint32_t, 4> kHz = {100, 250, 300, 1000};
  LinuxMachineOptions options;
  constexpr std::array<std::uint32_t, 4> kMaxout = {64, 64, 16, 8};
  options.driver.dead_after = plan_.linux_dead_after;
  options.driver.maxout = kMaxout[prng.below(kMaxout.size())];
  options.driver.ticks_per_second = kHz[prng.below(kHz.size())];
  options.driver.first_ticks = static_cast<std::uint32_t>(prng.next());
  options.drift_ppm = any_drift(prng);
  LinuxMachine& host = fabric_.add_linux(options, plan_.initiator_ports, plan_.mtu_bytes);
  host.set_tap(&judges_);
  linux_[fabric_.machines().size() - 1] = &host;
  return host;
}

// Whether the driver may have given the disk up for what happened before there was peace.
bool SwarmRun::is_given_up(std::size_t machine) {
  const LinuxMachine* host = linux_[machine];
  return host != nullptr && host->driver().counters().disks_killed > 0 &&
         (!healed_ || fabric_.world().now() - healed_at_ <= linux_patience(machine));
}

bool SwarmRun::is_excused(std::size_t machine, const WorkloadDisk& disk,
                          const initiator::IoCompletion& done) {
  switch (done.status) {
    case initiator::IoStatus::timed_out:
      return plan_.faults.has(Fault::short_timeout);
    case initiator::IoStatus::no_path:
      return plan_.faults.has(Fault::fail_fast);
    case initiator::IoStatus::rejected:
      return plan_.faults.has(Fault::reserve) &&
             done.aoe_error == static_cast<std::uint8_t>(protocol::AoeError::target_reserved);
    case initiator::IoStatus::media_error:
      if (plan_.sabotage == Sabotage::error_unexplained) {
        return false;
      }
      [[fallthrough]];
    case initiator::IoStatus::device_fault:
      return fabric_.disks()[disk.disk]->counters().errors > 0 || is_given_up(machine);
    default:
      return false;
  }
}

// --- running ---

bool SwarmRun::is_done() const {
  return std::all_of(workloads_.begin(), workloads_.end(),
                     [](const auto& workload) { return workload->is_done(); });
}

std::uint64_t SwarmRun::in_flight() const {
  std::uint64_t count = 0;
  for (const auto& workload : workloads_) {
    count += workload->in_flight();
  }
  return count;
}

void SwarmRun::run_until_done(Duration at_most) {
  const Instant end = fabric_.world().now() + at_most;
  while (!is_done() && !has_failed() && fabric_.world().now() < end) {
    fabric_.run_for(kSlice);
    check_bounds();
    check_events();
    if (healed_) {
      check_progress();
    }
  }
}

RunResult SwarmRun::run() {
  for (const auto& host : fabric_.targets()) {
    host->start();
  }
  for (const auto& link : fabric_.links()) {
    link->to_far().set_survives_corruption(has_own_checksum);
    link->to_near().set_survives_corruption(has_own_checksum);
  }
  for (BlockMachine* machine : fabric_.machines()) {
    machine->start();
  }
  if (!linux_uses_.empty()) {
    teach_clocks();
  }
  chaos_.start();
  if (hostile_) {
    hostile_->start();
  }
  if (rogue_) {
    rogue_->start();
  }
  for (std::uint32_t i = 0; i < workloads_.size(); ++i) {
    const std::uint64_t share = plan_.operations / workloads_.size();
    workloads_[i]->start(i == 0 ? plan_.operations - share * (workloads_.size() - 1) : share);
  }
  run_until_done(plan_.safety_max);
  if (!has_failed()) {
    liveness();
  }
  if (rogue_ && rogue_->writes() != 0) {
    judges_.violations.add(
        Rule::wrong_answer, fabric_.world().now(),
        "the rogue target was given " + std::to_string(rogue_->writes()) + " writes");
  }
  if (!has_failed()) {
    look_at_every_sector();
    look_for_leaks();
  }
  count_coverage();
  RunResult result;
  for (const auto& workload : workloads_) {
    const WorkloadCounters& counters = workload->counters();
    result.operations += counters.ended() - std::min(counters.ended(), workload->asked());
  }
  result.trace = fabric_.world().trace().value();
  result.events = fabric_.world().events().handled();
  result.simulated = fabric_.world().now() - Instant{};
  result.violations = judges_.violations.count();
  result.report = judges_.violations.text();
  result.coverage = coverage_;
  return result;
}

// What was open when the faults ended must end before anything else begins; then the rest of the
// work is done.
void SwarmRun::liveness() {
  chaos_.heal();
  if (hostile_) {
    hostile_->stop();
  }
  if (rogue_) {
    rogue_->stop();
  }
  healed_ = true;
  healed_at_ = fabric_.world().now();
  sabotage();
  for (const auto& workload : workloads_) {
    workload->hold();
  }
  while (in_flight() > 0 && !has_failed()) {
    fabric_.run_for(kSlice);
    check_progress();
  }
  for (const auto& workload : workloads_) {
    workload->go_on();
  }
  run_until_done(kCalmMax);
  for (const auto& workload : workloads_) {
    workload->hold();
  }
  while (in_flight() > 0 && !has_failed()) {
    fabric_.run_for(kSlice);
    check_progress();
  }
}

// A run that goes round and round would never end.
void SwarmRun::check_events() {
  const std::uint64_t limit = kEventsMin + plan_.operations * kEventsPerOperation;
  if (fabric_.world().events().handled() > limit && !has_failed()) {
    judges_.violations.add(Rule::progress, fabric_.world().now(),
                           "more than " + std::to_string(limit) + " events");
  }
}

// What is planted when peace begins.
void SwarmRun::sabotage() {
  switch (plan_.sabotage) {
    case Sabotage::network_stays_cut:
      for (const auto& link : fabric_.links()) {
        link->to_far().set_cut(true);
      }
      break;
    case Sabotage::buffer_kept:
      kept_ = fabric_.world().copy_frame(std::vector<std::byte>(60));
      break;
    case Sabotage::completion_twice:
      workloads_.front()->on_completion({.cookie = 0xFFFFFFFF});
      break;
    case Sabotage::error_unexplained:
      for (const auto& disk : fabric_.disks()) {
        disk->fail_next(StoreOpKind::read, StoreErrc::io);
      }
      break;
    case Sabotage::table_outgrown:
      plan_.initiator.limits.targets_max = 0;
      break;
    case Sabotage::crash:
      AOE_CHECK(plan_.seed % 2 == 0, "a planted crash");
      break;
    default:
      break;
  }
}

Duration SwarmRun::linux_patience(std::size_t machine) {
  for (const LinuxUse& use : linux_uses_) {
    if (use.machine == machine) {
      Duration& longest = linux_rto_max_[machine];
      longest = std::max(longest, linux_[machine]->driver().rto(use.address));
    }
  }
  return kLinuxProgressMax + linux_rto_max_[machine];
}

Duration SwarmRun::progress_max(std::size_t machine) {
  if (linux_[machine] == nullptr) {
    return kProgressMax;
  }
  // What is asked for while a disk is down waits until it is found again.
  const bool is_asked = workloads_[machine]->in_flight() != 0;
  return is_asked ? linux_patience(machine) : kLinuxReturnMax;
}

void SwarmRun::check_progress() {
  progress_.resize(workloads_.size());
  const Instant now = fabric_.world().now();
  for (std::size_t i = 0; i < workloads_.size(); ++i) {
    Workload& workload = *workloads_[i];
    const std::uint64_t ended = workload.counters().ended();
    const bool has_work = workload.in_flight() != 0 || workload.wants_more();
    if (!has_work || progress_[i].ended != ended || progress_[i].since == Instant{}) {
      progress_[i] = {.ended = ended, .since = now};
    } else if (now - progress_[i].since > progress_max(i)) {
      judges_.violations.add(Rule::progress, now,
                             "nothing completes in peace any more: machine " + std::to_string(i) +
                                 ": " + workload.describe_open() + "\n" +
                                 workload.describe_paths());
      progress_[i].since = now;
    }
    if (const std::optional<Instant> down =
            linux_[i] != nullptr ? linux_[i]->down_since() : std::nullopt;
        down && now - std::max(*down, healed_at_) > kLinuxReturnMax && !has_failed()) {
      judges_.violations.add(Rule::progress, now,
                             "a disk that was given up is not found again in peace: machine " +
                                 std::to_string(i) + "\n" + workload.describe_paths());
    }
  }
}

void SwarmRun::look_at_every_sector() {
  for (std::uint32_t id = 0; id < fabric_.disks().size(); ++id) {
    const SimDisk& disk = *fabric_.disks()[id];
    for (std::uint64_t lba = 0; lba < disk.sectors(); ++lba) {
      const SectorPlace place{.disk = id, .lba = lba};
      const std::optional<SectorValue> value = read_sector(disk.sector(lba), place);
      if (!value) {
        judges_.violations.add(Rule::wrong_answer, fabric_.world().now(),
                               "disk " + std::to_string(id) + " sector " + std::to_string(lba) +
                                   " " + describe_bad_sector(disk.sector(lba), place));
        continue;
      }
      const auto ticket = judges_.history.begin_read({.disk = id, .lba = lba, .sectors = 1});
      if (auto problem = judges_.history.end_read(ticket, {*value})) {
        judges_.violations.add(Rule::linearizable, fabric_.world().now(),
                               "in the end, " + *problem);
      }
    }
  }
}

// What is idle holds no buffer. Discovery goes on, so it is looked at until a quiet moment comes.
void SwarmRun::look_for_leaks() {
  const auto buffers_out = [this] {
    std::uint64_t out = fabric_.world().frames_out();
    for (const auto& host : fabric_.initiators()) {
      out += host->buffers_out();
    }
    for (const auto& host : fabric_.targets()) {
      out += host->buffers_out();
    }
    return out;
  };
  for (int look = 0; look < 1000 && buffers_out() != 0; ++look) {
    fabric_.run_for(Duration::milliseconds(7));
  }
  if (buffers_out() != 0) {
    judges_.violations.add(Rule::buffers, fabric_.world().now(),
                           std::to_string(buffers_out()) + " buffers do not come back");
  }
}

void SwarmRun::check_bounds() {
  const auto exceeds = [this](const char* what, std::uint64_t value, std::uint64_t limit) {
    if (value > limit) {
      judges_.violations.add(
          Rule::bounds, fabric_.world().now(),
          std::string(what) + ": " + std::to_string(value) + " of " + std::to_string(limit));
    }
  };
  for (const auto& host : fabric_.targets()) {
    if (const target::TargetCore* core = host->core()) {
      const target::TargetUse use = core->table_use();
      const target::TargetLimits& limits = plan_.target;
      exceeds("target: requests", use.requests, limits.requests_max);
      exceeds("target: initiators", use.initiators,
              std::bit_ceil(std::max<std::uint64_t>(limits.initiators_max, kWays)));
      exceeds("target: changes", use.changes, limits.changes_max);
      exceeds("target: discoveries", use.discoveries, limits.discoveries_max);
      exceeds("target: sessions", use.sessions, limits.sessions_max);
      exceeds("target: exports", use.exports, limits.exports_max);
      exceeds("target: write stamps", use.write_stamps, limits.write_stamps_max);
    }
  }
  for (const auto& host : fabric_.initiators()) {
    if (host->is_up()) {
      const initiator::CoreUse use = host->core().table_use();
      const initiator::CoreLimits& limits = plan_.initiator.limits;
      exceeds("initiator: devices", use.devices, limits.devices_max);
      exceeds("initiator: paths of a device", use.paths, limits.paths_max);
      exceeds("initiator: requests", use.requests, limits.requests_max);
      // Cutting one exchange in two may go beyond the limit by this (IoEngine::replace).
      exceeds("initiator: frames", use.frames,
              limits.frames_max + std::uint64_t{2} * limits.devices_max);
      exceeds("initiator: commands", use.commands, limits.commands_max);
      exceeds("initiator: remembered targets", use.targets, limits.targets_max);
      exceeds("initiator: events", use.events, limits.events_max);
      exceeds("initiator: fences", use.fences, limits.fences_max);
      exceeds("initiator: queries", use.queries, limits.queries_max);
    }
  }
}

}  // namespace aoe::sim
