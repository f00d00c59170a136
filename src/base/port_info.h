// What a core knows of a packet port. Filled in by the edge, handed to the core by value.
#pragma once

#include "base/mac_address.h"

#include <cstddef>
#include <cstdint>

namespace aoe {

struct PortInfo {
  MacAddress mac;
  std::size_t mtu_bytes = 0;  // as the interface states it: without the 14-byte Ethernet header
  bool link_up = false;       // administratively up, with carrier
  friend bool operator==(const PortInfo&, const PortInfo&) = default;
};

}  // namespace aoe
