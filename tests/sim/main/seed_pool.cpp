#include "sim/main/seed_pool.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>

namespace aoe::sim {
namespace {

// What a child tells its parent: this, and then the text of the report.
struct Record {
  std::uint64_t operations = 0;
  std::uint64_t trace = 0;
  std::uint64_t events = 0;
  std::int64_t simulated_ns = 0;
  std::uint64_t violations = 0;
  std::array<std::uint64_t, kRareStateCount> rare{};
  std::uint64_t report_bytes = 0;
};

struct Child {
  std::uint64_t seed = 0;
  pid_t pid = -1;
  int pipe = -1;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

bool write_all(int fd, const void* bytes, std::size_t count) {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(fd, next, count);
    if (written <= 0) {
      return false;
    }
    next += written;
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

bool read_all(int fd, void* bytes, std::size_t count) {
  char* next = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::read(fd, next, count);
    if (got <= 0) {
      return false;
    }
    next += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

[[noreturn]] void run_as_child(const SeedJob& job, int pipe) {
  const RunResult result = SwarmRun(make_plan(job.seed, job.overrides)).run();
  Record record{.operations = result.operations,
                .trace = result.trace,
                .events = result.events,
                .simulated_ns = result.simulated.ns,
                .violations = result.violations,
                .report_bytes = result.report.size()};
  for (std::size_t i = 0; i < kRareStateCount; ++i) {
    record.rare[i] = result.coverage.count(static_cast<RareState>(i));
  }
  const bool told = write_all(pipe, &record, sizeof record) &&
                    write_all(pipe, result.report.data(), result.report.size());
  std::_Exit(told ? 0 : 1);
}

Child start(const SeedJob& job) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    give_up("aoe-sim: pipe");
  }
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    give_up("aoe-sim: fork");
  }
  if (pid == 0) {
    ::close(ends[0]);
    run_as_child(job, ends[1]);
  }
  ::close(ends[1]);
  return {.seed = job.seed, .pid = pid, .pipe = ends[0]};
}

SeedOutcome finish(const Child& child) {
  SeedOutcome outcome{.seed = child.seed, .crashed = true, .result = {}};
  Record record;
  if (read_all(child.pipe, &record, sizeof record)) {
    std::string report(record.report_bytes, '\0');
    if (read_all(child.pipe, report.data(), report.size())) {
      outcome.crashed = false;
      outcome.result.operations = record.operations;
      outcome.result.trace = record.trace;
      outcome.result.events = record.events;
      outcome.result.simulated = Duration{record.simulated_ns};
      outcome.result.violations = record.violations;
      outcome.result.report = std::move(report);
      for (std::size_t i = 0; i < kRareStateCount; ++i) {
        outcome.result.coverage.add(static_cast<RareState>(i), record.rare[i]);
      }
    }
  }
  ::close(child.pipe);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  outcome.crashed = outcome.crashed || status != 0;
  return outcome;
}

}  // namespace

void run_seeds(const std::vector<SeedJob>& work, unsigned jobs,
               const std::function<void(const SeedOutcome&)>& done) {
  // The oldest is waited for while the others run on: a pipe holds what the others have to say
  // until it is their turn, and runs take about as long as each other.
  std::deque<Child> running;
  std::size_t next = 0;
  while (next < work.size() || !running.empty()) {
    while (next < work.size() && running.size() < std::max(jobs, 1U)) {
      running.push_back(start(work[next++]));
    }
    const SeedOutcome outcome = finish(running.front());
    running.pop_front();
    done(outcome);
  }
}

SeedOutcome run_seed(const SeedJob& job) {
  return finish(start(job));
}

}  // namespace aoe::sim
