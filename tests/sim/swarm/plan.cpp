#include "sim/swarm/plan.h"

#include "base/prng.h"

#include <algorithm>

namespace aoe::sim {
namespace {

// What each part of a plan draws from. A part draws the same whatever the others do.
enum class Aspect : std::uint8_t {
  faults,
  protocol,
  topology,
  network,
  machines,
  disks,
  work,
  periods
};

Prng source(std::uint64_t seed, Aspect aspect) {
  Prng mixer(seed);
  return Prng(mixer.next() ^ (static_cast<std::uint64_t>(aspect) + 1) * 0xD6E8FEB86659FD93ULL);
}

constexpr std::uint32_t kFewPpm = 10'000;
constexpr std::uint32_t kLinuxTailPpm = 2'000;
constexpr Duration kLinuxTailDelay = Duration::milliseconds(500);
constexpr std::int32_t kCrystalPpm = 100;  // what clocks of real machines drift at most

template <class T, std::size_t N>
T pick(Prng& prng, const std::array<T, N>& choices) {
  return choices[prng.below(N)];
}

// Between `low` and `high`, each power of two as likely as another.
std::uint64_t pick_log(Prng& prng, std::uint64_t low, std::uint64_t high) {
  unsigned doublings = 0;
  while (low << (doublings + 1) <= high) {
    ++doublings;
  }
  const std::uint64_t base = low << prng.below(doublings + 1);
  return std::min(high, base + prng.below(base));
}

Duration pick_time(Prng& prng, Duration low, Duration high) {
  return Duration{static_cast<std::int64_t>(
      pick_log(prng, static_cast<std::uint64_t>(low.ns), static_cast<std::uint64_t>(high.ns)))};
}

FaultSet draw_faults(std::uint64_t seed) {
  Prng prng = source(seed, Aspect::faults);
  FaultSet faults;
  // How dangerous the world is: one seed in eight has no fault at all, others nearly all.
  const std::uint64_t percent =
      pick(prng, std::array<std::uint64_t, 8>{0, 8, 15, 15, 25, 25, 40, 70});
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (prng.below(100) < percent) {
      faults.add(static_cast<Fault>(i));
    }
  }
  return faults;
}

// Where nothing keeps late copies of a Linux host away, there is no promise to check.
void keep_linux_guarded(FaultSet& faults) {
  // The driver believes whoever says that he is the disk.
  faults.remove(Fault::hostile);
  faults.remove(Fault::rogue);
  // It hears of a smaller MTU by the next advertisement only, and a read that the target refuses
  // meanwhile is an error of the disk to it.
  faults.remove(Fault::mtu);
  // A target that begins anew learns the clocks of its hosts anew, for a second at least.
  faults.remove(Fault::target_kill);
  faults.remove(Fault::power_cut);
  // Frames that wait in the receive ring grow older than frames may grow in the network.
  if (faults.has(Fault::tail) || faults.has(Fault::clog)) {
    faults.remove(Fault::target_pause);
  }
}

void draw_protocol(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::protocol);
  plan.protocol = pick(
      prng, std::array<ProtocolMix, 7>{ProtocolMix::sealed, ProtocolMix::sealed,
                                       ProtocolMix::sealed, ProtocolMix::sealed, ProtocolMix::plain,
                                       ProtocolMix::mixed, ProtocolMix::linux_hosts});
  if (plan.sabotage == Sabotage::linux_guard_off) {
    plan.protocol = ProtocolMix::linux_hosts;
  }
  const bool is_sealed = plan.protocol == ProtocolMix::sealed;
  plan.exactly_once = is_sealed && !plan.faults.has(Fault::small_target);
  plan.shared_sectors = prng.chance(1, 2) && plan.exactly_once;
  if (!is_sealed) {
    // Plain AoE has no answer to a copy that the network makes: it cannot be told from a request.
    // And nothing but the frame check sequence guards it.
    plan.faults.remove(Fault::duplicate);
    plan.faults.remove(Fault::corrupt);
  }
  if (plan.protocol == ProtocolMix::linux_hosts) {
    keep_linux_guarded(plan.faults);
  }
}

void draw_topology(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::topology);
  const std::uint64_t size = prng.below(100);
  const std::uint64_t most = size < 70 ? 4 : size < 92 ? 12 : 64;
  plan.initiators = static_cast<std::uint32_t>(pick_log(prng, 1, most));
  plan.targets = static_cast<std::uint32_t>(pick_log(prng, 1, most));
  plan.exports_per_target = static_cast<std::uint32_t>(1 + prng.below(plan.targets > 8 ? 1 : 3));
  plan.switches = static_cast<std::uint32_t>(1 + prng.below(2));
  const std::uint64_t ports = plan.initiators + plan.targets > 32 ? 1 : 4;
  plan.initiator_ports = static_cast<std::uint32_t>(
      pick_log(prng, plan.switches, std::max<std::uint64_t>(ports, plan.switches)));
  plan.target_ports = static_cast<std::uint32_t>(
      pick_log(prng, plan.switches, std::max<std::uint64_t>(ports, plan.switches)));
  plan.mtu_bytes = pick(prng, std::array<std::size_t, 4>{1500, 1500, 4200, 9000});
  plan.disk_sectors = pick_log(prng, 256, plan.targets > 8 ? 512 : 4096);
  plan.disks_per_initiator = static_cast<std::uint32_t>(1 + prng.below(4));
}

void draw_network(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::network);
  plan.good.bits_per_second = pick(
      prng,
      std::array<std::uint64_t, 4>{100'000'000, 1'000'000'000, 10'000'000'000, 40'000'000'000});
  plan.good.delay = pick_time(prng, Duration::microseconds(1), Duration::microseconds(200));
  plan.good.queue_bytes = pick_log(prng, 256UL * 1024, 2048UL * 1024);
  plan.bad_links_percent = pick(prng, std::array<std::uint32_t, 3>{100, 50, 15});
  LinkQuality& bad = plan.bad;
  bad = plan.good;
  const auto ppm = [&prng](std::uint64_t low, std::uint64_t high) {
    return static_cast<std::uint32_t>(pick_log(prng, low, high));
  };
  // Every value is drawn, whether its fault exists or not: taking one away leaves the others.
  const std::uint32_t loss = ppm(50, 200'000);
  const std::uint32_t burst = ppm(20, 5'000);
  const std::uint32_t burst_frames = ppm(2, 64);
  const std::uint32_t duplicate = ppm(50, 200'000);
  const std::uint32_t reorder = ppm(50, 200'000);
  const std::uint32_t tail = ppm(20, 20'000);
  const std::uint32_t corrupt = ppm(20, 50'000);
  // Where the network copies or damages frames, a target that does not answer hello must not be
  // taken for a plain one: few losses, so that several hellos in a row are not lost.
  const bool is_guarded =
      plan.faults.has(Fault::duplicate) || plan.faults.has(Fault::corrupt) || plan.shared_sectors;
  const auto few = [is_guarded](std::uint32_t value) {
    return is_guarded ? std::min(value, kFewPpm) : value;
  };
  const Duration reorder_delay =
      pick_time(prng, Duration::microseconds(5), Duration::milliseconds(5));
  const Duration tail_delay = pick_time(prng, Duration::milliseconds(10), Duration::seconds(1));
  const Duration jitter = pick_time(prng, Duration::microseconds(10), Duration::milliseconds(20));
  const std::size_t queue = pick_log(prng, 4UL * 1024, 64UL * 1024);
  const auto when = [&plan](Fault fault, auto value) {
    return plan.faults.has(fault) ? value : decltype(value){};
  };
  bad.loss_ppm = when(Fault::loss, few(loss));
  bad.burst_ppm = when(Fault::burst, std::min(burst, few(burst)));
  bad.burst_frames = is_guarded ? 2 : burst_frames;
  bad.duplicate_ppm = when(Fault::duplicate, duplicate);
  bad.duplicate_delay = reorder_delay;
  bad.reorder_ppm = when(Fault::reorder, reorder);
  bad.reorder_delay = reorder_delay;
  bad.tail_ppm = when(Fault::tail, few(tail));
  bad.tail_delay = tail_delay;
  if (plan.protocol == ProtocolMix::linux_hosts) {
    // A copy that is late by less than the driver's timer is not one: its request was not repeated.
    bad.tail_ppm = when(Fault::tail, std::max(tail, kLinuxTailPpm));
    bad.tail_delay = std::max(tail_delay, kLinuxTailDelay);
  }
  bad.corrupt_ppm = when(Fault::corrupt, few(corrupt));
  bad.jitter = when(Fault::jitter, jitter);
  if (plan.faults.has(Fault::small_queues)) {
    bad.queue_bytes = std::max(queue, plan.mtu_bytes * 2);
  }
  plan.black_hole_mtu_bytes = 1500;
}

void draw_machines(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::machines);
  initiator::CoreOptions& core = plan.initiator;
  const bool narrow = plan.faults.has(Fault::small_initiator);
  const auto size = [&prng, narrow](std::uint64_t small, std::uint64_t large) {
    const std::uint64_t few = pick_log(prng, small, std::max(small, large / 8));
    return static_cast<std::uint32_t>(narrow ? few : large);
  };
  core.limits.ports_max = 4;
  core.limits.devices_max = 4;
  core.limits.paths_max = size(1, 16);
  core.limits.requests_max = size(2, 64);
  core.limits.frames_max = size(1, 256);
  core.limits.commands_max = 4;
  core.limits.targets_max = size(1, 256);
  core.limits.events_max = size(1, 128);
  core.limits.fences_max = size(1, 128);
  core.limits.queries_max = size(1, 16);
  plan.initiator_buffers = size(2, 128);
  // Two hops, each with a tail, a reordering and a clog, fit twice into what is allowed.
  core.frame_life_max = Duration::seconds(4);
  core.rtt.min =
      pick(prng, std::array<Duration, 3>{Duration::milliseconds(50), Duration::milliseconds(10),
                                         Duration::milliseconds(2)});
  core.rtt.initial = Duration::milliseconds(200);
  const auto tag_bits = static_cast<std::uint32_t>(2 + prng.below(8));
  core.tag_generation_bits = narrow ? tag_bits : 0;
  plan.drift_ppm_max =
      plan.faults.has(Fault::clock_drift) ? static_cast<std::int32_t>(pick_log(prng, 10, 5000)) : 0;

  target::TargetLimits& target = plan.target;
  const bool small = plan.faults.has(Fault::small_target);
  const std::uint64_t requests = pick_log(prng, 4, 64);
  // Room for two requests of everybody: where there is less, some are refused for ever by chance.
  target.requests_max = static_cast<std::uint16_t>(
      small ? std::max<std::uint64_t>(requests, std::uint64_t{2} * plan.initiators) : 256);
  const std::uint64_t initiators = pick_log(prng, 8, 32);
  target.initiators_max = static_cast<std::uint16_t>(small ? initiators : 256);
  target.changes_max = static_cast<std::uint16_t>(small ? 1 : 16);
  target.discoveries_max = static_cast<std::uint16_t>(small ? 1 : 16);
  target.exports_max = 8;
  target.ports_max = 4;
  const std::uint64_t sessions = pick_log(prng, 1, 16);
  const std::uint64_t window = 1ULL << (1 + prng.below(6));
  // Who finds no room for a session goes on without, and has no answer to what the network copies.
  const bool is_guarded = plan.faults.has(Fault::duplicate) || plan.faults.has(Fault::corrupt);
  target.sessions_max = static_cast<std::uint16_t>(small && !is_guarded ? sessions : 512);
  target.sequence_window = static_cast<std::uint32_t>(small ? window : 256);
  target.frame_life = Duration::seconds(1);
  const std::uint64_t stamps = pick_log(prng, 64, 512);
  if (plan.protocol == ProtocolMix::linux_hosts) {
    // Here the target is the one who must outwait late copies. An address that it forgets is one
    // whose clock it does not know.
    target.frame_life = core.frame_life_max;
    target.initiators_max = 256;
    target.write_stamps_max = static_cast<std::uint32_t>(small ? stamps : 65'536);
    plan.drift_ppm_max = std::min(plan.drift_ppm_max, kCrystalPpm);
  }
  target.probe_again = Duration::seconds(2);  // a rogue is gone when there is peace
  const std::uint64_t light = pick_log(prng, 20, 2000);
  if (small && !is_guarded) {
    target.light_replies_per_second = static_cast<std::uint32_t>(light);
    target.light_replies_burst = static_cast<std::uint32_t>(8 + light / 4);
  }
  target.backend_deadline = pick_time(prng, Duration::milliseconds(200), Duration::seconds(30));
  plan.target_buffers = target.requests_max * 2U + (small ? 16U : 256U);
  // Likewise for each export, which takes four times as much as it says: what was dropped of a
  // flush or a trim comes again after seconds only, and meanwhile others take the places that were
  // free. The Linux driver has a frame under way to each port of a target, whatever it is told.
  const std::uint32_t at_once = plan.protocol == ProtocolMix::linux_hosts ? plan.target_ports : 2;
  plan.advertised_buffers = static_cast<std::uint16_t>(
      std::max<std::uint64_t>(pick_log(prng, 2, 64), plan.initiators * std::max(at_once, 2U) / 4));
  plan.write_back_percent = pick(prng, std::array<std::uint32_t, 3>{0, 50, 100});
  const Duration dead_after = Duration::seconds(static_cast<std::int64_t>(5 + prng.below(20)));
  const bool is_impatient = prng.chance(2, 3);
  if (plan.protocol == ProtocolMix::linux_hosts) {
    plan.write_back_percent = 0;  // the driver never flushes
    // What a narrow target makes wait does so in peace as well.
    plan.linux_dead_after = is_impatient && !small ? dead_after : plan.linux_dead_after;
  }
}

void draw_disks(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::disks);
  plan.disk.sectors = plan.disk_sectors;
  plan.disk.ops_max = plan.target.requests_max;
  DiskSpeed& speed = plan.disk.speed;
  speed.parallel = static_cast<std::uint32_t>(pick_log(prng, 1, 32));
  speed.write_spread = pick_time(prng, Duration::microseconds(10), Duration::milliseconds(2));
  speed.read_spread = pick_time(prng, Duration::microseconds(10), Duration::milliseconds(2));
  speed.flush = pick_time(prng, Duration::microseconds(100), Duration::milliseconds(50));
  const auto tail_ppm = static_cast<std::uint32_t>(pick_log(prng, 100, 20'000));
  speed.tail = pick_time(prng, Duration::milliseconds(5), Duration::milliseconds(800));
  if (plan.faults.has(Fault::disk_tail)) {
    speed.tail_ppm = tail_ppm;
  }
  if (plan.faults.has(Fault::spinning)) {
    speed.kind = DiskSpeed::Kind::spinning;
    speed.parallel = 1;
  }
  plan.disk.discard_reads_zero = prng.chance(2, 3);
  plan.disk.torn_percent = static_cast<std::uint32_t>(20 + prng.below(61));
  const auto error = [&prng] { return static_cast<std::uint32_t>(pick_log(prng, 20, 5000)); };
  const std::uint32_t read = error();
  const std::uint32_t write = error();
  const std::uint32_t flush = error() * 4;
  plan.disk.lies = plan.sabotage == Sabotage::disk_lies;
  plan.disk.misdirected_ppm = plan.sabotage == Sabotage::disk_misdirects ? 10'000 : 0;
  plan.read_error_ppm = plan.faults.has(Fault::read_error) ? read : 0;
  plan.write_error_ppm = plan.faults.has(Fault::write_error) ? write : 0;
  plan.flush_error_ppm = plan.faults.has(Fault::flush_error) ? flush : 0;
}

// Leaves each initiator what its disks get done well within the time in which there has to be
// progress. Overload has scenarios of its own.
void keep_servable(Plan& plan) {
  constexpr std::uint32_t kSpinningFrames = 250;  // in about 2.5 s
  // As the seed has it, also where that fault is left out.
  if (!draw_faults(plan.seed).has(Fault::spinning)) {
    return;
  }
  const std::uint32_t disks = plan.targets * plan.exports_per_target;
  const std::uint32_t users =
      plan.initiators * std::min(plan.disks_per_initiator, disks) / disks + 1;
  const std::uint32_t frames = std::max(kSpinningFrames / users, 1U);
  plan.sectors_max = std::min(plan.sectors_max, frames * 2);  // with the shortest MTU
  plan.depth = std::min(plan.depth, std::max(frames * 2 / plan.sectors_max, 1U));
}

void draw_work(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::work);
  plan.mix.read = static_cast<std::uint32_t>(10 + prng.below(90));
  plan.mix.write = static_cast<std::uint32_t>(10 + prng.below(90));
  // With a cache, what is not flushed now and then is never safe, and never forgotten here.
  plan.mix.flush = static_cast<std::uint32_t>(1 + prng.below(8));
  if (plan.write_back_percent == 0 && prng.chance(1, 2)) {
    plan.mix.flush = 0;
  }
  plan.mix.trim = prng.chance(1, 3) ? static_cast<std::uint32_t>(prng.below(20)) : 0;
  plan.mix.write_zeroes = prng.chance(1, 3) ? static_cast<std::uint32_t>(prng.below(20)) : 0;
  plan.mix.durable_percent = prng.chance(1, 3) ? static_cast<std::uint32_t>(prng.below(60)) : 0;
  plan.depth = static_cast<std::uint32_t>(pick_log(prng, 1, 64));
  plan.sectors_max = static_cast<std::uint32_t>(pick_log(prng, 1, 32));
  keep_servable(plan);
  plan.hot_sectors = prng.chance(1, 2) ? pick_log(prng, 16, 256) : 0;
  if (plan.protocol == ProtocolMix::linux_hosts && plan.hot_sectors == 0) {
    plan.hot_sectors = prng.chance(1, 2) ? pick_log(prng, 16, 256) : 0;
  }
  plan.think_max = prng.chance(1, 4)
                       ? pick_time(prng, Duration::microseconds(10), Duration::milliseconds(10))
                       : Duration{};
  const Duration timeout = pick_time(prng, Duration::milliseconds(300), Duration::seconds(10));
  if (plan.faults.has(Fault::short_timeout)) {
    plan.timeout = timeout;
  }
  using initiator::PathPolicy;
  plan.device.policy =
      pick(prng, std::array<PathPolicy, 4>{PathPolicy::fastest, PathPolicy::fastest,
                                           PathPolicy::round_robin, PathPolicy::active_passive});
  plan.device.window_max =
      prng.chance(1, 6) ? static_cast<std::uint32_t>(pick_log(prng, 1, 16)) : 0;
  plan.device.payload_sectors_max =
      prng.chance(1, 6) ? static_cast<std::uint32_t>(pick_log(prng, 1, 16)) : 0;
  plan.pins_macs = prng.chance(1, 6);
  const Duration fast = pick_time(prng, Duration::milliseconds(50), Duration::seconds(2));
  const bool at_once = prng.chance(1, 2);
  if (plan.faults.has(Fault::fail_fast)) {
    plan.device.loss.on_path_loss =
        at_once ? initiator::OnPathLoss::fail : initiator::OnPathLoss::queue;
    plan.device.loss.fast_io_fail = fast;
  }
}

void draw_periods(Plan& plan) {
  Prng prng = source(plan.seed, Aspect::periods);
  for (Duration& period : plan.period) {
    period = pick_time(prng, Duration::milliseconds(20), Duration::seconds(3));
  }
}

std::string time_text(Duration duration) {
  return std::to_string(duration.ns / 1000) + " us";
}

}  // namespace

const char* protocol_mix_name(ProtocolMix mix) {
  switch (mix) {
    case ProtocolMix::sealed:
      return "sealed";
    case ProtocolMix::plain:
      return "plain";
    case ProtocolMix::mixed:
      return "mixed";
    case ProtocolMix::linux_hosts:
      return "linux";
  }
  return "?";
}

const char* sabotage_name(Sabotage sabotage) {
  constexpr std::array<const char*, kSabotageCount> kNames = {"none",
                                                              "disk-lies",
                                                              "disk-misdirects",
                                                              "network-stays-cut",
                                                              "buffer-kept",
                                                              "completion-twice",
                                                              "error-unexplained",
                                                              "memory-off",
                                                              "table-outgrown",
                                                              "strangers-let-in",
                                                              "rogue-trusted",
                                                              "linux-guard-off",
                                                              "holder-unknown",
                                                              "crash"};
  return kNames[static_cast<std::size_t>(sabotage)];
}

std::string PlanOverrides::text() const {
  std::string text = "--ops " + std::to_string(operations);
  if (!without.empty()) {
    text += " --without " + without.text();
  }
  if (initiators_max) {
    text += " --initiators " + std::to_string(*initiators_max);
  }
  if (targets_max) {
    text += " --targets " + std::to_string(*targets_max);
  }
  if (sabotage != Sabotage::none) {
    text += std::string(" --sabotage ") + sabotage_name(sabotage);
  }
  return text;
}

Plan make_plan(std::uint64_t seed, const PlanOverrides& overrides) {
  Plan plan;
  plan.seed = seed;
  plan.operations = overrides.operations;
  plan.sabotage = overrides.sabotage;
  plan.faults = draw_faults(seed);
  // What is planted needs an occasion to show.
  if (plan.sabotage == Sabotage::disk_lies) {
    plan.faults.add(Fault::power_cut);
  } else if (plan.sabotage == Sabotage::memory_off) {
    plan.faults.add(Fault::duplicate);
  } else if (plan.sabotage == Sabotage::strangers_let_in) {
    plan.faults.add(Fault::hostile);
  } else if (plan.sabotage == Sabotage::rogue_trusted) {
    plan.faults.add(Fault::rogue);
  } else if (plan.sabotage == Sabotage::linux_guard_off) {
    plan.faults.add(Fault::tail);
    plan.faults.add(Fault::loss);
  } else if (plan.sabotage == Sabotage::holder_unknown) {
    plan.faults.add(Fault::reserve);
  }
  plan.faults.remove(overrides.without);
  draw_protocol(plan);
  draw_topology(plan);
  draw_network(plan);
  draw_machines(plan);
  draw_disks(plan);
  draw_work(plan);
  draw_periods(plan);
  // At last, so that nothing else depends on it.
  plan.initiators = std::min(plan.initiators, overrides.initiators_max.value_or(plan.initiators));
  plan.targets = std::min(plan.targets, overrides.targets_max.value_or(plan.targets));
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    text += "  " + std::string(name) + ": " + value + "\n";
  };
  const auto number = [&line](const char* name, std::uint64_t value) {
    line(name, std::to_string(value));
  };
  number("operations", plan.operations);
  line("faults", plan.faults.empty() ? "none" : plan.faults.text());
  line("protocol", protocol_mix_name(plan.protocol));
  line("sectors are shared", plan.shared_sectors ? "yes" : "no");
  line("writes are executed exactly once", plan.exactly_once ? "yes" : "no");
  number("initiators", plan.initiators);
  number("initiator ports", plan.initiator_ports);
  number("disks per initiator", plan.disks_per_initiator);
  number("targets", plan.targets);
  number("target ports", plan.target_ports);
  number("exports per target", plan.exports_per_target);
  number("switches", plan.switches);
  number("mtu bytes", plan.mtu_bytes);
  number("disk sectors", plan.disk_sectors);
  number("write-back percent", plan.write_back_percent);
  number("link Mbit/s", plan.good.bits_per_second / 1'000'000);
  line("link delay", time_text(plan.good.delay));
  number("link queue bytes", plan.good.queue_bytes);
  number("bad links percent", plan.bad_links_percent);
  number("bad: queue bytes", plan.bad.queue_bytes);
  number("bad: loss ppm", plan.bad.loss_ppm);
  number("bad: burst ppm", plan.bad.burst_ppm);
  number("bad: burst frames", plan.bad.burst_frames);
  number("bad: duplicate ppm", plan.bad.duplicate_ppm);
  number("bad: reorder ppm", plan.bad.reorder_ppm);
  line("bad: reorder delay", time_text(plan.bad.reorder_delay));
  number("bad: tail ppm", plan.bad.tail_ppm);
  line("bad: tail delay", time_text(plan.bad.tail_delay));
  number("bad: corrupt ppm", plan.bad.corrupt_ppm);
  line("bad: jitter", time_text(plan.bad.jitter));
  number("initiator: paths max", plan.initiator.limits.paths_max);
  number("initiator: requests max", plan.initiator.limits.requests_max);
  number("initiator: frames max", plan.initiator.limits.frames_max);
  number("initiator: fences max", plan.initiator.limits.fences_max);
  number("initiator: tag generation bits", plan.initiator.tag_generation_bits);
  number("initiator: events max", plan.initiator.limits.events_max);
  number("initiator: buffers", plan.initiator_buffers);
  line("initiator: frame life", time_text(plan.initiator.frame_life_max));
  line("initiator: rto min", time_text(plan.initiator.rtt.min));
  number("target: requests max", plan.target.requests_max);
  number("target: initiators max", plan.target.initiators_max);
  number("target: sessions max", plan.target.sessions_max);
  number("target: write stamps max", plan.target.write_stamps_max);
  number("target: sequence window", plan.target.sequence_window);
  line("target: frame life", time_text(plan.target.frame_life));
  number("target: changes max", plan.target.changes_max);
  number("target: light replies per second", plan.target.light_replies_per_second);
  line("target: backend deadline", time_text(plan.target.backend_deadline));
  number("target: buffers", plan.target_buffers);
  number("target: advertised buffers", plan.advertised_buffers);
  line("linux: dead after", time_text(plan.linux_dead_after));
  line("clock drift ppm max", std::to_string(plan.drift_ppm_max));
  line("disk", plan.disk.speed.kind == DiskSpeed::Kind::spinning ? "spinning" : "flash");
  number("disk: parallel", plan.disk.speed.parallel);
  line("disk: read spread", time_text(plan.disk.speed.read_spread));
  line("disk: write spread", time_text(plan.disk.speed.write_spread));
  line("disk: flush", time_text(plan.disk.speed.flush));
  number("disk: tail ppm", plan.disk.speed.tail_ppm);
  line("disk: tail", time_text(plan.disk.speed.tail));
  line("disk: trim reads zero", plan.disk.discard_reads_zero ? "yes" : "no");
  number("disk: torn percent", plan.disk.torn_percent);
  number("disk: read error ppm", plan.read_error_ppm);
  number("disk: write error ppm", plan.write_error_ppm);
  number("disk: flush error ppm", plan.flush_error_ppm);
  line("mix (read write flush trim zeroes)",
       std::to_string(plan.mix.read) + " " + std::to_string(plan.mix.write) + " " +
           std::to_string(plan.mix.flush) + " " + std::to_string(plan.mix.trim) + " " +
           std::to_string(plan.mix.write_zeroes));
  number("durable percent", plan.mix.durable_percent);
  number("depth", plan.depth);
  number("sectors max", plan.sectors_max);
  number("hot sectors", plan.hot_sectors);
  line("think max", time_text(plan.think_max));
  line("path policy", plan.device.policy == initiator::PathPolicy::fastest ? "fastest"
                      : plan.device.policy == initiator::PathPolicy::round_robin
                          ? "round-robin"
                          : "active-passive");
  number("window max", plan.device.window_max);
  number("payload sectors max", plan.device.payload_sectors_max);
  line("targets are known by their addresses", plan.pins_macs ? "yes" : "no");
  line("fast io fail", time_text(plan.device.loss.fast_io_fail));
  line("timeout", plan.timeout == Duration{} ? "the device's" : time_text(plan.timeout));
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (plan.faults.has(static_cast<Fault>(i)) && i >= static_cast<std::size_t>(Fault::clog) &&
        i <= static_cast<std::size_t>(Fault::offline)) {
      line((std::string("every: ") + fault_name(static_cast<Fault>(i))).c_str(),
           time_text(plan.period[i]));
    }
  }
  return text;
}

}  // namespace aoe::sim
