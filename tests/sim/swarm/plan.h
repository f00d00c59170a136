// Everything that a seed decides before a run begins.
#pragma once

#include "base/time.h"
#include "initiator/options.h"
#include "sim/actors/workload.h"
#include "sim/swarm/fault.h"
#include "sim/world/link.h"
#include "sim/world/sim_disk.h"
#include "target/target_types.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace aoe::sim {

// A violation that is planted, to see that the checkers catch it.
enum class Sabotage : std::uint8_t {
  none,
  disk_lies,          // what was acknowledged as durable is not
  disk_misdirects,    // data land in another sector
  network_stays_cut,  // no progress in peace
  buffer_kept,
  completion_twice,
  error_unexplained,
  memory_off,  // copies are executed although sessions promise that they are not
  table_outgrown,
  strangers_let_in,  // the hostile station is on the access lists
  rogue_trusted,     // no serial number is asked for
  linux_guard_off,   // copies of Linux hosts are executed however late they come
  holder_unknown,    // whoever holds a reservation counts as somebody else
  crash,             // the process dies
};

inline constexpr std::size_t kSabotageCount = static_cast<std::size_t>(Sabotage::crash) + 1;

[[nodiscard]] const char* sabotage_name(Sabotage sabotage);

// What the command line fixes; the rest follows from the seed. A failing run is shrunk by making
// these smaller, so each must leave what the others decide as it was.
struct PlanOverrides {
  std::uint64_t operations = 40'000;
  FaultSet without{};
  std::optional<std::uint32_t> initiators_max;
  std::optional<std::uint32_t> targets_max;
  Sabotage sabotage = Sabotage::none;

  // "--ops 500 --without loss,clog", what replays it besides the seed.
  [[nodiscard]] std::string text() const;
};

// Who speaks what.
enum class ProtocolMix : std::uint8_t {
  sealed,       // everybody speaks our extension
  plain,        // nobody does
  mixed,        // each machine for itself
  linux_hosts,  // as mixed, and most machines have the Linux driver
};

[[nodiscard]] const char* protocol_mix_name(ProtocolMix mix);

struct Plan {
  std::uint64_t seed = 0;
  std::uint64_t operations = 0;
  FaultSet faults;
  Sabotage sabotage = Sabotage::none;

  // Topology.
  std::uint32_t initiators = 1;
  std::uint32_t targets = 1;
  std::uint32_t exports_per_target = 1;
  std::uint32_t initiator_ports = 1;
  std::uint32_t target_ports = 1;
  std::uint32_t switches = 1;
  std::size_t mtu_bytes = 1500;
  std::uint64_t disk_sectors = 1024;
  std::uint32_t disks_per_initiator = 1;

  ProtocolMix protocol = ProtocolMix::sealed;
  // Everybody writes everywhere. Otherwise every sector has one writer: plain AoE promises nothing
  // to two.
  bool shared_sectors = false;
  // A write is executed once while its target lives. Not where sessions are forgotten.
  bool exactly_once = false;

  // Network. `bad` is the quality of the cables that have faults, `good` that of the others.
  LinkQuality good{};
  LinkQuality bad{};
  std::uint32_t bad_links_percent = 100;
  std::size_t black_hole_mtu_bytes = 1500;

  // Machines.
  initiator::CoreOptions initiator{};
  std::uint32_t initiator_buffers = 128;
  target::TargetLimits target{};
  std::uint32_t target_buffers = 512;
  std::uint16_t advertised_buffers = 64;
  Duration linux_dead_after = Duration::seconds(180);  // aoe_deadsecs of Linux hosts
  std::uint32_t write_back_percent = 0;                // of the exports
  std::int32_t drift_ppm_max = 0;
  DiskOptions disk{};
  std::uint32_t read_error_ppm = 0;  // while there are faults
  std::uint32_t write_error_ppm = 0;
  std::uint32_t flush_error_ppm = 0;

  // Work.
  WorkloadMix mix{};
  std::uint32_t depth = 16;
  std::uint32_t sectors_max = 8;
  std::uint64_t hot_sectors = 0;
  Duration think_max{};
  Duration timeout{};  // of requests; 0 = the device's 180 s
  initiator::DeviceSettings device{};
  bool pins_macs = false;  // initiators know the addresses of their disks' targets

  // Mean time between two faults of each kind that happens from time to time.
  std::array<Duration, kFaultCount> period{};
  Duration safety_max = Duration::seconds(120);  // how long faults go on at most

  [[nodiscard]] Duration period_of(Fault fault) const {
    return period[static_cast<std::size_t>(fault)];
  }
};

[[nodiscard]] Plan make_plan(std::uint64_t seed, const PlanOverrides& overrides);

// One line an option.
[[nodiscard]] std::string describe(const Plan& plan);

}  // namespace aoe::sim
