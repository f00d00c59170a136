// What the kernel says about network interfaces, asked over rtnetlink.
//
// Netlink answers for the network namespace of the calling thread. /sys/class/net does not: inside
// `ip netns exec` it may still show the host's interfaces, so it is never read.
#pragma once

#include "base/mac_address.h"
#include "base/result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace aoe::os {

struct NetInterface {
  std::string name;
  int index = 0;
  MacAddress mac;             // zero for an interface without a six-byte address
  std::size_t mtu_bytes = 0;  // without the 14-byte Ethernet header
  bool up = false;            // administratively (IFF_UP)
  // Frames pass: the lower layer is up and so is the kernel's transmit queue (IFF_LOWER_UP and
  // IFF_RUNNING). The queue follows the link a moment later, with a link event of its own; frames
  // sent between the two would be dropped.
  bool carrier = false;
  int hardware_type = 0;  // ARPHRD_ETHER and so on (linux/if_arp.h)
  bool no_arp = false;    // asks for no addresses (IFF_NOARP): tun, dummy
  bool enslaved = false;  // a port of a bridge, a bond, a team or a VRF
  std::string kind;       // "veth", "vlan", "bond"; empty for real and paravirtual hardware
};

// Errors: not_found (no such interface in this namespace), invalid_argument (no possible name:
// empty or longer than 15 bytes), io (netlink). Needs no privileges. Blocks for the kernel's answer
// only.
[[nodiscard]] Result<NetInterface> query_interface(const std::string& name);

// All interfaces of this namespace in the kernel's order (by index).
[[nodiscard]] Result<std::vector<NetInterface>> list_interfaces();

// ARPHRD_ETHER: frames have a 14-byte Ethernet header. Not so for loopback, tun, wireless monitors.
[[nodiscard]] bool is_ethernet(const NetInterface& interface);

// Whether `auto` may use it: Ethernet hardware (or a bond or team of such), up, with carrier, and
// not part of a bridge or bond itself. Virtual interfaces (veth, tap, bridges, macvlan, VLANs) are
// left out on purpose: they often lead into containers and guests, which nobody meant to give disks
// to. They can be named explicitly.
[[nodiscard]] bool is_auto_candidate(const NetInterface& interface);

}  // namespace aoe::os
