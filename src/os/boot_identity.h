// Which machine this is and which of its starts.
#pragma once

#include <string>

namespace aoe::os {

// Empty where the system does not say. Any thread.
struct BootIdentity {
  std::string machine;  // /etc/machine-id
  std::string boot;     // /proc/sys/kernel/random/boot_id: new at every start
  friend bool operator==(const BootIdentity&, const BootIdentity&) = default;
};

[[nodiscard]] BootIdentity boot_identity();

}  // namespace aoe::os
