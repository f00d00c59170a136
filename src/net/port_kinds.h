// One port of the kind that was asked for.
#pragma once

#include "base/port_kind.h"
#include "net/af_packet_port.h"
#include "net/open_xdp_port.h"
#include "net/packet_port.h"

#include <memory>

namespace aoe::net {

// Errors: those of AfPacketPort::open, and for PortKind::xdp those of open_xdp_port().
[[nodiscard]] Result<std::unique_ptr<PacketPort>> open_port(
    PortKind kind, const AfPacketOptions& options, WithoutXdp without_xdp = WithoutXdp::refuse);

}  // namespace aoe::net
