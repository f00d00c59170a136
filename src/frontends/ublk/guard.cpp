#include "frontends/ublk/guard.h"

#include "base/parse.h"
#include "os/error_text.h"
#include "os/fd.h"
#include "os/poll_until.h"
#include "os/run_program.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace aoe::ublk {
namespace {

// A server that dies at once again is started less and less often.
constexpr Duration kPauseMin = Duration::milliseconds(100);
constexpr Duration kPauseMax = Duration::seconds(10);

// A child that runs this program anew, its standard output in `output`.
Result<pid_t> start(const std::vector<std::string>& arguments, const os::Fd& output) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    (void)::dup2(output.get(), STDOUT_FILENO);
    (void)::execv(words.front(), words.data());
    ::_exit(127);
  }
  if (pid < 0) {
    return fail(os::os_error(errno, "start the server"));
  }
  return pid;
}

// Up to the end of the first line, or nothing when the other end is closed before.
std::string read_line(const os::Fd& from) {
  std::string line;
  char letter = 0;
  for (;;) {
    const ssize_t count = ::read(from.get(), &letter, 1);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return {};
    }
    if (letter == '\n') {
      return line;
    }
    line += letter;
  }
}

struct Pipe {
  os::Fd read_end;
  os::Fd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(os::os_error(errno, "pipe"));
  }
  return Pipe{os::Fd(ends[0]), os::Fd(ends[1])};
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void leave_terminal() {
  // Where it cannot leave it keeps a directory busy, no more.
  [[maybe_unused]] const bool has_left = ::chdir("/") == 0;
  const os::Fd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    (void)::dup2(nowhere.get(), stream);
  }
}

// One run of a server: what it said when it was ready, and how it ended.
struct Run {
  std::string line{};
  int status = 0;
};

// `when_ready` is called with the line of a server that has got so far.
template <class WhenReady>
Result<Run> run_server(const std::vector<std::string>& arguments, const WhenReady& when_ready) {
  AOE_TRY_ASSIGN(Pipe pipe, make_pipe());
  AOE_TRY_ASSIGN(const pid_t pid, start(arguments, pipe.write_end));
  pipe.write_end.reset();
  Run run;
  run.line = read_line(pipe.read_end);
  if (!run.line.empty()) {
    when_ready(run.line);
  }
  run.status = wait_for(pid);
  return run;
}

[[noreturn]] void guard(const std::vector<std::string>& arguments, const std::string& uri,
                        os::Fd caller) {
  (void)::setsid();
  // What a caller waits to be told of is for it alone.
  (void)std::signal(SIGPIPE, SIG_IGN);
  ::openlog("aoe-ublk", LOG_PID, LOG_DAEMON);
  auto first = run_server(arguments, [&](const std::string& line) {
    const std::string text = line + "\n";
    (void)!::write(caller.get(), text.data(), text.size());
    caller.reset();
    leave_terminal();
  });
  const auto device = first ? parse_ready_line(first->line) : fail_with(Errc::io, 0, "");
  if (!device) {
    ::_exit(1);
  }
  const std::vector<std::string> again = resume_arguments(uri, *device);
  auto pause = kPauseMin;
  int status = first->status;
  while (status != 0) {
    ::syslog(LOG_WARNING, "/dev/ublkb%u: its server has died (status %d): another one goes on",
             device->number, status);
    os::pause_for(pause);
    pause = std::min(pause * 2, kPauseMax);
    const auto next = run_server(again, [&](const std::string& /*line*/) {
      ::syslog(LOG_NOTICE, "/dev/ublkb%u: is served again", device->number);
      pause = kPauseMin;
    });
    status = next ? next->status : -1;
  }
  ::_exit(0);
}

}  // namespace

std::string to_string(const ReadyLine& line) {
  return fmt::format("{} {}", line.number, line.serial);
}

Result<ReadyLine> parse_ready_line(const std::string& line) {
  const std::size_t space = line.find(' ');
  const auto number = parse_unsigned(line.substr(0, space));
  if (!number || space == std::string::npos) {
    return fail_with(Errc::corrupt, 0, fmt::format("\"{}\": expected NUMBER SERIAL", line));
  }
  return ReadyLine{static_cast<std::uint32_t>(*number), line.substr(space + 1)};
}

std::vector<std::string> resume_arguments(const std::string& uri, const ReadyLine& device) {
  std::string pinned = uri;
  // An URI has no way to write a serial number with an ampersand.
  if (!device.serial.empty() && device.serial.find('&') == std::string::npos &&
      uri.find("serial=") == std::string::npos) {
    pinned +=
        fmt::format("{}serial={}", uri.find('?') == std::string::npos ? '?' : '&', device.serial);
  }
  return {os::own_executable(), "--foreground", "--resume", std::to_string(device.number), pinned};
}

Result<std::uint32_t> start_guarded(const Options& options) {
  std::vector<std::string> arguments{os::own_executable(), "--foreground"};
  if (options.resume) {
    arguments.insert(arguments.end(), {"--resume", std::to_string(*options.resume)});
  }
  if (options.queues != 0) {
    arguments.insert(arguments.end(), {"--queues", std::to_string(options.queues)});
  }
  arguments.push_back(options.uri);
  AOE_TRY_ASSIGN(Pipe pipe, make_pipe());
  const pid_t pid = ::fork();
  if (pid == 0) {
    pipe.read_end.reset();
    guard(arguments, options.uri, std::move(pipe.write_end));
  }
  if (pid < 0) {
    return fail(os::os_error(errno, "start the guard"));
  }
  pipe.write_end.reset();
  const auto device = parse_ready_line(read_line(pipe.read_end));
  if (!device) {
    (void)wait_for(pid);
    return fail_with(Errc::unavailable, 0, "");
  }
  return device->number;
}

}  // namespace aoe::ublk
