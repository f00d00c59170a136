#include "os/child.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
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
  return spawn(command, "", -1);
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::prepare_shell(const std::string& command) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(os_error(errno, fmt::format("{}: prepare command: pipe", command)));
  }
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  // The shell waits for a line and becomes the command; end of file means that we are gone.
  AOE_TRY_ASSIGN(auto child,
                 spawn("read -r go <&9 && exec sh -c \"$1\" 9<&-", command, read_end.get()));
  child->gate_ = std::move(write_end);
  return child;
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::spawn(const std::string& script,
                                                          const std::string& command, int gate_fd) {
  constexpr int kGateFdInChild = 9;
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = script;
  std::string parameter = command;
  std::array<char*, 6> arguments{shell.data(), flag.data(),      text.data(),
                                 shell.data(), parameter.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  set_plain_signals(attributes);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (gate_fd >= 0) {
    posix_spawn_file_actions_adddup2(&actions, gate_fd, kGateFdInChild);
  }
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments.data(), ::environ);
  posix_spawn_file_actions_destroy(&actions);
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

void ChildProcess::release() {
  if (gate_) {
    // A child that has died meanwhile shows in its exit status; SIGPIPE is ignored or would be
    // fatal to nobody but us, so the write is only tried.
    const ssize_t ignored = ::write(gate_.get(), "\n", 1);
    static_cast<void>(ignored);
    gate_.reset();
  }
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
