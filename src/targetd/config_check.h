// The checks that need more than one value of a configuration.
#pragma once

#include "config/diagnostics.h"
#include "targetd/config.h"

namespace aoe::targetd {

// Errors: an address, a serial or a shadow used by two exports, a shadow that is the store, an
// export on an interface that the daemon does not use, a window beyond 2^48 sectors, a group
// without a user. Warnings: two exports that may write the same sectors, an administrator who is
// not among the allowed. What single values may be, their readers have checked (config_value.h).
[[nodiscard]] config::Diagnostics validate(const TargetConfig& config);

}  // namespace aoe::targetd
