// What every daemon is told, whatever it does: interfaces, places, how much it says, who it
// becomes.
#pragma once

#include "base/port_kind.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::config {

enum class LogLevel : std::uint8_t { error, warning, info, debug, trace };

// The word that a configuration uses.
[[nodiscard]] std::string_view to_string(LogLevel level);

// sizeof(sockaddr_un::sun_path) less the terminating zero.
inline constexpr std::size_t kSocketPathCharsMax = 107;

// A second is for ever, as far as frames go.
inline constexpr Duration kBusyPollMax = Duration::seconds(1);

// The base of each daemon's own configuration. Its keys are those of daemon_keys.h.
struct DaemonConfig {
  std::vector<std::string> interfaces;
  PortKind port = PortKind::automatic;  // how frames go through them
  std::string control_path;
  LogLevel log_level = LogLevel::info;
  std::string user;   // to become after start; empty: stay
  std::string group;  // only with user; empty: the user's own group
  // How long it looks for frames before it sleeps; absent: as long as that pays.
  std::optional<Duration> busy_poll;  // 0..kBusyPollMax

  // Where it was written, for messages: the file's name or "command line".
  std::string origin;
};

}  // namespace aoe::config
