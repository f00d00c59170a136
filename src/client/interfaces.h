// Which interfaces a list of names means.
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace aoe::client {

// Of initiator::CoreLimits: ports are kept in 32-bit masks.
inline constexpr std::size_t kPortsMax = 32;

// The single name "auto".
[[nodiscard]] bool is_auto(const std::vector<std::string>& names);

// What "auto" means now: Ethernet hardware with carrier (os::is_auto_candidate), at most kPortsMax,
// in the kernel's order. May be empty. Errors: io (netlink).
[[nodiscard]] Result<std::vector<std::string>> auto_interfaces();

// The names as they are, or what "auto" stands for. Errors: invalid_argument (none given, one given
// twice, too many), not_found ("auto" finds none), io.
[[nodiscard]] Result<std::vector<std::string>> resolve_interfaces(
    const std::vector<std::string>& names);

}  // namespace aoe::client
