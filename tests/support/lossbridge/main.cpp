// lossbridge: joins network interfaces and harms the frames between them. For tests.
//
//   lossbridge va vb --loss 0.05 --dup va=0.01 --delay-us 100,2000 --seed 7 --control /tmp/fifo
//
// Every impairment takes VALUE (all directions) or IF=VALUE (frames that arrive on IF) and may be
// given again. --control reads commands, one a line, from a FIFO (which it creates if missing) or
// from standard input (-): `down`, `up vb`, `loss va=0.2`, `delay 0`, `clear`, `stats`, `quit`.
// --schedule FILE holds the same commands, each after its time in milliseconds since the start:
// `1500 down`. Prints "lossbridge: ready" once it forwards, "lossbridge: done COMMAND" once a
// command is in force, and its counters at the end (SIGTERM, SIGINT or `quit`), all on standard
// output.

#include "base/result.h"
#include "os/clock.h"
#include "os/error_text.h"
#include "os/signals.h"
#include "runtime/event_loop.h"
#include "support/lossbridge/bridge.h"
#include "support/lossbridge/schedule.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace aoe::lossbridge {
namespace {

struct Arguments {
  Bridge::Options bridge;
  std::vector<std::string> commands;  // from the impairment options
  std::string schedule_path;
  std::string control_path;
};

// The running program: the bridge, and where its commands come from.
class Program {
 public:
  Program(runtime::EventLoop& loop, Bridge& bridge) : loop_(loop), bridge_(bridge) {}

  Result<void> start_control(const std::string& path) {
    if (path == "-") {
      control_ = os::Fd(::dup(STDIN_FILENO));
    } else {
      ::mkfifo(path.c_str(), 0600);  // it may exist
      // Open for writing too, so that a writer that leaves is not the end.
      control_ = os::Fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    }
    if (!control_) {
      return fail(os::os_error(errno, fmt::format("{}: open control", path)));
    }
    return loop_.add_fd(control_.get(), EPOLLIN, [this](std::uint32_t) { read_control(); });
  }

  void execute(const std::string& line) {
    if (line.empty()) {
      return;
    }
    if (line == "quit") {
      loop_.stop();
    } else if (line == "stats") {
      print(bridge_.report());
    } else if (const auto done = bridge_.command(line); !done) {
      print(fmt::format("lossbridge: refused {}: {}\n", line, done.error().message));
    } else {
      print(fmt::format("lossbridge: done {}\n", line));
    }
  }

  void run(std::vector<ScheduledCommand> schedule) {
    const Instant start = os::monotonic_now();
    std::size_t next = 0;
    print("lossbridge: ready\n");
    while (!loop_.stopped()) {
      std::optional<Instant> deadline = bridge_.next_due();
      if (next < schedule.size()) {
        const Instant at = start + schedule[next].after_start;
        deadline = deadline ? std::min(*deadline, at) : at;
      }
      loop_.run_once(deadline);
      const Instant now = os::monotonic_now();
      for (; next < schedule.size() && start + schedule[next].after_start <= now; ++next) {
        execute(schedule[next].line);
      }
      bridge_.send_due(now);
    }
    print(bridge_.report());
  }

 private:
  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  void read_control() {
    std::array<char, 512> bytes{};
    const ssize_t length = ::read(control_.get(), bytes.data(), bytes.size());
    if (length == 0) {
      loop_.remove_fd(control_.get());
      return;
    }
    if (length > 0) {
      control_text_.append(bytes.data(), static_cast<std::size_t>(length));
    }
    for (std::size_t end = 0; (end = control_text_.find('\n')) != std::string::npos;) {
      const std::string line = control_text_.substr(0, end);
      control_text_.erase(0, end + 1);
      execute(line);
    }
  }

  runtime::EventLoop& loop_;
  Bridge& bridge_;
  os::Fd control_;
  std::string control_text_;
};

Result<void> run(const Arguments& arguments) {
  AOE_TRY_ASSIGN(const auto signals, os::SignalSet::open({SIGTERM, SIGINT}));
  AOE_TRY_ASSIGN(const auto loop, runtime::EventLoop::create({}));
  AOE_TRY_ASSIGN(const auto bridge, Bridge::open(*loop, arguments.bridge));
  AOE_TRY(loop->add_fd(signals->wait_fd(), EPOLLIN, [&](std::uint32_t) { loop->stop(); }));
  for (const std::string& command : arguments.commands) {
    AOE_TRY(bridge->command(command));
  }
  std::vector<ScheduledCommand> schedule;
  if (!arguments.schedule_path.empty()) {
    AOE_TRY_ASSIGN(schedule, read_schedule(arguments.schedule_path));
  }
  Program program(*loop, *bridge);
  if (!arguments.control_path.empty()) {
    AOE_TRY(program.start_control(arguments.control_path));
  }
  program.run(std::move(schedule));
  return {};
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("Joins network interfaces and harms the frames between them");
  Arguments arguments;
  app.add_option("interfaces", arguments.bridge.interfaces, "interfaces to join")
      ->required()
      ->expected(2, 16);

  struct Property {
    const char* option;
    const char* command;
    const char* help;
  };

  constexpr std::array<Property, 7> kProperties{{
      {"--loss", "loss", "probability of losing a frame"},
      {"--dup", "dup", "probability of doubling a frame"},
      {"--reorder", "reorder", "probability of letting later frames overtake"},
      {"--flip", "flip", "probability of inverting a random bit"},
      {"--delay-us", "delay", "MIN[,MAX] microseconds"},
      {"--max-frame", "max-frame", "longer frames vanish (bytes with Ethernet header)"},
      {"--rate-mbps", "rate", "line rate, with a queue of 100 ms"},
  }};
  for (const Property& property : kProperties) {
    app.add_option_function<std::vector<std::string>>(
           property.option,
           [&arguments, &property](const std::vector<std::string>& values) {
             for (const std::string& value : values) {
               arguments.commands.push_back(fmt::format("{} {}", property.command, value));
             }
           },
           property.help)
        ->expected(1)
        ->type_name("[IF=]VALUE")
        ->take_all();
  }
  app.add_flag_callback(
      "--hub", [&arguments] { arguments.bridge.learning = Bridge::Learning::off; },
      "every frame to every interface, also where its destination is known");
  app.add_option("--seed", arguments.bridge.seed, "of the random decisions");
  app.add_option("--pcap", arguments.bridge.pcap_path, "capture of what was forwarded");
  app.add_option("--log", arguments.bridge.log_path, "text file of every decision");
  app.add_option("--schedule", arguments.schedule_path, "commands by time");
  app.add_option("--control", arguments.control_path, "FIFO of commands, or - for standard input");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto result = run(arguments);
  if (!result) {
    fmt::print(stderr, "lossbridge: {}\n", result.error().message);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace aoe::lossbridge

int main(int argc, char** argv) {
  return aoe::lossbridge::parse_and_run(argc, argv);
}
