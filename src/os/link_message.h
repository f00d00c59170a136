// Turns one rtnetlink link message into a NetInterface. Shared by the query and the monitor.
#pragma once

#include "os/netif.h"

#include <linux/netlink.h>

#include <optional>

namespace aoe::os {

// Nullopt for a message that is not RTM_NEWLINK or RTM_DELLINK, or that names no interface.
// `message` is one complete message as libmnl delivers it (its length already checked).
[[nodiscard]] std::optional<NetInterface> parse_link_message(const nlmsghdr* message);

}  // namespace aoe::os
