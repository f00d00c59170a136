#include "sim/main/seed_pool.h"

#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>

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
  std::size_t place = 0;  // in the order of the work
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
  return {.seed = job.seed, .place = 0, .pid = pid, .pipe = ends[0]};
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

// The first of them that has something to say: it is about to end, or has ended.
std::size_t wait_for_one(const std::vector<Child>& running) {
  std::vector<pollfd> pipes;
  for (const Child& child : running) {
    pipes.push_back({.fd = child.pipe, .events = POLLIN, .revents = 0});
  }
  while (::poll(pipes.data(), pipes.size(), -1) < 0) {
    if (errno != EINTR) {
      give_up("aoe-sim: poll");
    }
  }
  const auto ready = std::find_if(pipes.begin(), pipes.end(),
                                  [](const pollfd& pipe) { return pipe.revents != 0; });
  return static_cast<std::size_t>(ready - pipes.begin());
}

}  // namespace

void run_seeds(const std::vector<SeedJob>& work, unsigned jobs,
               const std::function<void(const SeedOutcome&)>& done) {
  std::vector<Child> running;
  std::map<std::size_t, SeedOutcome> early;  // ended before one that comes first
  std::size_t started = 0;
  std::size_t told = 0;
  while (told < work.size()) {
    while (started < work.size() && running.size() < std::max(jobs, 1U)) {
      running.push_back(start(work[started]));
      running.back().place = started++;
    }
    const std::size_t first = wait_for_one(running);
    early.emplace(running[first].place, finish(running[first]));
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(first));
    for (auto next = early.find(told); next != early.end(); next = early.find(told)) {
      done(next->second);
      early.erase(next);
      ++told;
    }
  }
}

SeedOutcome run_seed(const SeedJob& job) {
  return finish(start(job));
}

}  // namespace aoe::sim
