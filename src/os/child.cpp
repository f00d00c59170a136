#include "os/child.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace aoe::os {
namespace {

// Declared here because glibc has no wrapper before 2.36.
Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// What a blocked or ignored signal of ours would otherwise mean in the command.
void set_plain_signals(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::run_shell(const std::string& command) {
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  std::array<char*, 4> arguments{shell.data(), flag.data(), text.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  set_plain_signals(attributes);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, "/bin/sh", nullptr, &attributes, arguments.data(), ::environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return fail(os_error(error, fmt::format("{}: run command", command)));
  }
  // The pid cannot be anybody else's before we have reaped it.
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid, open_pidfd(pid)));
  if (!child->pidfd_) {
    return fail(os_error(errno, fmt::format("{}: run command: pidfd_open", command)));
  }
  return child;
}

ChildProcess::~ChildProcess() {
  send_signal(SIGKILL);
  reap(Wait::yes);
}

std::optional<int> ChildProcess::exit_status() {
  reap(Wait::no);
  return exit_status_;
}

void ChildProcess::send_signal(int number) {
  if (!exit_status_) {
    ::kill(pid_, number);
  }
}

void ChildProcess::reap(Wait wait) {
  if (exit_status_) {
    return;
  }
  int status = 0;
  pid_t ended = -1;
  do {
    ended = ::waitpid(pid_, &status, wait == Wait::yes ? 0 : WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended == pid_) {
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else if (ended < 0) {
    // Somebody ignores SIGCHLD or reaped our child: its status is lost, which is a failure.
    exit_status_ = 127;
  }
}

}  // namespace aoe::os
