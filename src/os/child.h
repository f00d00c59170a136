// One child process: the command of `--run`.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

namespace aoe::os {

// A shell command that runs beside the program, with its standard streams, environment and process
// group (so that Ctrl-C reaches both), but with no signal blocked or ignored. Single thread.
class ChildProcess {
 public:
  // Runs `/bin/sh -c command`. Errors: io (no process or descriptor left). A command that the shell
  // cannot find ends with status 127.
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> run_shell(const std::string& command);

  // The same, but the command waits for release(): a program that gives up its privileges in
  // between can still run it with the ones it was started with. A command that is never released
  // ends with status 1 together with this object.
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> prepare_shell(
      const std::string& command);
  void release();

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills a child that still runs and waits for its end.
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }

  // Readable (for good) once the child has ended.
  [[nodiscard]] int wait_fd() const { return pidfd_.get(); }

  // The exit status, or 128 + the signal's number as a shell reports it; nullopt while it runs.
  [[nodiscard]] std::optional<int> exit_status();

  // Sends a signal; does nothing to a child that has ended.
  void send_signal(int number);

 private:
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> spawn(const std::string& script,
                                                                   const std::string& command,
                                                                   int gate_fd);

  ChildProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  enum class Wait { no, yes };
  void reap(Wait wait);

  pid_t pid_;
  Fd pidfd_;
  Fd gate_;  // open until release()
  std::optional<int> exit_status_;
};

}  // namespace aoe::os
