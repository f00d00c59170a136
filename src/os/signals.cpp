#include "os/signals.h"

#include "os/error_text.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace aoe::os {

Result<std::unique_ptr<SignalSet>> SignalSet::open(std::initializer_list<int> signals) {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : signals) {
    if (sigaddset(&mask, signal) < 0) {
      return fail(os_error(errno, "signals: add to set"));
    }
  }
  Fd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) {
    return fail(os_error(errno, "signals: signalfd"));
  }
  sigset_t previous;
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &mask, &previous); error != 0) {
    return fail(os_error(error, "signals: block"));
  }
  return std::unique_ptr<SignalSet>(new SignalSet(std::move(fd), previous));
}

SignalSet::~SignalSet() {
  while (next()) {
  }
  ::pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

std::optional<SignalEvent> SignalSet::next() {
  signalfd_siginfo info{};
  ssize_t length = -1;
  do {
    length = ::read(fd_.get(), &info, sizeof info);
  } while (length < 0 && errno == EINTR);
  if (length != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  return SignalEvent{static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid)};
}

}  // namespace aoe::os
