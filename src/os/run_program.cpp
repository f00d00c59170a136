#include "os/run_program.h"

#include "os/environment.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace aoe::os {
namespace {

// A file in memory, and not a pipe: whoever stays in the background may hold a pipe open for ever.
Fd make_catcher(const char* name) {
  return Fd(::memfd_create(name, MFD_CLOEXEC));
}

std::string caught(const Fd& file) {
  std::string text;
  std::array<char, 4096> part{};
  off_t at = 0;
  for (;;) {
    const ssize_t count = ::pread(file.get(), part.data(), part.size(), at);
    if (count <= 0) {
      return text;
    }
    text.append(part.data(), static_cast<std::size_t>(count));
    at += count;
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// posix_spawn's two objects, freed on every way out.
struct SpawnSettings {
  SpawnSettings() {
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
  }

  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  ~SpawnSettings() {
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

Result<ProgramOutcome> run_program(const std::vector<std::string>& arguments) {
  const std::string& name = arguments.front();
  const Fd output = make_catcher("output");
  const Fd errors = make_catcher("errors");
  if (!output || !errors) {
    return fail(os_error(errno, name + ": file for its output"));
  }
  SpawnSettings settings;
  (void)posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  (void)posix_spawn_file_actions_adddup2(&settings.actions, output.get(), STDOUT_FILENO);
  (void)posix_spawn_file_actions_adddup2(&settings.actions, errors.get(), STDERR_FILENO);
  sigset_t none{};
  sigset_t all{};
  (void)sigemptyset(&none);
  (void)sigfillset(&all);
  (void)posix_spawnattr_setsigmask(&settings.attributes, &none);
  (void)posix_spawnattr_setsigdefault(&settings.attributes, &all);
  (void)posix_spawnattr_setflags(
      &settings.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, name.c_str(), &settings.actions, &settings.attributes,
                                    words.data(), environ);
  if (failed != 0) {
    return fail_with(failed == ENOENT ? Errc::not_found : Errc::io, failed,
                     fmt::format("{}: cannot be run: {}", name, error_text(failed)));
  }
  ProgramOutcome outcome;
  outcome.status = wait_for(pid);
  outcome.output = caught(output);
  outcome.errors = caught(errors);
  while (outcome.errors.ends_with('\n')) {
    outcome.errors.pop_back();
  }
  return outcome;
}

bool is_in_path(const std::string& name) {
  const char* const path = environment("PATH");
  std::string_view rest = path == nullptr ? "/usr/local/bin:/bin:/usr/bin" : path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string_view directory = rest.substr(0, end);
    if (!directory.empty() && ::access(fmt::format("{}/{}", directory, name).c_str(), X_OK) == 0) {
      return true;
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

std::string own_executable() {
  std::array<char, 4096> path{};
  const ssize_t count = ::readlink("/proc/self/exe", path.data(), path.size());
  if (count <= 0 || static_cast<std::size_t>(count) == path.size()) {
    return {};
  }
  std::string text(path.data(), static_cast<std::size_t>(count));
  // What was replaced by a newer version since it was started.
  constexpr std::string_view kReplaced = " (deleted)";
  if (text.ends_with(kReplaced)) {
    text.resize(text.size() - kReplaced.size());
  }
  return text;
}

}  // namespace aoe::os
