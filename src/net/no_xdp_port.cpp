// Stands in for open_xdp_port.cpp where the build found no libbpf.
#include "net/open_xdp_port.h"

#include <fmt/format.h>

namespace aoe::net {

Result<std::unique_ptr<PacketPort>> open_xdp_port(const AfPacketOptions& options,
                                                  WithoutXdp /*without_xdp*/) {
  return fail_with(
      Errc::unsupported, 0,
      fmt::format("{}: open port: this build has no AF_XDP: libbpf was missing when it "
                  "was built (use port=packet, or build it with libbpf-dev)",
                  options.interface));
}

bool has_xdp() {
  return false;
}

}  // namespace aoe::net
