// Steps that every daemon takes between its configuration and its first turn.
#pragma once

#include "base/result.h"
#include "config/daemon_config.h"
#include "control/server.h"
#include "os/privileges.h"
#include "runtime/event_loop.h"

#include <memory>

namespace aoe::daemon {

// Serves the control socket of the configuration, whose directory is made if there is none. Errors:
// those of control::Server::open.
[[nodiscard]] Result<std::unique_ptr<control::Server>> open_control(
    runtime::EventLoop& loop, const config::DaemonConfig& config);

// Whom to become, with which groups: for os::drop_privileges.
[[nodiscard]] os::PrivilegeDrop privilege_drop(const config::DaemonConfig& config);

// How the daemon's loop waits.
[[nodiscard]] runtime::EventLoop::Options polling(const config::DaemonConfig& config);

}  // namespace aoe::daemon
