// The events of the initiator daemon, for a program that lives longer than it.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "compat/solaris/daemon_link.h"

#include <memory>
#include <optional>

namespace aoe::compat::solaris {

// A connection that is made anew when it was lost. Single thread.
class DaemonFollower {
 public:
  explicit DaemonFollower(DaemonPlaces places) : places_(std::move(places)) {}

  // Tries to connect when there is no connection and it is time to; true when there is a new one.
  [[nodiscard]] bool look(Instant now);

  // Readable when next_event() has something; -1 without a connection.
  [[nodiscard]] int wait_fd() const { return client_ == nullptr ? -1 : client_->wait_fd(); }

  // When look() has something to do; nullopt while there is a connection.
  [[nodiscard]] std::optional<Instant> next_look() const;

  // nullopt when there is none now; a connection that was lost has none.
  [[nodiscard]] std::optional<Json> next_event();

 private:
  DaemonPlaces places_;
  std::unique_ptr<control::Client> client_;
  Instant next_look_{};
};

}  // namespace aoe::compat::solaris
