#include "compat/solaris/daemon_follower.h"

#include <utility>

namespace aoe::compat::solaris {
namespace {

// A socket in the file system costs nothing to try.
constexpr Duration kPause = Duration::seconds(1);

}  // namespace

bool DaemonFollower::look(Instant now) {
  if (client_ != nullptr || now < next_look_) {
    return false;
  }
  next_look_ = now + kPause;
  auto client = connect(places_);
  if (!client || !(*client)->subscribe()) {
    return false;
  }
  client_ = *std::move(client);
  return true;
}

std::optional<Instant> DaemonFollower::next_look() const {
  return client_ == nullptr ? std::optional(next_look_) : std::nullopt;
}

std::optional<Json> DaemonFollower::next_event() {
  if (client_ == nullptr) {
    return std::nullopt;
  }
  auto event = client_->next_event();
  if (!event) {
    client_.reset();
    return std::nullopt;
  }
  return *std::move(event);
}

}  // namespace aoe::compat::solaris
