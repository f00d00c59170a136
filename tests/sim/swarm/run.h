// One run of the swarm: what a seed says, from the first frame to the last check.
#pragma once

#include "sim/actors/admin_station.h"
#include "sim/actors/fabric.h"
#include "sim/actors/hostile_station.h"
#include "sim/actors/rogue_target.h"
#include "sim/actors/workload.h"
#include "sim/checkers/judges.h"
#include "sim/swarm/chaos.h"
#include "sim/swarm/coverage.h"
#include "sim/swarm/plan.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aoe::sim {

struct RunResult {
  std::uint64_t operations = 0;  // that completed
  std::uint64_t trace = 0;
  std::uint64_t events = 0;
  Duration simulated{};
  std::uint64_t violations = 0;
  std::string report;  // the first violations
  Coverage coverage;
};

// Three phases. Safety: work and faults together. Then everything is made whole, and what is open
// has to complete soon. Then the rest of the work without faults, and a last look at every sector.
class SwarmRun {
 public:
  explicit SwarmRun(const Plan& plan);

  [[nodiscard]] RunResult run();

  // Before run(): see Judges::narrate().
  void narrate(SectorPlace place, Judges::Listener listener) {
    judges_.narrate(place, std::move(listener));
  }

 private:
  void build();
  [[nodiscard]] std::vector<MacAddress> allowed() const;
  void build_targets();
  [[nodiscard]] std::vector<MacAddress> macs_of(std::uint32_t target);
  void build_initiators();
  BlockMachine& add_initiator(Prng& prng);
  BlockMachine& add_linux(Prng& prng);
  [[nodiscard]] std::int32_t any_drift(Prng& prng) const;
  void build_strangers();

  [[nodiscard]] bool is_given_up(std::size_t machine);

  [[nodiscard]] bool has_failed() const { return !judges_.violations.empty(); }

  [[nodiscard]] bool is_done() const;
  [[nodiscard]] std::uint64_t in_flight() const;
  // Runs until the work is done, something failed, or the time is over.
  void run_until_done(Duration at_most);
  // In peace, until every target knows the clocks of the Linux hosts that use it: before, nothing
  // keeps their late copies away.
  void teach_clocks();
  [[nodiscard]] bool are_clocks_known();
  [[nodiscard]] bool are_timers_down() const;
  void liveness();
  void sabotage();
  void check_progress();
  // Within this something has to end in peace.
  [[nodiscard]] Duration progress_max(std::size_t machine);
  // How long a request that was lost before may take to be sent again, or to be given up.
  [[nodiscard]] Duration linux_patience(std::size_t machine);
  void check_events();
  void look_at_every_sector();
  void look_for_leaks();
  void check_bounds();
  void count_coverage();
  [[nodiscard]] bool is_excused(std::size_t machine, const WorkloadDisk& disk,
                                const initiator::IoCompletion& done);

  Plan plan_;
  Coverage coverage_;
  Judges judges_;
  Fabric fabric_;
  AdminStation admin_;
  Chaos chaos_;
  std::unique_ptr<HostileStation> hostile_;
  std::unique_ptr<RogueTarget> rogue_;
  std::vector<std::unique_ptr<Workload>> workloads_;  // by machine

  struct LinuxUse {
    std::uint32_t machine = 0;
    std::uint32_t target = 0;
    DeviceAddress address{};
  };

  std::vector<LinuxUse> linux_uses_;
  std::vector<LinuxMachine*> linux_;     // by machine; null: it has our initiator
  std::vector<Duration> linux_rto_max_;  // by machine; the longest timer of its disks in peace
  PacketBuffer kept_;                    // a planted leak
  bool healed_ = false;
  Instant healed_at_{};

  struct Progress {
    std::uint64_t ended = 0;  // requests, when it was looked at
    Instant since;            // how long ago that changed, or nothing was open
  };

  std::vector<Progress> progress_;  // by workload
};

}  // namespace aoe::sim
