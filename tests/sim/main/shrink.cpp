#include "sim/main/shrink.h"

namespace aoe::sim {
namespace {

constexpr std::uint32_t kHalvingsMax = 16;

bool fails(const SeedJob& job) {
  return run_seed(job).is_failure();
}

// Keeps what still fails.
bool try_instead(SeedJob& job, const SeedJob& smaller) {
  if (!fails(smaller)) {
    return false;
  }
  job = smaller;
  return true;
}

void shrink_operations(SeedJob& job) {
  std::uint64_t works = 0;  // known not to fail
  for (std::uint32_t i = 0; i < kHalvingsMax && job.overrides.operations - works > 1; ++i) {
    SeedJob smaller = job;
    smaller.overrides.operations = works + (job.overrides.operations - works) / 2;
    if (!try_instead(job, smaller)) {
      works = smaller.overrides.operations;
    }
  }
}

void shrink_faults(SeedJob& job) {
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const auto fault = static_cast<Fault>(i);
    if (!make_plan(job.seed, job.overrides).faults.has(fault)) {
      continue;
    }
    SeedJob smaller = job;
    smaller.overrides.without.add(fault);
    try_instead(job, smaller);
  }
}

void shrink_machines(SeedJob& job) {
  for (std::uint32_t count = 1; count < make_plan(job.seed, job.overrides).initiators; count *= 2) {
    SeedJob smaller = job;
    smaller.overrides.initiators_max = count;
    if (try_instead(job, smaller)) {
      break;
    }
  }
  for (std::uint32_t count = 1; count < make_plan(job.seed, job.overrides).targets; count *= 2) {
    SeedJob smaller = job;
    smaller.overrides.targets_max = count;
    if (try_instead(job, smaller)) {
      break;
    }
  }
}

}  // namespace

SeedJob shrink(const SeedJob& failing) {
  SeedJob job = failing;
  shrink_operations(job);
  shrink_machines(job);
  shrink_faults(job);
  // With less going on, the same thing may happen sooner.
  shrink_operations(job);
  return job;
}

}  // namespace aoe::sim
