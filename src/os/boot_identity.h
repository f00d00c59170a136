// Which machine this is and which of its starts.
#pragma once

#include <cstdint>
#include <string>

namespace aoe::os {

// Empty where the system does not say. Any thread.
struct BootIdentity {
  std::string machine;  // /etc/machine-id
  std::string boot;     // /proc/sys/kernel/random/boot_id: new at every start
  friend bool operator==(const BootIdentity&, const BootIdentity&) = default;
};

[[nodiscard]] BootIdentity boot_identity();

// Both texts as one number that is never 0: the same for the same texts in every version.
[[nodiscard]] std::uint64_t boot_number(const BootIdentity& identity);

}  // namespace aoe::os
