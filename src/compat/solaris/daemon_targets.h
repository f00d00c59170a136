// What the initiator daemon says of its devices, as targets on channels.
#pragma once

#include "base/result.h"
#include "compat/solaris/aoe_conf.h"
#include "compat/solaris/target_address.h"
#include "control/message.h"

#include <vector>

namespace aoe::compat::solaris {

using control::Json;

struct DaemonTarget {
  TargetAddress address;
  bool is_enabled = false;

  friend constexpr auto operator<=>(const DaemonTarget&, const DaemonTarget&) = default;
};

// From the results of initiator.list and initiator.stats. A device is a target on each channel
// whose interface has a path to it; one without any path (searched for, or disabled) is one on
// every channel. Sorted. Errors: corrupt, when the daemon says something else than devices.
[[nodiscard]] Result<std::vector<DaemonTarget>> targets_of(const Json& list, const Json& stats,
                                                           const std::vector<Channel>& channels);

// Those that match one of the patterns; all without patterns.
[[nodiscard]] std::vector<DaemonTarget> select_targets(const std::vector<DaemonTarget>& targets,
                                                       const std::vector<AddressPattern>& patterns);

}  // namespace aoe::compat::solaris
