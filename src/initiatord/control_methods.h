// The methods of the initiator daemon's control socket.
#pragma once

#include "control/server.h"

namespace aoe::initiatord {

class Daemon;

// Both outlive each other's use: the server is gone before the daemon is.
void add_control_methods(control::Server& server, Daemon& daemon);

}  // namespace aoe::initiatord
