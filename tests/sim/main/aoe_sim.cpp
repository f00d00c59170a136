// aoe-sim: both cores in a simulated world, under everything that a seed thinks up.
//
//   aoe-sim --seeds 1..500 --jobs 2         a swarm
//   aoe-sim --seed 17 -v                    one run, with every option that the seed decided
//
// Exit status 0: nothing was violated, and what --require-states and --at-least ask for happened.
// 1: something was, or it did not; the last line of a failing seed replays it. 2: misused.

#include "sim/main/seed_pool.h"
#include "sim/main/shrink.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>

namespace aoe::sim {
namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  PlanOverrides overrides;
  unsigned jobs = 1;
  bool verbose = false;
  bool is_quiet = false;
  bool shrinks = true;
  bool requires_states = false;
  std::uint64_t operations_min = 0;  // of all seeds together
  bool traces = false;
  std::string watched;  // DISK:SECTOR
};

class Swarm {
 public:
  explicit Swarm(const Arguments& arguments) : arguments_(arguments) {}

  int run() {
    std::vector<SeedJob> work;
    for (std::uint64_t seed = arguments_.first; seed <= arguments_.last; ++seed) {
      work.push_back({seed, arguments_.overrides});
      if (arguments_.verbose) {
        fmt::print("{}", describe(make_plan(seed, arguments_.overrides)));
      }
    }
    run_seeds(work, arguments_.jobs, [this](const SeedOutcome& outcome) { take(outcome); });
    if (arguments_.traces) {
      return failed_ == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    report_states();
    bool is_enough = operations_ >= arguments_.operations_min;
    if (!is_enough) {
      fmt::print("aoe-sim: too little was done: {} operations of {}\n", operations_,
                 arguments_.operations_min);
    }
    if (arguments_.requires_states) {
      for (const RareState state : coverage_.missing()) {
        fmt::print("aoe-sim: {} never reached\n", rare_state_name(state));
        is_enough = false;
      }
    }
    fmt::print("aoe-sim: {} operations, {} seeds, {} failed\n", operations_, work.size(), failed_);
    return failed_ == 0 && is_enough ? EXIT_SUCCESS : EXIT_FAILURE;
  }

 private:
  void take(const SeedOutcome& outcome) {
    operations_ += outcome.result.operations;
    coverage_.merge(outcome.result.coverage);
    if (arguments_.traces) {
      fmt::print("{} {:016x}\n", outcome.seed, outcome.result.trace);
    } else if (!arguments_.is_quiet || outcome.is_failure()) {
      fmt::print("seed {}: {} operations, {:.1f} s, trace {:016x}, {} violations\n{}", outcome.seed,
                 outcome.result.operations, static_cast<double>(outcome.result.simulated.ns) / 1e9,
                 outcome.result.trace, outcome.result.violations, outcome.result.report);
    }
    if (outcome.is_failure()) {
      ++failed_;
      SeedJob job{outcome.seed, arguments_.overrides};
      if (arguments_.shrinks) {
        job = shrink(job);
      }
      fmt::print("{}replay: aoe-sim --seed {} {} -v\n", outcome.crashed ? "ended early; " : "",
                 job.seed, job.overrides.text());
    }
    std::fflush(stdout);
  }

  void report_states() const {
    for (std::size_t i = 0; i < kRareStateCount && !arguments_.is_quiet && !arguments_.traces;
         ++i) {
      const auto state = static_cast<RareState>(i);
      fmt::print("{:>12} {} in {} seeds\n", coverage_.count(state), rare_state_name(state),
                 coverage_.runs(state));
    }
  }

  Arguments arguments_;
  Coverage coverage_;
  std::uint64_t operations_ = 0;
  std::uint64_t failed_ = 0;
};

void parse_seeds(const std::string& text, Arguments& arguments) {
  const std::size_t dots = text.find("..");
  std::size_t used = 0;
  try {
    arguments.first = std::stoull(text, &used);
    arguments.last =
        dots == std::string::npos ? arguments.first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || arguments.first > arguments.last) {
    throw CLI::ValidationError("--seeds " + text, "expected A..B with A <= B");
  }
}

// In this process, so that a debugger can look as well.
int tell_story(const Arguments& arguments) {
  const std::size_t colon = arguments.watched.find(':');
  SwarmRun run(make_plan(arguments.first, arguments.overrides));
  run.narrate(
      {.disk = static_cast<std::uint32_t>(std::strtoul(arguments.watched.c_str(), nullptr, 10)),
       .lba = colon == std::string::npos
                  ? 0
                  : std::strtoull(arguments.watched.c_str() + colon + 1, nullptr, 10)},
      [](const std::string& line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
      });
  const RunResult result = run.run();
  fmt::print("{}", result.report);
  return result.violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Simulates initiators and targets under the faults that a seed decides");
  std::string seeds;
  std::string without;
  app.add_option("--seeds,--seed", seeds, "A..B, or one")->required();
  app.add_option("--ops", arguments.overrides.operations, "operations of a seed")
      ->check(CLI::PositiveNumber);
  app.add_option("--without", without, "faults that do not happen, e.g. loss,clog");
  app.add_option("--initiators", arguments.overrides.initiators_max, "at most so many");
  app.add_option("--targets", arguments.overrides.targets_max, "at most so many");
  app.add_option("--jobs", arguments.jobs, "seeds at the same time");
  std::string sabotage = sabotage_name(Sabotage::none);
  std::vector<std::string> sabotages;
  for (std::size_t i = 0; i < kSabotageCount; ++i) {
    sabotages.emplace_back(sabotage_name(static_cast<Sabotage>(i)));
  }
  app.add_option("--sabotage", sabotage, "plant this violation, to see it caught")
      ->check(CLI::IsMember(sabotages));
  app.add_flag("-v,--verbose", arguments.verbose, "print what each seed decides");
  app.add_flag("-q,--quiet", arguments.is_quiet, "print failures and the summary only");
  app.add_flag("--traces", arguments.traces, "print a seed and the hash of its trace a line");
  app.add_flag("!--no-shrink", arguments.shrinks, "do not look for a smaller failing run");
  app.add_option("--watch", arguments.watched, "DISK:SECTOR whose story one seed tells");
  app.add_flag("--require-states", arguments.requires_states,
               "fail when a state that is required was not seen");
  app.add_option("--at-least", arguments.operations_min,
                 "fail when all seeds together did fewer operations");
  try {
    app.parse(argc, argv);
    parse_seeds(seeds, arguments);
    const std::optional<FaultSet> faults = FaultSet::parse(without);
    if (!faults) {
      throw CLI::ValidationError("--without " + without, "there is no such fault");
    }
    arguments.overrides.without = *faults;
    for (std::size_t i = 0; i < kSabotageCount; ++i) {
      if (sabotage == sabotages[i]) {
        arguments.overrides.sabotage = static_cast<Sabotage>(i);
      }
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : 2;
  }
  if (!arguments.watched.empty()) {
    return tell_story(arguments);
  }
  return Swarm(arguments).run();
}

}  // namespace
}  // namespace aoe::sim

int main(int argc, char** argv) {
  return aoe::sim::run(argc, argv);
}
