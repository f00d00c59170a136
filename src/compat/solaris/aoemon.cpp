#include "compat/solaris/arguments.h"
#include "compat/solaris/commands.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/monitor.h"
#include "compat/solaris/monitor_log.h"
#include "compat/solaris/names_command.h"
#include "compat/solaris/text_file.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"control", true}, LongOption{"debug", false},
                                  LongOption{"names", true}};

constexpr ArgumentForm kForm{
    "d:", kLongOptions, "aoemon [--debug] [--names DIR]",
    "Watches the AoE channels: enables targets that check in, and logs messages that are odd or "
    "tell of\nan error. It goes into the background and speaks to syslog, facility daemon.\n\n"
    "  --names DIR     keep the names of attached disks in DIR/dsk and DIR/rdsk in step\n"
    "  --debug         stay in the foreground and speak on standard error\n"
    "  -d DIR          directory of the active channels (default /run/aoekit/channels)\n"
    "  --control PATH  control socket of the daemon (default /run/aoekit/initiator.sock)\n"
    "  --help          show this help and end\n"};

// Held for as long as the process lives: one aoemon a directory, as /dev/aoemon could be open only
// once. Errors: busy.
Result<os::Fd> lock_pid_file(const std::string& path) {
  constexpr mode_t kMode = 0600;
  os::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  if (!file) {
    return fail(os::os_error(errno, path + ": open"));
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
    return errno == EWOULDBLOCK
               ? fail_with(Errc::busy, 0, path + ": another aoemon is running (its process id)")
               : fail(os::os_error(errno, path + ": lock"));
  }
  return file;
}

Result<void> write_pid(const os::Fd& file, pid_t pid) {
  const std::string text = fmt::format("{}\n", pid);
  if (::ftruncate(file.get(), 0) < 0 ||
      ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return fail(os::os_error(errno, "process id: write"));
  }
  return {};
}

// What a shell left open would keep its other end waiting for us.
void leave_terminal() {
  // Not chdir: the directory of the channels may be given relative to this one.
  (void)::setsid();
  const os::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing) {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      (void)::dup2(nothing.get(), fd);
    }
  }
}

Monitor::NameDisks naming_of(const Call& call, const Arguments& arguments) {
  const std::string* const root = arguments.find("names");
  if (root == nullptr) {
    return {};
  }
  return [wish = NamesWish{.channels = places_of(call, arguments).channels,
                           .sys = call.places.sys,
                           .root = *root,
                           .conf = nullptr}](
             control::Client& client) -> Result<std::vector<std::string>> {
    AOE_TRY_ASSIGN(NamesReport report, make_names(client, wish));
    AOE_TRY(report.outcome);
    return std::move(report.unnamed);
  };
}

Result<void> watch(const Call& call, const Arguments& arguments, Console& console) {
  const DaemonPlaces places = places_of(call, arguments);
  const bool is_debug = arguments.has("debug");
  if (!is_debug) {
    (void)::close_range(STDERR_FILENO + 1, std::numeric_limits<unsigned>::max(), 0);
  }
  AOE_TRY_ASSIGN(const auto monitor, Monitor::open(places, naming_of(call, arguments)));
  AOE_TRY_ASSIGN(const os::Fd pid_file, lock_pid_file(places.channels + "/aoemon.pid"));
  if (is_debug) {
    AOE_TRY(write_pid(pid_file, ::getpid()));
    ErrorLog log(console);
    monitor->run(log);
    return {};
  }
  const pid_t child = ::fork();
  if (child < 0) {
    return fail(os::os_error(errno, "fork"));
  }
  if (child > 0) {
    return write_pid(pid_file, child);
  }
  leave_terminal();
  SystemLog log;
  monitor->run(log);
  return {};
}

}  // namespace

int run_aoemon(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_options(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  return report_end(call, watch(call, *arguments, console), console);
}

}  // namespace aoe::compat::solaris
