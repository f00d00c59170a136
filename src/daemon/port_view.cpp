#include "daemon/port_view.h"

namespace aoe::daemon {

control::Json port_json(const net::PacketPort& port) {
  const net::PortStats stats = port.stats();
  return {
      {"interface", port.name()},           {"mac", to_string(port.info().mac)},
      {"mtu_bytes", port.info().mtu_bytes}, {"link_up", port.info().link_up},
      {"rx_frames", stats.rx_frames},       {"rx_bytes", stats.rx_bytes},
      {"rx_dropped", stats.rx_dropped},     {"rx_truncated", stats.rx_truncated},
      {"tx_frames", stats.tx_frames},       {"tx_bytes", stats.tx_bytes},
      {"tx_dropped", stats.tx_dropped},     {"tx_oversize", stats.tx_oversize},
      {"link_changes", stats.link_changes},
  };
}

}  // namespace aoe::daemon
