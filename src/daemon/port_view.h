// A packet port as the control socket shows it.
#pragma once

#include "control/message.h"
#include "net/packet_port.h"

namespace aoe::daemon {

// {"interface":"eth1","mac":"..","link_up":true,"rx_frames":..,..}
[[nodiscard]] control::Json port_json(const net::PacketPort& port);

}  // namespace aoe::daemon
