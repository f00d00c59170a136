// Who uses a block device.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <string>
#include <vector>

namespace aoe::os {

// The names of the partitions of "/dev/loop0" that the kernel knows: "loop0p1".
[[nodiscard]] std::vector<std::string> partitions_of(const std::string& device);

// In words, each a reason not to take the device ("/dev/loop0") or one of its partitions away:
// "mounted at /mnt", "under dm-0", "swap", "open in dd (pid 17)". File systems of other mount
// namespaces are not seen, and programs only as far as this process may look.
[[nodiscard]] std::vector<std::string> block_device_users(const std::string& device);

// Holds the device, so that from now on nobody mounts it or makes it part of another device. An
// empty descriptor when it is gone. Errors: busy (somebody has it so already), io.
[[nodiscard]] Result<Fd> claim_block_device(const std::string& device);

}  // namespace aoe::os
