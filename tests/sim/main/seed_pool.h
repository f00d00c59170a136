// Runs seeds in processes of their own, so that one that ends the process is one failed seed.
#pragma once

#include "sim/swarm/plan.h"
#include "sim/swarm/run.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aoe::sim {

struct SeedJob {
  std::uint64_t seed = 0;
  PlanOverrides overrides;
};

struct SeedOutcome {
  std::uint64_t seed = 0;
  bool crashed = false;  // a check failed, a sanitizer complained: standard error tells
  RunResult result;      // empty when it crashed

  [[nodiscard]] bool is_failure() const { return crashed || result.violations > 0; }
};

// At most `jobs` at a time (at least 1), each in a forked process. Calls `done` in the order of
// `work`, whichever ends first. Ends the program when the system gives no process or pipe.
void run_seeds(const std::vector<SeedJob>& work, unsigned jobs,
               const std::function<void(const SeedOutcome&)>& done);

[[nodiscard]] SeedOutcome run_seed(const SeedJob& job);

}  // namespace aoe::sim
