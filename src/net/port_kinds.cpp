#include "net/port_kinds.h"

#include <array>
#include <cstddef>

namespace aoe::net {
namespace {

using Opened = Result<std::unique_ptr<PacketPort>>;

Opened open_packet(const AfPacketOptions& options, WithoutXdp /*without_xdp*/) {
  AOE_TRY_ASSIGN(auto port, AfPacketPort::open(options));
  return std::unique_ptr<PacketPort>(std::move(port));
}

struct Kind {
  PortKind kind;
  Opened (*open)(const AfPacketOptions& options, WithoutXdp without_xdp);
};

// By PortKind. What `auto` is follows from measurements: docs/PERFORMANCE.md.
constexpr std::array<Kind, kPortKinds.size()> kKinds{{
    {PortKind::automatic, open_packet},
    {PortKind::packet, open_packet},
    {PortKind::xdp, open_xdp_port},
}};

}  // namespace

Opened open_port(PortKind kind, const AfPacketOptions& options, WithoutXdp without_xdp) {
  return kKinds[static_cast<std::size_t>(kind)].open(options, without_xdp);
}

}  // namespace aoe::net
