// What `aoe target ...` can ask of the daemon, and the answers as JSON.
#pragma once

#include "control/server.h"

namespace aoe::targetd {

class Daemon;

// Registers target.list, .show, .export, .unexport, .online, .offline, .resize, .reload and .stats.
// `daemon` outlives `server`.
void add_control_methods(control::Server& server, Daemon& daemon);

}  // namespace aoe::targetd
