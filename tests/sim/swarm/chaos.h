// Lets things go wrong from time to time, and in the end makes everything whole again.
#pragma once

#include "base/prng.h"
#include "sim/actors/admin_station.h"
#include "sim/actors/fabric.h"
#include "sim/swarm/coverage.h"
#include "sim/swarm/plan.h"
#include "sim/world/event_queue.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

// Each kind of fault that the plan has comes back at random intervals and chooses its victim. What
// it breaks it mends after a while by itself; heal() mends the rest at once and stops everything.
class Chaos final : public EventHandler {
 public:
  Chaos(Fabric& fabric, AdminStation& admin, const Plan& plan, Coverage& coverage);

  void start();
  void heal();

  void handle_event(Instant now, std::uint32_t what, std::uint64_t value) override;

 private:
  // Events: a fault's number begins it; with kMend added it ends.
  static constexpr std::uint32_t kMend = 1000;

  void schedule_next(Fault fault);
  void strike(Fault fault);
  void mend(Fault fault, std::uint64_t victim);
  void mend_after(Fault fault, std::uint64_t victim, Duration low, Duration high);

  void clog_some();
  void swizzle();
  void narrow_port(std::uint64_t victim, std::size_t mtu_bytes);
  void reserve();
  void resize();

  [[nodiscard]] Duration time_between(Duration low, Duration high);
  [[nodiscard]] TargetHost& any_target();
  [[nodiscard]] BlockMachine& any_machine();
  [[nodiscard]] std::uint64_t any_link();
  void set_disk_errors(bool on);

  Fabric& fabric_;
  AdminStation& admin_;
  const Plan& plan_;
  Coverage& coverage_;
  Prng prng_;
  bool active_ = false;
  std::vector<LinkQuality> quality_;  // of each link while there are faults
};

}  // namespace aoe::sim
