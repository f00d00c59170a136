#include "net/open_xdp_port.h"

#include "net/af_xdp_port.h"

namespace aoe::net {

Result<std::unique_ptr<PacketPort>> open_xdp_port(const AfPacketOptions& options,
                                                  WithoutXdp without_xdp) {
  AOE_TRY_ASSIGN(auto port, AfXdpPort::open(options, without_xdp));
  return std::unique_ptr<PacketPort>(std::move(port));
}

bool has_xdp() {
  return true;
}

}  // namespace aoe::net
