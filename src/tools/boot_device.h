// `aoe boot-device`: which disk the firmware booted from.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "tools/command.h"

#include <memory>
#include <optional>

namespace aoe::tools {

// What iPXE leaves behind for the system that it boots from an AoE disk: the ACPI table "aBFT", 46
// bytes (iPXE include/ipxe/aoe.h, struct abft_table; seen in a guest by tests/interop/boot.bats).
struct BootDevice {
  DeviceAddress address;
  MacAddress interface_mac;  // of the card that iPXE used
  friend bool operator==(const BootDevice&, const BootDevice&) = default;
};

// Looks at every sixteenth byte, as for all tables that firmware leaves in low memory. A table that
// is cut off or whose bytes do not add up to 0 is none.
[[nodiscard]] std::optional<BootDevice> find_boot_device(ConstByteSpan memory);

[[nodiscard]] std::unique_ptr<Command> make_boot_device_command();

}  // namespace aoe::tools
