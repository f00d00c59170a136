#include "compat/solaris/daemon_start.h"

#include "base/parse.h"
#include "compat/solaris/text_file.h"
#include "os/poll_until.h"
#include "os/run_program.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <system_error>

namespace aoe::compat::solaris {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kService = "aoe-initiatord.service";
constexpr std::string_view kProgram = "aoe-initiatord";
constexpr std::string_view kConfig = "/etc/aoekit/aoe-initiatord.toml";
constexpr Duration kPatience = Duration::seconds(30);
constexpr Duration kLookAgain = Duration::milliseconds(50);

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// PREFIX/libexec/aoekit/solaris -> PREFIX/bin/aoe-initiatord
std::string program_beside(const std::string& program_near) {
  const fs::path found =
      fs::path(program_near).parent_path().parent_path().parent_path() / "bin" / kProgram;
  return exists(found) ? found.string() : std::string(kProgram);
}

auto cannot_start(const std::string& why) {
  return fail_with(Errc::unavailable, 0,
                   fmt::format("no daemon answers, and {} cannot be started: {}", kProgram, why));
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

Result<void> ask_service_manager() {
  AOE_TRY_ASSIGN(const auto outcome,
                 os::run_program({"systemctl", "start", std::string(kService)}));
  return outcome.status == 0 ? Result<void>{} : cannot_start(last_line(outcome.errors));
}

// Returns the process id.
Result<pid_t> run_in_background(const DaemonStart& start, const std::string& log) {
  std::vector<std::string> command{
      "/bin/sh", "-c", "log=$1; shift; \"$@\" </dev/null >>\"$log\" 2>&1 & echo $!",
      "sh",      log,  start.program};
  command.insert(command.end(), start.arguments.begin(), start.arguments.end());
  AOE_TRY_ASSIGN(const auto outcome, os::run_program(command));
  const auto pid = parse_unsigned(last_line(outcome.output));
  if (outcome.status != 0 || !pid) {
    return cannot_start(last_line(outcome.errors));
  }
  return static_cast<pid_t>(*pid);
}

Result<std::unique_ptr<control::Client>> wait_for_daemon(const DaemonPlaces& places, pid_t pid,
                                                         const std::string& log) {
  Result<std::unique_ptr<control::Client>> client;
  const bool is_decided = os::poll_until(kPatience, kLookAgain, [&] {
    client = connect(places);
    return client || ::kill(pid, 0) < 0;
  });
  if (!client && is_decided) {
    const auto said = read_text_file(log);
    return cannot_start(said ? last_line(*said) : "it ended at once");
  }
  return client;
}

}  // namespace

DaemonStart plan_daemon_start(const Places& places, const std::string& program_near,
                              const std::string& interface) {
  const bool is_host = places.run == Places().run;
  DaemonStart start;
  start.by_service_manager = is_host && exists(places.run + "/systemd/system");
  start.program = program_beside(program_near);
  if (is_host && exists(std::string(kConfig))) {
    start.arguments = {"--config", std::string(kConfig)};
    return start;
  }
  start.arguments = {"-i", interface};
  if (!is_host) {
    start.arguments.insert(start.arguments.end(),
                           {"--control", places.run + "/aoekit/initiator.sock", "--mount",
                            places.run + "/aoekit/etherd", "--links", places.dev + "/etherd"});
  }
  return start;
}

Result<std::unique_ptr<control::Client>> connect_or_start(const Call& call,
                                                          const DaemonPlaces& places, bool is_named,
                                                          const std::string& interface) {
  auto client = connect(places);
  if (client || is_named || client.error().code != Errc::unavailable) {
    return client;
  }
  const DaemonStart start = plan_daemon_start(call.places, os::own_executable(), interface);
  if (start.by_service_manager) {
    // Returns when the daemon serves (Type=notify).
    AOE_TRY(ask_service_manager());
    return connect(places);
  }
  AOE_TRY(make_directories(places.channels));
  const std::string log = places.channels + "/aoe-initiatord.log";
  AOE_TRY_ASSIGN(const pid_t pid, run_in_background(start, log));
  return wait_for_daemon(places, pid, log);
}

}  // namespace aoe::compat::solaris
