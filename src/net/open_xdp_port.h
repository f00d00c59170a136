// AF_XDP, or the message that this build has none: which of the two is decided by what the build
// found (libbpf).
#pragma once

#include "net/af_packet_port.h"
#include "net/packet_port.h"

#include <cstdint>
#include <memory>

namespace aoe::net {

// What becomes of a port that cannot have AF_XDP at the moment: a daemon that runs already takes
// what it can get.
enum class WithoutXdp : std::uint8_t {
  refuse,
  use_packet,  // kind_reason() says why
};

// Errors: those of AfXdpPort::open; without AF_XDP in this build: unsupported.
[[nodiscard]] Result<std::unique_ptr<PacketPort>> open_xdp_port(const AfPacketOptions& options,
                                                                WithoutXdp without_xdp);

// Whether this build has AF_XDP.
[[nodiscard]] bool has_xdp();

}  // namespace aoe::net
