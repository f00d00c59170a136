#include "sim/swarm/run.h"

#include <fmt/format.h>

#include <cstdlib>

int main(int argc, char** argv) {
  const std::uint64_t first = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t last = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : first;
  aoe::sim::Coverage coverage;
  std::uint64_t ops = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const aoe::sim::Plan plan = aoe::sim::make_plan(seed, {});
    if (first == last) {
      fmt::print("{}", aoe::sim::describe(plan));
    }
    std::fflush(stdout);
    aoe::sim::SwarmRun run(plan);
    if (argc > 4) {
      run.narrate(
          {static_cast<std::uint32_t>(std::atoi(argv[3])), std::strtoull(argv[4], nullptr, 10)});
    }
    const aoe::sim::RunResult result = run.run();
    fmt::print("seed {} ops {} sim {:.1f} s events {} hash {:x} violations {}\n{}", seed,
               result.operations, static_cast<double>(result.simulated.ns) / 1e9, result.events,
               result.trace, result.violations, result.report);
    std::fflush(stdout);
    ops += result.operations;
    coverage.merge(result.coverage);
  }
  for (std::size_t i = 0; i < aoe::sim::kRareStateCount; ++i) {
    const auto state = static_cast<aoe::sim::RareState>(i);
    fmt::print("{} {}\n", aoe::sim::rare_state_name(state), coverage.count(state));
  }
  fmt::print("{} ops\n", ops);
}
