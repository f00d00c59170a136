// Tells the service manager how the service is doing (sd_notify).
#pragma once

#include "base/time.h"
#include "os/fd.h"

#include <map>
#include <optional>
#include <string>

namespace aoe::os {

// All functions do nothing unless a service manager set NOTIFY_SOCKET, and ignore a manager that
// does not listen: serving goes on either way.
//
// Reads the environment: call from one thread, before or after, but not while, it is changed.
class ServiceNotifier {
 public:
  // READY=1 with a status line. Say it only once everything is served; again after reloading().
  void ready(const std::string& status) const;
  // RELOADING=1, with the time stamp that Type=notify-reload wants. ready() ends it.
  void reloading() const;
  // STOPPING=1: the stop has begun.
  void stopping() const;
  // STATUS=: one line for `systemctl status`.
  void status(const std::string& text) const;
  // WATCHDOG=1: still alive.
  void watchdog() const;

  // Whether the manager keeps descriptors for the next process of the service, as it says by the
  // variable FDSTORE (systemd 254 and later with FileDescriptorStoreMax=).
  [[nodiscard]] bool keeps_fds() const;
  // Gives it a copy of the descriptor under a name, and takes it back.
  void keep_fd(int fd, const std::string& name) const;
  void forget_fd(const std::string& name) const;
  // Those that an earlier process has left, by name; of several with one name the first. Once: the
  // variables of the environment go.
  [[nodiscard]] std::map<std::string, os::Fd> take_kept_fds() const;

  // How often the manager wants to hear watchdog(); nullopt when it does not. Send it at half of
  // it.
  [[nodiscard]] std::optional<Duration> watchdog_interval() const;
};

}  // namespace aoe::os
