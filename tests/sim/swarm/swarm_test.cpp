// Whether the swarm finds what is planted, and what it does with what it finds.
#include "sim/main/seed_pool.h"
#include "sim/main/shrink.h"
#include "sim/swarm/plan.h"
#include "sim/swarm/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace aoe::sim {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Planted : public ::testing::TestWithParam<std::pair<Sabotage, const char*>> {};

TEST_P(Planted, ViolationIsCaughtAndNamed) {
  const auto [sabotage, rule] = GetParam();
  PlanOverrides overrides;
  overrides.operations = 3000;
  overrides.sabotage = sabotage;
  overrides.initiators_max = 4;
  overrides.targets_max = 2;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const RunResult result = SwarmRun(make_plan(seed, overrides)).run();
    // Some break more than one rule: what lands in another sector is missing in its own.
    if (result.report.find(rule) != std::string::npos) {
      return;
    }
  }
  ADD_FAILURE() << sabotage_name(sabotage) << " breaks no rule called " << rule << " in 40 runs";
}

std::string name_of_planted(const ::testing::TestParamInfo<Planted::ParamType>& planted) {
  std::string name = sabotage_name(planted.param.first);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each, Planted,
                         ::testing::Values(std::pair{Sabotage::disk_lies, "linearizable"},
                                           std::pair{Sabotage::disk_misdirects, "wrong-answer"},
                                           std::pair{Sabotage::network_stays_cut, "progress"},
                                           std::pair{Sabotage::buffer_kept, "buffers"},
                                           std::pair{Sabotage::completion_twice, "completion"},
                                           std::pair{Sabotage::error_unexplained, "user-error"},
                                           std::pair{Sabotage::memory_off, "executed"},
                                           std::pair{Sabotage::table_outgrown, "bounds"},
                                           std::pair{Sabotage::strangers_let_in, "wrong-answer"},
                                           std::pair{Sabotage::rogue_trusted, "rogue target was"},
                                           std::pair{Sabotage::linux_guard_off, "stale-execution"},
                                           std::pair{Sabotage::holder_unknown, "fencing"}),
                         name_of_planted);

TEST(Swarm, RunsWithoutViolationAndTheSameTwice) {
  PlanOverrides overrides;
  overrides.operations = 1000;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const RunResult first = SwarmRun(make_plan(seed, overrides)).run();
    EXPECT_EQ(first.violations, 0U) << "seed " << seed << "\n" << first.report;
    const RunResult second = SwarmRun(make_plan(seed, overrides)).run();
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
  }
}

TEST(Swarm, StrangersAreHeardAndChangeNothing) {
  PlanOverrides overrides;
  overrides.operations = 1000;
  Coverage coverage;
  std::uint32_t strangers = 0;
  for (std::uint64_t seed = 17; seed <= 26 && strangers < 6; ++seed) {
    const Plan plan = make_plan(seed, overrides);
    if (plan.faults.has(Fault::hostile) || plan.faults.has(Fault::rogue)) {
      ++strangers;
      const RunResult result = SwarmRun(plan).run();
      EXPECT_EQ(result.violations, 0U) << "seed " << seed << "\n" << result.report;
      coverage.merge(result.coverage);
    }
  }
  EXPECT_GT(coverage.count(RareState::hostile_frame), 1000U);
  EXPECT_GT(coverage.count(RareState::rogue_asked), 0U);
  EXPECT_GT(coverage.count(RareState::quarantine), 0U);
}

TEST(Swarm, TellsTheStoryOfASector) {
  PlanOverrides overrides;
  overrides.operations = 2000;
  std::uint64_t seed = 1;
  while (make_plan(seed, overrides).hot_sectors == 0 ||
         !make_plan(seed, overrides).faults.has(Fault::power_cut)) {
    ++seed;
  }
  std::vector<std::string> lines;
  SwarmRun run(make_plan(seed, overrides));
  run.narrate({.disk = 0, .lba = 3}, [&lines](const std::string& line) { lines.push_back(line); });
  const RunResult told = run.run();
  EXPECT_EQ(told.violations, 0U);
  EXPECT_THAT(lines, Contains(MatchesRegex("[0-9]+ ns: initiator [0-9]+ begins write .* of .*")));
  EXPECT_THAT(lines, Contains(MatchesRegex("[0-9]+ ns: initiator [0-9]+ ok read of [0-3][+].*")));
  EXPECT_THAT(lines,
              Contains(MatchesRegex("[0-9]+ ns: a frame leaves: write .* tag [0-9]+ to .*")));
  EXPECT_THAT(lines, Contains(MatchesRegex("[0-9]+ ns: the disk is given .*")));
  EXPECT_THAT(lines, Contains(MatchesRegex("[0-9]+ ns: the disk executes write .*")));
  EXPECT_THAT(lines, Contains(HasSubstr("the disk loses its power")));
  EXPECT_EQ(told.trace, SwarmRun(make_plan(seed, overrides)).run().trace) << "told or not";
}

TEST(Plan, LeavesTheRestAsItWasWhenSomethingIsTakenAway) {
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    const Plan whole = make_plan(seed, {});
    PlanOverrides overrides;
    overrides.without.add(Fault::loss);
    overrides.without.add(Fault::small_target);
    overrides.without.add(Fault::spinning);
    overrides.operations = 7;
    const Plan less = make_plan(seed, overrides);
    FaultSet expected = whole.faults;
    expected.remove(overrides.without);
    EXPECT_EQ(less.faults, expected) << seed;
    EXPECT_EQ(less.initiators, whole.initiators);
    EXPECT_EQ(less.good, whole.good);
    EXPECT_EQ(less.bad.reorder_ppm, whole.bad.reorder_ppm);
    EXPECT_EQ(less.disk.speed.flush, whole.disk.speed.flush);
    EXPECT_EQ(less.depth, whole.depth);
    EXPECT_EQ(less.period, whole.period);
  }
}

TEST(Plan, DrawsEveryFaultAndEveryProtocol) {
  FaultSet seen;
  std::vector<int> protocols(4);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Plan plan = make_plan(seed, {});
    for (std::size_t i = 0; i < kFaultCount; ++i) {
      if (plan.faults.has(static_cast<Fault>(i))) {
        seen.add(static_cast<Fault>(i));
      }
    }
    ++protocols[static_cast<std::size_t>(plan.protocol)];
    EXPECT_FALSE(describe(plan).empty());
  }
  EXPECT_EQ(seen, FaultSet::all());
  for (const int count : protocols) {
    EXPECT_GT(count, 20);
  }
}

TEST(Coverage, NamesTheRequiredStatesThatNoRunReached) {
  Coverage all;
  Coverage one;
  one.add(RareState::tag_wrap, 7);
  all.merge(one);
  all.merge(one);
  all.merge({});
  EXPECT_EQ(all.count(RareState::tag_wrap), 14U);
  EXPECT_EQ(all.runs(RareState::tag_wrap), 2U);
  EXPECT_THAT(all.missing(), ::testing::Contains(RareState::copy_while_executing));
  EXPECT_THAT(all.missing(), ::testing::Not(::testing::Contains(RareState::tag_wrap)));
  EXPECT_THAT(all.missing(), ::testing::Not(::testing::Contains(RareState::linux_clock_lost)))
      << "may stay away";
  for (const RareState state :
       {RareState::export_failed, RareState::backend_stalled, RareState::late_change_dropped,
        RareState::execution_after_answer, RareState::late_linux_write_dropped}) {
    EXPECT_THAT(all.missing(), ::testing::Contains(state)) << rare_state_name(state);
  }
  for (std::size_t i = 0; i < kRareStateCount; ++i) {
    all.add(static_cast<RareState>(i));
  }
  EXPECT_THAT(all.missing(), ::testing::IsEmpty());
}

TEST(FaultSet, SaysItsNamesAndReadsThem) {
  EXPECT_EQ(FaultSet::parse(FaultSet::all().text()), FaultSet::all());
  EXPECT_EQ(FaultSet::parse("loss,rogue")->text(), "loss,rogue");
  EXPECT_EQ(FaultSet::parse("")->text(), "");
  EXPECT_FALSE(FaultSet::parse("loss,nonsense").has_value());
}

// Fails whatever the faults are, as soon as there is peace.
PlanOverrides planted(Sabotage sabotage, std::uint64_t operations) {
  PlanOverrides overrides;
  overrides.operations = operations;
  overrides.sabotage = sabotage;
  return overrides;
}

TEST(Shrink, LeavesLittleOfARunThatFailsAnyhow) {
  std::uint64_t seed = 1;
  while (make_plan(seed, {}).faults.empty() || make_plan(seed, {}).initiators < 4) {
    ++seed;
  }
  const SeedJob small = shrink({seed, planted(Sabotage::completion_twice, 2000)});
  const Plan plan = make_plan(small.seed, small.overrides);
  EXPECT_EQ(small.seed, seed);
  EXPECT_LE(plan.operations, 4U);
  EXPECT_EQ(plan.initiators, 1U);
  EXPECT_EQ(plan.targets, 1U);
  EXPECT_TRUE(plan.faults.empty()) << plan.faults.text();
  EXPECT_TRUE(run_seed(small).is_failure());
}

TEST(SeedPool, RunsEverySeedOnceInHoweverManyProcesses) {
  std::vector<SeedJob> work;
  for (std::uint64_t seed = 17; seed <= 26; ++seed) {
    work.push_back({seed, planted(Sabotage::none, 100)});
  }
  for (const unsigned jobs : {1U, 3U}) {
    std::vector<std::uint64_t> seeds;
    run_seeds(work, jobs, [&seeds](const SeedOutcome& outcome) {
      seeds.push_back(outcome.seed);
      EXPECT_FALSE(outcome.is_failure()) << outcome.seed << outcome.result.report;
      // Those that a crash of their machine took do not count.
      EXPECT_LE(outcome.result.operations, 100U);
      EXPECT_GT(outcome.result.operations, 50U);
    });
    EXPECT_THAT(seeds, ::testing::ElementsAre(17, 18, 19, 20, 21, 22, 23, 24, 25, 26));
  }
}

TEST(SeedPool, TellsOfAFailureAsTheRunDid) {
  const PlanOverrides overrides = planted(Sabotage::completion_twice, 500);
  const SeedOutcome outcome = run_seed({3, overrides});
  const RunResult here = SwarmRun(make_plan(3, overrides)).run();
  EXPECT_TRUE(outcome.is_failure());
  EXPECT_FALSE(outcome.crashed);
  EXPECT_EQ(outcome.result.report, here.report);
  EXPECT_EQ(outcome.result.trace, here.trace);
}

TEST(SeedPool, SaysWhichSeedsKilledTheirProcessAndRunsTheOthers) {
  std::vector<SeedJob> work;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    work.push_back({seed, planted(Sabotage::crash, 100)});
  }
  std::vector<std::uint64_t> died;
  std::size_t ended = 0;
  run_seeds(work, 2, [&](const SeedOutcome& outcome) {
    ++ended;
    if (outcome.crashed) {
      died.push_back(outcome.seed);
    }
  });
  EXPECT_THAT(died, ::testing::ElementsAre(1, 3, 5));
  EXPECT_EQ(ended, 6U);
}

}  // namespace
}  // namespace aoe::sim
