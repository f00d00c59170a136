// A packet port as the control socket and the log show it.
#pragma once

#include "control/message.h"
#include "net/packet_port.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace aoe::daemon {

// {"interface":"eth1","mac":"..","link_up":true,"rx_frames":..,..}
[[nodiscard]] control::Json port_json(const net::PacketPort& port);

// The same with other counters: of several ports on one interface.
[[nodiscard]] control::Json port_json(const net::PacketPort& port, const net::PortStats& stats);

// Says in the log how frames go through a port that is not simply a packet socket, and when that
// changes.
class PortLog {
 public:
  void look(const std::vector<std::unique_ptr<net::PacketPort>>& ports);

 private:
  std::map<std::string, std::string> said_;  // by interface
};

}  // namespace aoe::daemon
