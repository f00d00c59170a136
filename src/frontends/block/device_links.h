// The names of attached devices: /dev/etherd/e7.1 and e7.1p1, as the Linux driver has them.
#pragma once

#include "base/ids.h"
#include "base/result.h"

#include <string>
#include <utility>
#include <vector>

namespace aoe::block {

// Links e7.1 to the block device and e7.1pN to its partitions, and removes those of partitions that
// are gone. The directory is made if it is missing. Errors: already_exists (something else than a
// link has the name: the node of the Linux driver), io.
[[nodiscard]] Result<void> make_links(const std::string& directory, DeviceAddress address,
                                      const std::string& device);

// Those of the device and of all its partitions. What is not there is no error.
void remove_links(const std::string& directory, DeviceAddress address);

// All that are there, without those of partitions: the device, and what its link says.
[[nodiscard]] std::vector<std::pair<DeviceAddress, std::string>> read_links(
    const std::string& directory);

}  // namespace aoe::block
