#include "compat/vblade/commands.h"

#include "compat/vblade/blade.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <string>
#include <utility>

namespace aoe::compat::vblade {
namespace {

constexpr const char* kTarget = "aoe-targetd";
constexpr std::size_t kDaemonWords = 4;  // below which vbladed says how it is called

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string();
}

// What of the file is exported; nullopt, and the message of vblade, when nothing is.
std::optional<std::uint64_t> look_at_file(const Blade& blade, Console& console) {
  const int access = blade.is_read_only ? O_RDONLY : O_RDWR;
  const os::Fd file(::open(blade.file.c_str(), access | O_CLOEXEC));
  const off_t bytes = file ? ::lseek(file.get(), 0, SEEK_END) : -1;
  if (bytes < 0) {
    std::string why = os::error_text(errno);
    why.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(why.front())));
    console.error(fmt::format("open: {}\n", why));
    return std::nullopt;
  }
  return exported_sectors(blade, static_cast<std::uint64_t>(bytes) / kSectorBytes, console);
}

// Becomes the target. Returns only when it cannot.
int become_target(const Call& call, const Blade& blade, std::uint64_t sectors, Console& console) {
  console.out(fmt::format("pid {}: {}, {} sectors {}\n", ::getpid(), to_string(blade.address),
                          sectors, blade.is_read_only ? "O_RDONLY" : "O_RDWR"));
  std::string program = kTarget;
  std::vector<std::string> words = target_arguments(blade, call.places, host_name());
  std::vector<char*> argv{program.data()};
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  ::execvp(kTarget, argv.data());
  const int failed = errno;
  ::execv(AOE_TARGETD_INSTALLED, argv.data());
  console.error(fmt::format("{}: {}: {}\n", call.name, kTarget, os::error_text(failed)));
  return 1;
}

// Standard output and error of this process go to a logger from now on. Errors: io.
Result<void> log_to_syslog(const char* tag) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    return fail(os::os_error(errno, "pipe"));
  }
  const os::Fd from(ends[0]);
  const os::Fd to(ends[1]);
  const os::Fd nothing(::open("/dev/null", O_RDWR));
  if (!nothing || ::dup2(nothing.get(), STDIN_FILENO) < 0) {
    return fail(os::os_error(errno, "/dev/null"));
  }
  const pid_t logger = ::fork();
  if (logger < 0) {
    return fail(os::os_error(errno, "fork"));
  }
  if (logger == 0) {
    (void)::dup2(from.get(), STDIN_FILENO);
    // Whoever reads what we print must not wait for the logger to end.
    (void)::dup2(nothing.get(), STDOUT_FILENO);
    (void)::dup2(nothing.get(), STDERR_FILENO);
    (void)::close(ends[0]);
    (void)::close(ends[1]);
    ::execlp("logger", "logger", "-t", tag, nullptr);
    ::_exit(127);
  }
  if (::dup2(to.get(), STDOUT_FILENO) < 0 || ::dup2(to.get(), STDERR_FILENO) < 0) {
    return fail(os::os_error(errno, "dup2"));
  }
  return {};
}

template <Dialect kDialect>
int serve(const Call& call, Console& console) {
  const auto parsed = parse_blade(kDialect, call, console);
  if (const int* status = std::get_if<int>(&parsed)) {
    return *status;
  }
  const Blade& blade = std::get<Blade>(parsed);
  const auto sectors = look_at_file(blade, console);
  return sectors ? become_target(call, blade, *sectors, console) : 1;
}

// What is wrong with the call is said before the terminal is gone; what comes later, in the log.
template <Dialect kDialect>
int serve_in_background(const Call& call, Console& console) {
  const bool is_help = call.arguments.size() == 1 && call.arguments[0] == "--help";
  if (call.arguments.size() < kDaemonWords && !is_help) {
    console.error("usage: ./vblade <shelf> <slot> <ethn> <device>\n");
    return 1;
  }
  const auto parsed = parse_blade(kDialect, call, console);
  if (const int* status = std::get_if<int>(&parsed)) {
    return *status;
  }
  const Blade& blade = std::get<Blade>(parsed);
  const auto sectors = look_at_file(blade, console);
  if (!sectors) {
    return 1;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    console.error(fmt::format("{}: {}\n", call.name, os::os_error(errno, "fork").message));
    return 1;
  }
  if (child > 0) {
    return 0;
  }
  (void)::setsid();
  if (const auto logged = log_to_syslog(call.name.c_str()); !logged) {
    ::_exit(1);
  }
  ::_exit(become_target(call, blade, *sectors, console));
}

constexpr std::array kCommands{
    Command{"vblade", serve<Dialect::vblade>},
    Command{"vbladed", serve_in_background<Dialect::vblade>},
    Command{"aoede", serve<Dialect::aoede>},
    Command{"aoeded", serve_in_background<Dialect::aoede>},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace aoe::compat::vblade
