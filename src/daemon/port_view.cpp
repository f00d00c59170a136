#include "daemon/port_view.h"

#include "base/port_kind.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

namespace aoe::daemon {

control::Json port_json(const net::PacketPort& port) {
  return port_json(port, port.stats());
}

control::Json port_json(const net::PacketPort& port, const net::PortStats& stats) {
  return {
      {"interface", port.name()},           {"mac", to_string(port.info().mac)},
      {"mtu_bytes", port.info().mtu_bytes}, {"link_up", port.info().link_up},
      {"rx_frames", stats.rx_frames},       {"rx_bytes", stats.rx_bytes},
      {"rx_dropped", stats.rx_dropped},     {"rx_truncated", stats.rx_truncated},
      {"tx_frames", stats.tx_frames},       {"tx_bytes", stats.tx_bytes},
      {"tx_dropped", stats.tx_dropped},     {"tx_oversize", stats.tx_oversize},
      {"link_changes", stats.link_changes}, {"port", port.kind()},
      {"port_reason", port.kind_reason()},
  };
}

void PortLog::look(const std::vector<std::unique_ptr<net::PacketPort>>& ports) {
  for (const auto& port : ports) {
    const std::string reason = port->kind_reason();
    const std::string text =
        reason.empty() ? std::string(port->kind()) : fmt::format("{} ({})", port->kind(), reason);
    // What everybody has is not worth a line.
    const auto said = said_.try_emplace(port->name(), to_string(PortKind::packet)).first;
    if (said->second == text) {
      continue;
    }
    said->second = text;
    if (reason.empty()) {
      spdlog::info("{}: port {}", port->name(), text);
    } else {
      spdlog::warn("{}: port {}", port->name(), text);
    }
  }
}

}  // namespace aoe::daemon
