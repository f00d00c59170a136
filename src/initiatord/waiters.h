// Control requests that are answered when something has happened to a device.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "control/server.h"
#include "initiatord/device_keeper.h"

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

namespace aoe::initiatord {

// How many there are is bounded by the server, which lets each client have so many requests open.
// The server outlives it.
class Waiters {
 public:
  enum class Until : std::uint8_t {
    up,          // a path reaches the device
    identified,  // a path answered who it is, at or after `since`
  };

  struct Waiter {
    DeviceAddress address;
    Until until = Until::up;
    Instant since{};
    Instant deadline{};
    Duration patience{};  // for the message
    control::Reply reply;
  };

  void add(Waiter waiter) { waiters_.push_back(std::move(waiter)); }

  // Answers those whose time has come: {"address","size_sectors"}, or timed_out, or unavailable
  // when the device was disabled.
  void look(Instant now, DeviceKeeper& keeper);

  // The next deadline.
  [[nodiscard]] std::optional<Instant> next_time() const;

  // The devices that are waited for.
  [[nodiscard]] std::vector<DeviceAddress> addresses() const;

 private:
  [[nodiscard]] static std::optional<Result<control::Json>> outcome(const Waiter& waiter,
                                                                    Instant now,
                                                                    DeviceKeeper& keeper);

  std::list<Waiter> waiters_;
};

}  // namespace aoe::initiatord
