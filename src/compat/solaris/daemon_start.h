// Starting the initiator daemon for a command that needs it, as the first open of a channel loaded
// the driver there.
#pragma once

#include "base/result.h"
#include "compat/program.h"
#include "compat/solaris/daemon_link.h"

#include <memory>
#include <string>
#include <vector>

namespace aoe::compat::solaris {

// What is to be run. Where the service manager is, it is asked to start the service: then it is the
// daemon's parent, with all that its unit says. Elsewhere the daemon itself, with the host's
// configuration or, without one, on `interface` alone.
struct DaemonStart {
  std::string program{};                 // of the daemon
  std::vector<std::string> arguments{};  // likewise
  bool by_service_manager = false;
};

// `program_near` is the path of this program: the daemon is looked for beside its folder, then in
// PATH.
[[nodiscard]] DaemonStart plan_daemon_start(const Places& places, const std::string& program_near,
                                            const std::string& interface);

// A connection; where no daemon is, one is started first, unless the caller named a socket
// (`is_named`): then it is somebody else's. Errors: those of connect(); unavailable, with what the
// daemon or the service manager said.
[[nodiscard]] Result<std::unique_ptr<control::Client>> connect_or_start(
    const Call& call, const DaemonPlaces& places, bool is_named, const std::string& interface);

}  // namespace aoe::compat::solaris
